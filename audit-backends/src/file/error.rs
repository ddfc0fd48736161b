use std::error::Error;
use std::fmt;

/// Why a location is no directory for a log. Its text says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileLocationError {
    /// The URL names another machine, or no absolute path.
    OtherMachine {
        /// The location, without user, password and query.
        location: String,
    },
    /// A `%` in the URL that is not followed by two hexadecimal digits.
    BadEscape {
        /// The location, without user, password and query.
        location: String,
    },
    /// A path with a `?` in it, as if settings followed.
    QueryOfPath,
    /// An option that means nothing here.
    UnknownOption {
        /// Its name.
        name: String,
    },
    /// An option that is given twice.
    DoubledOption {
        /// Its name.
        name: String,
    },
    /// A value that the option does not take.
    BadValue {
        /// The option.
        name: &'static str,
        /// What was given.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
}

impl fmt::Display for FileLocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherMachine { location } => write!(
                f,
                "{location}: a `file://` URL names a directory of this machine, like `file:///var/lib/payments/audit`"
            ),
            Self::BadEscape { location } => write!(f, "{location}: `%` stands before two hexadecimal digits"),
            Self::QueryOfPath => f.write_str(
                "a directory that is given as a path has no `?` in it: give settings as in `file:///dir?min_free=1MiB`, or write `%3F` in such a URL",
            ),
            Self::UnknownOption { name } => {
                write!(f, "unknown option `{name}`: those of a directory are segment_bytes, min_free, lock_wait")
            }
            Self::DoubledOption { name } => write!(f, "the option `{name}` is given twice: leave one out"),
            Self::BadValue { name, value, expected } => {
                write!(f, "`{value}` is no value for `{name}`: write {expected}")
            }
        }
    }
}

impl Error for FileLocationError {}
