use std::fmt;
use std::mem;
use std::sync::{Arc, PoisonError, RwLock};

use crate::identity::authorization::{Authorization, several, split_scheme};
use crate::identity::{Identify, Metadata};
use crate::record::Actor;

use super::entry::ApiKey;
use super::error::ApiKeyError;
use super::registry::Registry;

/// The longest key that is looked up, in bytes.
const KEY_LIMIT: usize = 4 * 1_024;

/// The most headers, and the longest name of one.
const NAME_LIMIT: usize = 8;
const NAME_LENGTH_LIMIT: usize = 128;

/// API keys that the host knows by their SHA-256.
///
/// A known key makes its holder, verified, with the key's id as `credential`. An unknown one, one
/// of more than 4 KiB, and several keys in one request make an `unauthenticated` actor with a
/// `reason`. No part of a key is recorded, known or not. Says nothing about requests without a key.
///
/// Keys are looked for in the headers `x-api-key` and `api-key`, unless told otherwise. A clone is
/// another handle to the same keys. Identifying hashes the key and looks it up; it does not block.
///
/// ```
/// # use audit_core::identity::{ApiKey, ApiKeys};
/// # use audit_core::Actor;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
/// let settler = ApiKey::from_sha256(digest, Actor::service_account("settler"))?.key_id("settler-2026");
/// let keys = ApiKeys::new([settler])?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ApiKeys {
    headers: Arc<[String]>,
    scheme: Option<Arc<str>>,
    registry: Arc<RwLock<Arc<Registry>>>,
}

impl ApiKeys {
    /// Knows these keys, at most 100,000.
    ///
    /// # Errors
    ///
    /// When a key stands twice, or there are too many.
    pub fn new(keys: impl IntoIterator<Item = ApiKey>) -> Result<Self, ApiKeyError> {
        Ok(Self {
            headers: ["x-api-key", "api-key"].map(str::to_owned).into(),
            scheme: None,
            registry: Arc::new(RwLock::new(Arc::new(Registry::new(keys)?))),
        })
    }

    /// Looks for keys in these headers instead, at most 8. None at all is fine when there is an
    /// [`authorization_scheme`](Self::authorization_scheme).
    ///
    /// # Errors
    ///
    /// When one of them is no header name.
    pub fn headers<N>(mut self, names: N) -> Result<Self, ApiKeyError>
    where
        N: IntoIterator<Item: Into<String>>,
    {
        let names: Vec<String> = names.into_iter().take(NAME_LIMIT + 1).map(Into::into).collect();
        if names.len() > NAME_LIMIT || !names.iter().all(|name| is_token(name)) {
            return Err(ApiKeyError::Name);
        }
        self.headers = names.into();
        Ok(self)
    }

    /// Looks for keys in `Authorization` too, after this scheme, as in `ApiKey`. With `Bearer`, every
    /// bearer token counts as a key, so put sources for other tokens first.
    ///
    /// # Errors
    ///
    /// When that is no scheme.
    pub fn authorization_scheme(mut self, scheme: &str) -> Result<Self, ApiKeyError> {
        if !is_token(scheme) {
            return Err(ApiKeyError::Name);
        }
        self.scheme = Some(scheme.into());
        Ok(self)
    }

    /// Replaces all keys, for all handles and at once.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new). The keys before stay.
    pub fn set_keys(&self, keys: impl IntoIterator<Item = ApiKey>) -> Result<(), ApiKeyError> {
        let registry = Arc::new(Registry::new(keys)?);
        let mut current = self.registry.write().unwrap_or_else(PoisonError::into_inner);
        let before = mem::replace(&mut *current, registry);
        drop(current);
        // Freed without the lock.
        drop(before);
        Ok(())
    }

    fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.registry.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn holder(&self, key: &[u8]) -> Result<Actor, &'static str> {
        if key.len() > KEY_LIMIT {
            return Err("API key longer than 4 KiB");
        }
        self.registry().holder(key).cloned().ok_or("unknown API key")
    }

    /// The key after the scheme, if it is the one.
    fn authorization<'a>(&self, value: &'a [u8]) -> Option<&'a [u8]> {
        let (scheme, key) = split_scheme(value);
        scheme.eq_ignore_ascii_case(self.scheme.as_ref()?.as_bytes()).then_some(key)
    }
}

impl Identify for ApiKeys {
    fn identify(&self, metadata: &dyn Metadata) -> Option<Actor> {
        let mut lines = 0_usize;
        for name in self.headers.iter() {
            metadata.each_header(name, &mut |_| lines = lines.saturating_add(1));
        }
        let mut key = self.headers.iter().find_map(|name| metadata.header(name));
        if self.scheme.is_some() {
            match Authorization::of(metadata) {
                Authorization::Missing => {}
                Authorization::Several => return Some(several()),
                Authorization::One(value) => {
                    if let Some(authorization) = self.authorization(value) {
                        lines = lines.saturating_add(1);
                        key = key.or(Some(authorization));
                    }
                }
            }
        }
        let key = key?.trim_ascii();
        let holder = if lines > 1 { Err("several API keys") } else { self.holder(key) };
        Some(holder.unwrap_or_else(|reason| Actor::unauthenticated().auth("api_key").reason(reason)))
    }
}

/// Whether the text is a token (RFC 9110 §5.6.2), which names of headers and schemes are.
fn is_token(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.len() <= NAME_LENGTH_LIMIT && text.bytes().all(is_letter)
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys")
            .field("headers", &self.headers)
            .field("scheme", &self.scheme)
            .field("keys", &self.registry().len())
            .finish()
    }
}
