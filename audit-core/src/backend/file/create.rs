//! How files and directories of a log come into being.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::fault;
use crate::backend::BackendError;

/// Options for a file that the owner writes and its group reads, whatever the umask adds to that.
pub(super) fn options() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.write(true).mode(0o640);
    options
}

/// Makes a directory and those above it, unless they exist, and forces their entries to disk.
pub(super) fn directory(path: &Path) -> Result<(), BackendError> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        directory(parent)?;
    }
    let failed = |error| fault::failed("making a directory of the log", path, error);
    match fs::DirBuilder::new().mode(0o750).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(failed(error)),
        Ok(()) => sync_directory(parent.unwrap_or(Path::new("."))).map_err(failed),
    }
}

/// Forces the entries of a directory to disk.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

/// Puts `bytes` in the place of the file at `path`, all or nothing, and forces it to disk.
///
/// What a crash leaves is either the old file or the new one, and perhaps `<path>.tmp`.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_unsynced_with(path, bytes, fs::File::sync_all)?;
    match path.parent() {
        Some(parent) => sync_directory(parent),
        None => Ok(()),
    }
}

/// Puts `bytes` in the place of the file at `path` without forcing it to disk: after a power loss
/// there may be nothing, or garbage.
pub(super) fn replace_unsynced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_unsynced_with(path, bytes, |_| Ok(()))
}

fn replace_unsynced_with(
    path: &Path,
    bytes: &[u8],
    before_rename: impl FnOnce(&fs::File) -> io::Result<()>,
) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let mut file = options().create(true).truncate(true).open(&temporary)?;
    file.write_all(bytes)?;
    before_rename(&file)?;
    fs::rename(&temporary, path)
}

/// Reads a file of at most `limit` bytes; `None` if there is none.
pub(super) fn read_small(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    use std::io::Read as _;
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("longer than {limit} bytes")));
    }
    Ok(Some(bytes))
}

/// What `meaning` makes of the names in a directory, as far as it can be read.
pub(super) fn names<T>(path: &Path, meaning: impl Fn(&str) -> Option<T>) -> Vec<T> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.filter_map(|entry| meaning(entry.file_name().to_str()?)).collect()
}
