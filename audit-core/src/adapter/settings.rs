use std::fmt;
use std::sync::Arc;

use super::call::Call;
use super::describe::begin;
use super::{Beginning, Dialect, Request};
use crate::identity::{DefaultIdentify, Identify, TrustedProxies};
use crate::log::AuditLog;
use crate::redaction::AllowList;

/// What every adapter is told, whatever its framework.
#[derive(Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Where calls are recorded.
    pub log: AuditLog,
    /// How calls are named and how their end is read.
    pub dialect: Dialect,
    /// Finds the caller where the host's own authentication does not tell: [`DefaultIdentify`].
    pub identify: Arc<dyn Identify>,
    /// Whose `X-Forwarded-For` is believed: nobody's.
    pub trusted_proxies: TrustedProxies,
    /// Which headers and query parameters are recorded: none.
    pub allow_list: AllowList,
    /// Whether the adapter shows the bodies that a rule asks for: not until it says so. A call
    /// under such a rule is refused otherwise, or goes on and its outcome says that they are missing.
    pub captures_bodies: bool,
}

impl Settings {
    /// The defaults, for calls recorded in `log`.
    #[must_use]
    pub fn new(log: AuditLog, dialect: Dialect) -> Self {
        Self {
            log,
            dialect,
            identify: Arc::new(DefaultIdentify),
            trusted_proxies: TrustedProxies::default(),
            allow_list: AllowList::default(),
            captures_bodies: false,
        }
    }

    /// Encodes the intent of a request and starts to record it. Never blocks.
    pub fn begin<R: Request>(&self, request: &R) -> Beginning {
        let capture = self.log.body_capture().filter(|_| self.captures_bodies);
        Beginning::new(begin(self, request), Call::of(self.dialect, request), capture.cloned())
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("dialect", &self.dialect).finish_non_exhaustive()
    }
}
