use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{error, fmt};

use zeroize::Zeroizing;

/// The fewest bytes of a secret: the output length of SHA-256 (RFC 2104 §3).
const LENGTH_LEAST: usize = 32;

/// The most bytes of a secret.
const LENGTH_MOST: usize = 4_096;

/// A secret under which values of bodies are correlated (HMAC-SHA-256, RFC 2104).
///
/// Whoever has it can try out which value is behind an HMAC, so it is kept like a key: never
/// printed, and wiped from memory when its last clone is dropped.
#[derive(Clone)]
pub struct LogSecret(Arc<Zeroizing<Vec<u8>>>);

/// Why a log secret was refused. Never carries a byte of it.
#[derive(Debug)]
#[non_exhaustive]
pub enum SecretError {
    /// It has fewer than 32 or more than 4,096 bytes.
    Length {
        /// How many it has.
        bytes: usize,
    },
    /// All its bytes are the same.
    Constant,
    /// Others than the owner may use the file.
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file could not be read.
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { bytes } => write!(
                f,
                "the log secret has {bytes} bytes; it takes {LENGTH_LEAST} to {LENGTH_MOST}: make one with \
                 `openssl rand -hex 32`"
            ),
            Self::Constant => f.write_str(
                "the log secret is one byte over and over, which anybody can guess: make one with \
                 `openssl rand -hex 32`",
            ),
            Self::Exposed { path, mode } => write!(
                f,
                "the log secret {} has mode {mode:04o}: others than its owner may use it; run `chmod 600` on it, and \
                 make a new one if they may have read it",
                path.display()
            ),
            Self::Read { path, .. } => write!(f, "cannot read the log secret {}", path.display()),
        }
    }
}

impl error::Error for SecretError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl fmt::Debug for LogSecret {
    /// Says that there is a secret, never which.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogSecret(..)")
    }
}

impl LogSecret {
    /// A secret from 32 to 4,096 random bytes.
    ///
    /// # Errors
    ///
    /// When there are fewer or more, or all are the same.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SecretError> {
        if !(LENGTH_LEAST..=LENGTH_MOST).contains(&bytes.len()) {
            return Err(SecretError::Length { bytes: bytes.len() });
        }
        if bytes.iter().all(|byte| Some(byte) == bytes.first()) {
            return Err(SecretError::Constant);
        }
        Ok(Self(Arc::new(Zeroizing::new(bytes.to_vec()))))
    }

    /// A secret from a file that only its owner may read. Its content is taken as bytes, without
    /// one line feed at the end. Blocks.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, others may use it, or as [`from_bytes`](Self::from_bytes).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, SecretError> {
        let path = path.as_ref();
        let failed = |source| SecretError::Read { path: path.into(), source };
        let file = File::open(path).map_err(failed)?;
        // Asked of the open file: the path could be changed between two looks.
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(SecretError::Exposed { path: path.into(), mode });
        }
        // Room for all of it, so that growing leaves no copy behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH_MOST + 2));
        file.take(LENGTH_MOST as u64 + 2).read_to_end(&mut bytes).map_err(failed)?;
        Self::from_bytes(bytes.strip_suffix(b"\n").unwrap_or(&bytes))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
