//! Reading files of credentials and certificates, which may be anything.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

/// Reads a file of at most `limit` bytes. Whatever is no regular file is refused, because reading it may
/// never end: nobody may write to a pipe.
///
/// What is wrong is said in words that follow the name of the file.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let said = |error: io::Error| error.to_string();
    if !fs::metadata(path).map_err(said)?.is_file() {
        return Err("it is not a regular file".into());
    }
    let mut bytes = Vec::new();
    fs::File::open(path).map_err(said)?.take(limit + 1).read_to_end(&mut bytes).map_err(said)?;
    if bytes.len() as u64 > limit { Err(format!("it is longer than {limit} bytes")) } else { Ok(bytes) }
}
