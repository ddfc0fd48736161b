use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::dev::{Extensions, ServiceRequest};
use actix_web::http::header::RETRY_AFTER;
use audit_core::Refused;
use audit_core::adapter;
use audit_core::record::Actor;

pub(crate) type CertificateHook = Arc<dyn for<'a> Fn(&'a ServiceRequest) -> Option<Cow<'a, [u8]>> + Send + Sync>;
pub(crate) type ActorHook = Arc<dyn Fn(&Extensions) -> Option<Actor> + Send + Sync>;
pub(crate) type RefusedHook = Arc<dyn Fn(&Refused, &ServiceRequest) -> HttpResponse + Send + Sync>;

/// What a middleware was told, shared by all workers.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) shared: adapter::Settings,
    pub(crate) peer_certificate: Option<CertificateHook>,
    pub(crate) actor_hooks: Vec<ActorHook>,
    pub(crate) on_refused: Option<RefusedHook>,
}

impl Settings {
    pub(crate) const fn new(shared: adapter::Settings) -> Self {
        Self { shared, peer_certificate: None, actor_hooks: Vec::new(), on_refused: None }
    }

    /// The answer to a refused call: `503 Service Unavailable` with `Retry-After` and no body.
    pub(crate) fn answer(&self, refused: &Refused, request: &ServiceRequest) -> HttpResponse {
        match &self.on_refused {
            Some(respond) => respond(refused, request),
            None => {
                let seconds = refused.retry_after().as_secs().max(1);
                HttpResponse::ServiceUnavailable().insert_header((RETRY_AFTER, seconds)).finish()
            }
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("shared", &self.shared).finish_non_exhaustive()
    }
}
