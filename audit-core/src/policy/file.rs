//! Reading a policy from a file, whole and within a limit.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use super::parse::TEXT_LIMIT;
use super::{Policy, PolicyError};
use crate::evidence::Hash;

/// What reading a policy file gave.
pub(crate) struct Reading {
    pub(crate) policy: Result<Policy, PolicyError>,
    /// SHA-256 of the file, where all of it was read.
    pub(crate) digest: Option<Hash>,
}

impl Reading {
    /// Reads from whatever stands at `path`, a pipe too.
    pub(super) fn of(path: &Path) -> Self {
        Self::with(path, |path| File::open(path))
    }

    /// Reads from a regular file. Does not wait for one that is a pipe.
    pub(crate) fn of_regular(path: &Path) -> Self {
        Self::with(path, open_regular)
    }

    fn with(path: &Path, open: impl FnOnce(&Path) -> io::Result<File>) -> Self {
        let bytes = match open(path).and_then(read_bytes) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Self { policy: Err(PolicyError::too_long().in_file(path)), digest: None },
            Err(error) => return Self { policy: Err(unreadable(path, error)), digest: None },
        };
        let digest = Some(Hash::digest(&bytes));
        let policy = match String::from_utf8(bytes) {
            Ok(text) => Policy::from_toml(&text).map_err(|error| error.in_file(path)),
            Err(error) => Err(unreadable(path, io::Error::new(io::ErrorKind::InvalidData, error))),
        };
        Self { policy, digest }
    }
}

fn unreadable(path: &Path, source: io::Error) -> PolicyError {
    PolicyError::Read { path: path.to_owned(), source }
}

fn open_regular(path: &Path) -> io::Result<File> {
    let at_once = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(at_once).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file, nor a link to one"))
    }
}

/// The bytes of a file, or `None` as soon as they are too many.
fn read_bytes(file: File) -> io::Result<Option<Vec<u8>>> {
    let limit = u64::try_from(TEXT_LIMIT).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= TEXT_LIMIT).then_some(bytes))
}
