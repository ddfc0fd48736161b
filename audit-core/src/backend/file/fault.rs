//! What an error of the file system means for the log.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::backend::BackendError;

/// An I/O error together with the file it is about.
#[derive(Debug)]
struct AtPath {
    path: PathBuf,
    source: io::Error,
}

impl fmt::Display for AtPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.source)
    }
}

impl std::error::Error for AtPath {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Whether the disk itself failed, after which the page cache cannot be trusted.
pub(super) fn is_broken(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::IO.raw_os_error())
}

/// Whether there is no room: on the disk, in the quota, or under the limit on the size of a file.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

/// The error of a call after which nothing was written.
pub(super) fn failed(doing: &'static str, path: &Path, source: io::Error) -> BackendError {
    if is_broken(&source) {
        return BackendError::Poisoned { detail: format!("{doing} failed: {}: {source}", path.display()) };
    }
    if is_full(&source) {
        return full(path, &source);
    }
    if matches!(source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) {
        return BackendError::Misconfigured {
            detail: format!(
                "{doing} is not permitted: {}: {source}; give this user read and write access to the directory and all in it, and take off the attributes `append only` and `immutable` (chattr -a -i) where a crash has to be repaired",
                path.display()
            ),
        };
    }
    BackendError::Unavailable { doing, source: at_path(path, source) }
}

/// The error of a write for which there was no room.
pub(super) fn full(path: &Path, source: &io::Error) -> BackendError {
    BackendError::Full { detail: format!("{}: {source}; free some space, the log goes on by itself", path.display()) }
}

/// The error of a write that cannot be undone: nobody knows what is there.
pub(super) fn unknown(doing: &'static str, path: &Path, source: io::Error) -> BackendError {
    BackendError::Unknown { doing, source: at_path(path, source) }
}

fn at_path(path: &Path, source: io::Error) -> Box<dyn std::error::Error + Send + Sync> {
    Box::new(AtPath { path: path.to_owned(), source })
}
