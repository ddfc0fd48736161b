//! Searching files for a secret, however it is written.

use std::path::{Path, PathBuf};
use std::{fmt, fs};

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};

use crate::secrets::{Secret, Secrets};

/// A secret that was found where it must not be.
#[derive(Debug)]
pub(crate) struct Leak {
    pub(crate) way: &'static str,
    pub(crate) written: &'static str,
    pub(crate) file: PathBuf,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the secret sent as {} stands in {}, {}", self.way, self.file.display(), self.written)
    }
}

/// What looks for all secrets in all their spellings.
#[derive(Debug)]
pub(crate) struct Search {
    patterns: Vec<(&'static str, &'static str, Vec<u8>)>,
}

impl Search {
    pub(crate) fn for_all(secrets: &Secrets) -> Self {
        let patterns = secrets.each.iter().flat_map(|secret| {
            spellings(secret).into_iter().map(|(written, pattern)| (secret.way, written, pattern.into_bytes()))
        });
        Self { patterns: patterns.collect() }
    }

    /// Every secret in every file below `folder`.
    pub(crate) fn below(&self, folder: &Path) -> Vec<Leak> {
        files(folder).into_iter().flat_map(|file| self.within(&file)).collect()
    }

    fn within(&self, file: &Path) -> Vec<Leak> {
        let bytes = fs::read(file).unwrap();
        let found = self.patterns.iter().filter(|(_, _, pattern)| contains(&bytes, pattern));
        found.map(|&(way, written, _)| Leak { way, written, file: file.to_owned() }).collect()
    }
}

/// All files below `folder`.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files
}

pub(crate) fn contains(bytes: &[u8], pattern: &[u8]) -> bool {
    bytes.windows(pattern.len()).any(|window| window == pattern)
}

/// How a secret may stand in a file. Its core stands for all of it wherever letters stay letters:
/// plain, in JSON, percent-encoded.
fn spellings(secret: &Secret) -> Vec<(&'static str, String)> {
    let core = &secret.core;
    let each = |spell: fn(u8) -> String| core.bytes().map(spell).collect::<String>();
    let mut spellings = vec![
        ("plain, JSON-escaped or percent-encoded", core.clone()),
        ("percent-encoded throughout", each(|byte| format!("%{byte:02X}"))),
        ("percent-encoded throughout, lower case", each(|byte| format!("%{byte:02x}"))),
        ("JSON-escaped throughout", each(|byte| format!("\\u{byte:04x}"))),
        ("JSON-escaped throughout, upper case", each(|byte| format!("\\u{byte:04X}"))),
        ("hexadecimal", each(|byte| format!("{byte:02x}"))),
        ("hexadecimal, upper case", each(|byte| format!("{byte:02X}"))),
        ("reversed", core.chars().rev().collect()),
    ];
    for offset in 0..3 {
        let shifted = [&[0; 2][..offset], core.as_bytes()].concat();
        // The characters to which the core alone contributes.
        let first = (offset * 8).div_ceil(6);
        let end = shifted.len() * 8 / 6;
        spellings.push(("base64", Base64Unpadded::encode_string(&shifted)[first..end].to_owned()));
        spellings.push(("base64url", Base64UrlUnpadded::encode_string(&shifted)[first..end].to_owned()));
    }
    spellings
}
