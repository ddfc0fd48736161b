use std::error::Error;
use std::fmt;

use audit_core::verify::ReadError;

/// Why a location gave no store.
#[derive(Debug)]
#[non_exhaustive]
pub enum LocationError {
    /// No store has URLs like this. Fix the URL.
    UnknownScheme {
        /// What stands in front of `://`.
        scheme: String,
    },
    /// Nothing is given. Give a directory or a URL.
    Empty,
    /// A colon as in a URL, and no `//` behind it. Write the URL whole, or `./` in front of the path.
    NoSlashes {
        /// What stands in front of the colon.
        scheme: String,
    },
    /// This program was built without the store. Build it with the feature.
    NotBuiltIn {
        /// What stands in front of `://`.
        scheme: &'static str,
        /// The cargo feature of this crate.
        feature: &'static str,
    },
    /// Rights to a directory are not this program's to name. See to them in the file system.
    NoGrants,
    /// The store does not take this URL or one of the options. Fix it; the source names what is wrong.
    Refused {
        /// What the store says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// What is there could not be read. Look at the store.
    Read(ReadError),
}

impl LocationError {
    pub(crate) fn refused(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Refused { source: source.into() }
    }
}

impl fmt::Display for LocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownScheme { scheme } => {
                f.write_str("no store has URLs that begin with `")?;
                for character in scheme.chars().take(32) {
                    write!(f, "{}", character.escape_debug())?;
                }
                f.write_str("://`: give a directory, or a file://, s3://, nats:// or postgres:// URL")
            }
            Self::Empty => {
                f.write_str("no location is given: give a directory, or a URL such as s3://bucket/prefix/LOG")
            }
            Self::NoSlashes { scheme } => {
                let scheme: String = scheme.chars().take(32).collect();
                write!(
                    f,
                    "`{scheme}:` begins a URL, and `//` has to follow; a directory of such a name is `./{scheme}:…`"
                )
            }
            Self::NotBuiltIn { scheme, feature } => {
                write!(f, "this program was built without {scheme}://: build it with the cargo feature `{feature}`")
            }
            Self::NoGrants => f.write_str(
                "rights to a directory are those of the file system: let only the service's user write there",
            ),
            Self::Refused { source } => source.fmt(f),
            Self::Read(error) => error.fmt(f),
        }
    }
}

impl Error for LocationError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused { source } => Some(source.as_ref()),
            Self::Read(error) => Some(error),
            Self::UnknownScheme { .. }
            | Self::Empty
            | Self::NoSlashes { .. }
            | Self::NotBuiltIn { .. }
            | Self::NoGrants => None,
        }
    }
}

impl From<ReadError> for LocationError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}
