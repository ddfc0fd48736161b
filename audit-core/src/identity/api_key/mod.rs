//! Callers known by an API key: a secret of their own that only its SHA-256 is kept of.

mod api_keys;
mod entry;
mod error;
mod registry;

pub use api_keys::ApiKeys;
pub use entry::ApiKey;
pub use error::ApiKeyError;
