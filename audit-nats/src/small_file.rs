use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

/// The longest secret, key or list of certificates that is read from a file, in bytes.
pub(crate) const LIMIT: u64 = 1 << 20;

/// Reads a file of at most `limit` bytes. Whatever is no regular file is refused, because reading it may
/// never end: nobody may write to a pipe.
///
/// # Errors
///
/// Says what is wrong with the file, in words that follow its name.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let cannot = |error: io::Error| format!("{} cannot be read: {error}", path.display());
    if !fs::metadata(path).map_err(cannot)?.is_file() {
        return Err(format!("{} cannot be read: it is not a regular file", path.display()));
    }
    let mut bytes = Vec::new();
    fs::File::open(path).map_err(cannot)?.take(limit + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > limit {
        return Err(format!("{} has more than {limit} bytes, so it is not what it should be", path.display()));
    }
    Ok(bytes)
}
