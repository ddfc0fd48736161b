use std::error::Error;
use std::fmt;

/// Why a URL, or a setting beside it, cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// The URL does not name a bucket and a log.
    Location {
        /// What is wrong, and what it has to look like.
        detail: String,
    },
    /// There is no such setting.
    Unknown {
        /// Its name.
        key: String,
    },
    /// A setting is given more than once.
    Twice {
        /// Its name.
        key: String,
    },
    /// A setting has a value that it cannot have.
    Value {
        /// The name of the setting.
        key: String,
        /// Which values it can have.
        detail: String,
    },
    /// The URL or a setting holds a secret, where logs and process lists show it.
    Secret {
        /// Where it stands, and where it belongs.
        detail: String,
    },
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Location { detail } | Self::Secret { detail } => f.write_str(detail),
            Self::Unknown { key } => {
                write!(f, "there is no setting `{key}` for S3; see docs/backends/s3.md for those that there are")
            }
            Self::Twice { key } => write!(f, "the setting `{key}` is given more than once: remove one"),
            Self::Value { key, detail } => write!(f, "the setting `{key}`: {detail}"),
        }
    }
}

impl Error for UrlError {}
