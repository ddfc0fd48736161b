use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use super::FileLocationError;
use crate::scheme::Scheme;

/// A directory, as a path or as a `file://` URL (RFC 8089) whose query holds options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileLocation {
    pub(super) dir: PathBuf,
    pub(super) options: Vec<(String, String)>,
    /// The query as it was written, its question mark included; `None` for a path.
    query: Option<String>,
}

impl FileLocation {
    pub(super) fn parse(location: &str) -> Result<Self, FileLocationError> {
        let Some(rest) = location.strip_prefix("file://") else {
            return if location.contains('?') {
                Err(FileLocationError::QueryOfPath)
            } else {
                Ok(Self::of(Path::new(location)))
            };
        };
        let bad_escape = || FileLocationError::BadEscape { location: shown(location) };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = path.strip_prefix("localhost").unwrap_or(path);
        if !path.starts_with('/') {
            return Err(FileLocationError::OtherMachine { location: shown(location) });
        }
        let dir = decoded(path).and_then(to_path).ok_or_else(bad_escape)?;
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let options = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let text = |part| decoded(part).and_then(|bytes| String::from_utf8(bytes).ok());
            Some((text(name)?, text(value)?))
        });
        let options = options.collect::<Option<_>>().ok_or_else(bad_escape)?;
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        Ok(Self { dir, options, query: Some(query) })
    }

    /// A directory, as a path.
    pub(super) fn of(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), options: Vec::new(), query: None }
    }

    /// Another directory, written as this one was.
    pub(super) fn with_dir(&self, dir: &Path) -> String {
        match (&self.query, dir.to_str()) {
            (None, Some(text)) if is_plain(text) => text.to_owned(),
            (query, _) => {
                let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
                format!(
                    "file://{}{}",
                    encoded(dir.as_os_str().as_encoded_bytes()),
                    query.as_deref().unwrap_or_default()
                )
            }
        }
    }
}

/// Resolves `%20` and the like (RFC 3986 §2.1).
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            if !digits.iter().all(u8::is_ascii_hexdigit) {
                return None;
            }
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    Some(bytes)
}

/// A URL without what may be a secret.
fn shown(location: &str) -> String {
    let place = location.split('?').next().unwrap_or_default();
    let rest = place.strip_prefix("file://").unwrap_or(place);
    let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("file://{host}{path}")
}

/// Whether a path is read as a path: not as a URL, nor as something that has a query.
fn is_plain(path: &str) -> bool {
    !path.contains('?') && matches!(Scheme::of(path), Ok(Scheme::File)) && !path.contains("://")
}

/// Writes everything but letters, digits and `-._~/` as `%20` and the like.
pub(crate) fn encoded(path: &[u8]) -> String {
    let mut text = String::new();
    for byte in path {
        match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._~/".contains(byte) => text.push(char::from(*byte)),
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn to_path(bytes: Vec<u8>) -> Option<PathBuf> {
    (!bytes.contains(&0)).then(|| OsString::from_vec(bytes).into())
}
