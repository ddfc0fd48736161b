//! Private keys in files: the only part of `key` that does I/O.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use zeroize::Zeroizing;

use super::{Key, KeyError};

/// No key file is longer, even with a name of the greatest length.
const FILE_LIMIT: usize = 4_096;

impl Key {
    /// Reads a private key from a file that only its owner can read. Blocks.
    ///
    /// Kubernetes mounts secrets with mode 0644: set `defaultMode: 0400` on the volume.
    ///
    /// # Errors
    ///
    /// When there is no such file, when others than its owner may read or write it, or when it
    /// does not hold a private key: empty, altered, public, or of another algorithm.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        let text = read_private(path)?;
        let text = std::str::from_utf8(&text)
            .map_err(|_| KeyError::Malformed { expected: "private key", fault: "it is not text" });
        text.and_then(Self::from_text).map_err(|source| KeyError::Content {
            place: format!("the key file {}", path.display()),
            source: Box::new(source),
        })
    }

    /// Writes the private key to a new file with mode 0600 and forces it, and its directory, to
    /// stable storage. Blocks.
    ///
    /// # Errors
    ///
    /// When the file already exists (it is left as it is), cannot be written, or when a
    /// [`Signer`](super::Signer) holds the private key.
    pub fn write_new_file(&self, path: impl AsRef<Path>) -> Result<(), KeyError> {
        let path = path.as_ref();
        let text = self.to_private_text()?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut file = file.map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => KeyError::Exists { path: path.into() },
            _ => failed("creating", path, source),
        })?;
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.write_all(b"\n"))
            .and_then(|()| file.sync_all())
            .and_then(|()| sync_directory_of(path));
        written.map_err(|source| {
            // Half a key is of no use, and would be in the way of the next try.
            let _ = std::fs::remove_file(path);
            failed("writing", path, source)
        })
    }
}

fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let file = File::open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => KeyError::Missing { path: path.into() },
        _ => failed("opening", path, source),
    })?;
    // Asked of the open file: the path could be changed between two looks.
    let metadata = file.metadata().map_err(|source| failed("inspecting", path, source))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if metadata.is_dir() {
        let source = io::Error::from(ErrorKind::IsADirectory);
        return Err(failed("reading", path, source));
    }
    if mode & 0o077 != 0 {
        let path = path.into();
        return Err(KeyError::Exposed { path, mode });
    }
    // Room for all of it, so that growing leaves no copy behind.
    let mut text = Zeroizing::new(Vec::with_capacity(FILE_LIMIT + 1));
    file.take(FILE_LIMIT as u64 + 1).read_to_end(&mut text).map_err(|source| failed("reading", path, source))?;
    if text.len() > FILE_LIMIT {
        return Err(KeyError::Content {
            place: format!("the key file {}", path.display()),
            source: Box::new(KeyError::Malformed { expected: "private key", fault: "it is longer than 4,096 bytes" }),
        });
    }
    Ok(text)
}

fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)?.sync_all()
}

fn failed(doing: &'static str, path: &Path, source: io::Error) -> KeyError {
    let path = path.into();
    KeyError::Io { doing, path, source }
}
