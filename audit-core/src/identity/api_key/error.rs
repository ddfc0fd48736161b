use std::error::Error;
use std::fmt;

/// Why API keys are not taken: a mistake in the program or its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApiKeyError {
    /// Not the SHA-256 of a key.
    Digest,
    /// Two entries are for the same key.
    Twice {
        /// Which entry repeats an earlier one, counted from 0.
        index: usize,
    },
    /// More than 100,000 keys.
    TooManyKeys,
    /// Not a header name or an authorization scheme (RFC 9110 §5.6.2), or more than 8 of them.
    Name,
}

impl fmt::Display for ApiKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest => f.write_str("not the SHA-256 of an API key: expected 64 hexadecimal digits"),
            Self::Twice { index } => write!(f, "API key {index} is the same as an earlier one: name one holder for it"),
            Self::TooManyKeys => f.write_str("more than 100,000 API keys"),
            Self::Name => f.write_str(
                "not a header or scheme that an API key can be sent in: expected at most 8 names such as `x-api-key`",
            ),
        }
    }
}

impl Error for ApiKeyError {}
