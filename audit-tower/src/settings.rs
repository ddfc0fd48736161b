use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use audit_core::identity::{Identify, TrustedProxies};
use audit_core::log::AuditLog;
use audit_core::record::Actor;
use audit_core::redaction::AllowList;
use http::{Extensions, Uri};

use crate::RequestHead;
use crate::dialect::Dialect;

pub(crate) type RouteHook = Arc<dyn for<'a> Fn(&RequestHead<'a>) -> Option<Cow<'a, str>> + Send + Sync>;
pub(crate) type PeerHook = Arc<dyn Fn(&RequestHead<'_>) -> Option<SocketAddr> + Send + Sync>;
pub(crate) type ActorHook = Arc<dyn Fn(&Extensions) -> Option<Actor> + Send + Sync>;
pub(crate) type OriginalUri = fn(&Extensions) -> Option<&Uri>;

/// What a layer was told, shared by all services it makes.
#[derive(Clone)]
pub(crate) struct Settings<R> {
    pub(crate) log: AuditLog,
    pub(crate) dialect: Dialect,
    pub(crate) route: Option<RouteHook>,
    pub(crate) peer: Option<PeerHook>,
    pub(crate) original_uri: Option<OriginalUri>,
    pub(crate) actor_hooks: Vec<ActorHook>,
    pub(crate) identify: Arc<dyn Identify>,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) allow_list: AllowList,
    pub(crate) on_refused: R,
}

impl<R> Settings<R> {
    /// The same settings with another answer to a refused call.
    pub(crate) fn with_on_refused<F>(self, on_refused: F) -> Settings<F> {
        Settings {
            log: self.log,
            dialect: self.dialect,
            route: self.route,
            peer: self.peer,
            original_uri: self.original_uri,
            actor_hooks: self.actor_hooks,
            identify: self.identify,
            trusted_proxies: self.trusted_proxies,
            allow_list: self.allow_list,
            on_refused,
        }
    }
}

impl<R> fmt::Debug for Settings<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("dialect", &self.dialect).finish_non_exhaustive()
    }
}
