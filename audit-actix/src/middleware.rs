use std::borrow::Cow;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::{Error, HttpResponse};
use audit_core::adapter::{self, Dialect};
use audit_core::identity::{Identify, TrustedProxies};
use audit_core::record::Actor;
use audit_core::redaction::AllowList;
use audit_core::{AuditLog, Refused};

use crate::settings::Settings;
use crate::{AuditBody, AuditMiddleware};

/// Records every call: wrap it around an `App`, a `Scope` or a `Resource`.
///
/// Cheap to clone. Open the log and make this outside the factory of `HttpServer::new`, and clone
/// it inside: Actix runs the factory once for each worker, and a log has one writer.
#[derive(Clone, Debug)]
pub struct Audit {
    settings: Arc<Settings>,
}

impl Audit {
    /// Records into `log`, bodies included where the policy asks for them, and names callers by
    /// [`DefaultIdentify`](audit_core::identity::DefaultIdentify).
    #[must_use]
    pub fn new(log: AuditLog) -> Self {
        let mut shared = adapter::Settings::new(log, Dialect::Http);
        shared.captures_bodies = true;
        Self { settings: Arc::new(Settings::new(shared)) }
    }

    /// Finds the caller in request metadata, where neither an [`Actor`] in the request's extensions
    /// nor [`actor_from_extension`](Self::actor_from_extension) tells.
    #[must_use]
    pub fn identify(self, identify: impl Identify) -> Self {
        self.with(|settings| settings.shared.identify = Arc::new(identify))
    }

    /// Turns what the host's own authentication left in the request's extensions into the caller.
    ///
    /// That middleware has to be outside of this one: wrapped later. The actor is as verified as
    /// the closure says. May be called for several types; the first that is there counts.
    #[must_use]
    pub fn actor_from_extension<T: 'static>(self, actor: impl Fn(&T) -> Actor + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.actor_hooks.push(Arc::new(move |extensions| extensions.get().map(&actor))))
    }

    /// Tells the certificate (DER) that the client showed in the TLS handshake and the handshake
    /// verified, so that identity sources can read it
    /// ([`Metadata::peer_certificate`](audit_core::identity::Metadata::peer_certificate)).
    ///
    /// It has to come from the connection, never from a header: `HttpServer::on_connect` puts it
    /// into the connection's data, from where `ServiceRequest::conn_data` takes it. Called only by
    /// sources that ask, while the request's extensions are borrowed: a hook that writes to them, as
    /// `connection_info` does, panics.
    #[must_use]
    pub fn peer_certificate<F>(self, hook: F) -> Self
    where
        F: for<'a> Fn(&'a ServiceRequest) -> Option<Cow<'a, [u8]>> + Send + Sync + 'static,
    {
        self.with(|settings| settings.peer_certificate = Some(Arc::new(hook)))
    }

    /// Believes `X-Forwarded-For` from these proxies. Without it, the source of a call is the other
    /// end of its connection.
    #[must_use]
    pub fn trusted_proxies(self, proxies: TrustedProxies) -> Self {
        self.with(|settings| settings.shared.trusted_proxies = proxies)
    }

    /// Records these headers and query parameters. Without it, none.
    #[must_use]
    pub fn allow_list(self, allow_list: AllowList) -> Self {
        self.with(|settings| settings.shared.allow_list = allow_list)
    }

    /// Answers calls that the log refuses, instead of `503` with `Retry-After`.
    ///
    /// The handler of such a call never runs; its payload is dropped unread.
    #[must_use]
    pub fn on_refused<F>(self, respond: F) -> Self
    where
        F: Fn(&Refused, &ServiceRequest) -> HttpResponse + Send + Sync + 'static,
    {
        self.with(|settings| settings.on_refused = Some(Arc::new(respond)))
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }
}

impl<S, B> Transform<S, ServiceRequest> for Audit
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<AuditBody<B>>;
    type Error = Error;
    type Transform = AuditMiddleware<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(AuditMiddleware::new(Rc::new(service), Arc::clone(&self.settings))))
    }
}
