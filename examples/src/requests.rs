//! What the HTTP servers read from a request, whatever framework parses it.

use std::time::Duration;

use serde::Deserialize;

use crate::limits;

/// The query of `/v1/slow`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Slow {
    #[serde(default)]
    ms: u64,
}

impl Slow {
    /// How long to wait, within what is allowed.
    #[must_use]
    pub fn wait(self) -> Duration {
        Duration::from_millis(self.ms).min(limits::SLOW)
    }
}

/// The query of `/v1/stream`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Stream {
    /// How many chunks to answer with.
    #[serde(default)]
    pub chunks: u64,
}

/// The query of `/v1/fail` and `/v1/panic`.
#[derive(Clone, Debug, Deserialize)]
pub struct Message {
    /// What to fail or to panic with.
    #[serde(default = "as_asked")]
    pub message: String,
}

/// Whether `details` is what a refund may come with: nothing, or JSON.
#[must_use]
pub fn well_formed(details: &[u8]) -> bool {
    details.is_empty() || serde_json::from_slice::<serde::de::IgnoredAny>(details).is_ok()
}

/// What a handler says that fails because it was asked to.
#[must_use]
pub fn as_asked() -> String {
    "as asked".to_owned()
}
