use std::fmt;

/// A URL or an option that cannot be used. Whoever wrote it is at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// The URL is not of the form `nats://HOST[:PORT]/STREAM/LOG`.
    Malformed {
        /// What is wrong with it.
        detail: String,
    },
    /// No such option.
    UnknownOption {
        /// The name that was given.
        name: String,
    },
    /// The option was given twice.
    RepeatedOption {
        /// Its name.
        name: String,
    },
    /// The option cannot have this value, or not together with the others.
    BadOption {
        /// Its name.
        name: String,
        /// What it has to be.
        detail: String,
    },
    /// A secret stands where others can read it.
    Secret {
        /// Where, and where it belongs.
        detail: String,
    },
}

impl UrlError {
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::Malformed { detail: detail.into() }
    }

    pub(crate) fn bad(name: &str, detail: impl Into<String>) -> Self {
        Self::BadOption { name: name.to_owned(), detail: detail.into() }
    }
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { detail } | Self::Secret { detail } => f.write_str(detail),
            Self::UnknownOption { name } => {
                write!(f, "there is no option `{name}` for a log in NATS; see docs/backends/nats.md")
            }
            Self::RepeatedOption { name } => write!(f, "option `{name}` is given twice"),
            Self::BadOption { name, detail } => write!(f, "option `{name}`: {detail}"),
        }
    }
}

impl std::error::Error for UrlError {}
