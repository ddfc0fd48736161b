//! From what stands on the command line to a log that can be read.

use std::path::PathBuf;

use audit_core::backend::FileReader;

use crate::ending::Failure;

/// Opens the log at `location` for reading: a directory, or a `file://` URL.
pub(crate) fn open(location: &str) -> Result<FileReader, Failure> {
    Ok(FileReader::open(directory(location)?)?)
}

fn directory(location: &str) -> Result<PathBuf, Failure> {
    let Some((scheme, rest)) = location.split_once("://") else {
        return Ok(PathBuf::from(location));
    };
    if scheme != "file" {
        return Err(Failure::new(format!(
            "{location}: logs in `{scheme}://` cannot be read by this program; give a directory or a `file://` URL"
        )));
    }
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return Err(Failure::new(format!(
            "{location}: a `file://` URL names a directory of this machine, like `file:///var/lib/payments/audit`"
        )));
    }
    decoded(path).map(PathBuf::from).ok_or_else(|| Failure::new(format!("{location}: `%` stands before two digits")))
}

/// Resolves `%20` and the like (RFC 3986 §2.1).
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
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
    String::from_utf8(bytes).ok()
}
