use std::fmt;

use crate::record::Source;

use super::Metadata;

/// Networks whose `X-Forwarded-For` is believed. None by default.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {}

/// A network that cannot be trusted as written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkError {
    /// Not an address, or an address and a prefix length.
    Malformed {
        /// What was given.
        text: String,
    },
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { text } => write!(f, "`{text}` is not a network"),
        }
    }
}

impl std::error::Error for NetworkError {}

impl TrustedProxies {
    /// Trusts proxies in these networks, each written as in `10.0.0.0/8`, `fd00::/8`, `10.1.2.3`.
    ///
    /// # Errors
    ///
    /// When one of them is not a network.
    pub fn new<N>(_networks: N) -> Result<Self, NetworkError>
    where
        N: IntoIterator<Item: AsRef<str>>,
    {
        Ok(Self {})
    }

    /// Where the call came from: the peer, or what trusted proxies say of it.
    #[must_use]
    pub fn source(&self, metadata: &dyn Metadata) -> Option<Source> {
        metadata.peer().map(Source::from)
    }
}
