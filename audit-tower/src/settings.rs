use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use audit_core::adapter;
use audit_core::record::Actor;
use http::{Extensions, Uri};

use crate::RequestHead;

pub(crate) type RouteHook = Arc<dyn for<'a> Fn(&RequestHead<'a>) -> Option<Cow<'a, str>> + Send + Sync>;
pub(crate) type PeerHook = Arc<dyn Fn(&RequestHead<'_>) -> Option<SocketAddr> + Send + Sync>;
pub(crate) type CertificateHook = Arc<dyn for<'a> Fn(&RequestHead<'a>) -> Option<Cow<'a, [u8]>> + Send + Sync>;
pub(crate) type ActorHook = Arc<dyn Fn(&Extensions) -> Option<Actor> + Send + Sync>;
pub(crate) type OriginalUri = fn(&Extensions) -> Option<&Uri>;

/// What a layer was told, shared by all services it makes.
#[derive(Clone)]
pub(crate) struct Settings<R> {
    pub(crate) shared: adapter::Settings,
    pub(crate) route: Option<RouteHook>,
    pub(crate) peer: Option<PeerHook>,
    pub(crate) peer_certificate: Option<CertificateHook>,
    pub(crate) original_uri: Option<OriginalUri>,
    pub(crate) actor_hooks: Vec<ActorHook>,
    pub(crate) on_refused: R,
}

impl<R> Settings<R> {
    pub(crate) const fn new(shared: adapter::Settings, on_refused: R) -> Self {
        Self {
            shared,
            route: None,
            peer: None,
            peer_certificate: None,
            original_uri: None,
            actor_hooks: Vec::new(),
            on_refused,
        }
    }

    /// The same settings with another answer to a refused call.
    pub(crate) fn with_on_refused<F>(self, on_refused: F) -> Settings<F> {
        Settings {
            shared: self.shared,
            route: self.route,
            peer: self.peer,
            peer_certificate: self.peer_certificate,
            original_uri: self.original_uri,
            actor_hooks: self.actor_hooks,
            on_refused,
        }
    }
}

impl<R> fmt::Debug for Settings<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("shared", &self.shared).finish_non_exhaustive()
    }
}
