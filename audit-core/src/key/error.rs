use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a key could not be made, read or written. Never carries a byte of a private key.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyError {
    /// The name cannot stand in a signature line.
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The text is not a key.
    Malformed {
        /// What it should be.
        expected: &'static str,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The key is of another algorithm than Ed25519.
    Algorithm {
        /// The signature type byte that was found (C2SP signed-note).
        found: u8,
    },
    /// The key id in the text does not belong to the name and the key in the text.
    KeyId {
        /// The name in the text.
        name: String,
        /// The key id in the text.
        found: u32,
        /// The key id that name and key give.
        expected: u32,
    },
    /// The public key is no point of the curve, or one under which anything verifies.
    Weak,
    /// The operating system gave no random bytes.
    Random(getrandom::Error),
    /// There is no such file.
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner may read the private key.
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A new key was to be written where a file already is.
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be read or written.
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The environment variable that should hold the key is not set.
    Unset {
        /// The variable.
        variable: String,
    },
    /// What a file or a variable holds is not a usable key.
    Content {
        /// The file or the variable.
        place: String,
        /// Why not.
        source: Box<KeyError>,
    },
    /// The private key is held elsewhere and cannot be written out.
    NotExportable {
        /// The name of the key.
        name: String,
    },
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { name, fault } => write!(
                f,
                "{name:?} cannot be the name of a key: {fault}; use something like \
                 payments.example.com/prod-1, without white space or '+'"
            ),
            Self::Malformed { expected, fault } => write!(f, "not a {expected}: {fault}"),
            Self::Algorithm { found: 2 } => f.write_str(
                "an ECDSA key (type 0x02); only Ed25519 keys (type 0x01) are supported: \
                 make one with `audit keygen`",
            ),
            Self::Algorithm { found } => {
                write!(f, "a key of type {found:#04x}; only Ed25519 keys (type 0x01) are supported")
            }
            Self::KeyId { name, found, expected } => write!(
                f,
                "the key id is {found:08x}, but the name {name} and the key give {expected:08x}: \
                 the text was altered, or copied in part"
            ),
            Self::Weak => f.write_str(
                "the public key is not a usable Ed25519 key: with it, anything would verify or \
                 nothing",
            ),
            Self::Random(_) => f.write_str("the operating system gave no random bytes"),
            Self::Missing { path } => {
                let path = path.display();
                write!(f, "there is no key file {path}; make one with `audit keygen ORIGIN`")
            }
            Self::Exposed { path, mode } => {
                let path = path.display();
                write!(
                    f,
                    "the key file {path} has mode {mode:04o}: others than its owner may use it; \
                     run `chmod 600 {path}`, and make a new key if they may have read it"
                )
            }
            Self::Exists { path } => {
                let path = path.display();
                write!(
                    f,
                    "{path} already exists and is left as it is; move it away first, or give \
                     another path"
                )
            }
            Self::Io { doing, path, .. } => {
                let path = path.display();
                write!(f, "{doing} the key file {path} failed")
            }
            Self::Unset { variable } => write!(
                f,
                "the environment variable {variable} is not set; it should hold a private key \
                 from `audit keygen ORIGIN`"
            ),
            Self::Content { place, source } => write!(f, "{place}: {source}"),
            Self::NotExportable { name } => {
                write!(f, "the private key of {name} is held elsewhere and cannot be written out")
            }
        }
    }
}

impl Error for KeyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Random(source) => Some(source),
            Self::Io { source, .. } => Some(source),
            // The message already repeats the whole source.
            Self::Content { source, .. } => source.source(),
            _ => None,
        }
    }
}

/// Why a note was not signed.
#[derive(Debug)]
#[non_exhaustive]
pub enum SignError {
    /// The text cannot be the text of a signed note (C2SP signed-note).
    Text {
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The holder of the private key did not sign. Whether retrying helps, the source may say.
    Signer {
        /// What the holder said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The holder of the private key returned a signature that its public key does not verify.
    Unverifiable {
        /// The name of the key.
        name: String,
    },
}

impl SignError {
    /// For implementors of [`Signer`](super::Signer): signing failed because of `source`.
    #[must_use]
    pub fn signer(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Signer { source: source.into() }
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { fault } => write!(f, "the text cannot be signed as a note: {fault}"),
            Self::Signer { .. } => f.write_str("the holder of the signing key did not sign"),
            Self::Unverifiable { name } => write!(
                f,
                "the holder of the signing key {name} returned a signature that does not verify \
                 under its public key"
            ),
        }
    }
}

impl Error for SignError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Signer { source } => Some(source.as_ref()),
            _ => None,
        }
    }
}
