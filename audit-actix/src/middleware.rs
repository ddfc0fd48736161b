use std::fmt;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use audit_core::AuditLog;
use audit_core::identity::{DefaultIdentify, Identify, TrustedProxies};
use audit_core::redaction::AllowList;

use crate::{AuditBody, AuditMiddleware};

/// Records every call: wrap it around an `App`, a `Scope` or a `Resource`.
///
/// Cheap to clone; make one outside the factory of `HttpServer::new` and clone it inside.
#[derive(Clone)]
pub struct Audit {
    pub(crate) settings: Arc<Settings>,
}

/// What a middleware was told, shared by all workers.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) log: AuditLog,
    pub(crate) identify: Arc<dyn Identify>,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) allow_list: AllowList,
}

impl Audit {
    /// Records into `log`, and names callers by [`DefaultIdentify`].
    #[must_use]
    pub fn new(log: AuditLog) -> Self {
        Self {
            settings: Arc::new(Settings {
                log,
                identify: Arc::new(DefaultIdentify),
                trusted_proxies: TrustedProxies::default(),
                allow_list: AllowList::default(),
            }),
        }
    }

    /// Finds the caller in request metadata, where the request's extensions hold no
    /// [`Actor`](audit_core::Actor).
    #[must_use]
    pub fn identify(self, identify: impl Identify) -> Self {
        self.with(|settings| settings.identify = Arc::new(identify))
    }

    /// Believes `X-Forwarded-For` from these proxies. Without it, the source of a call is the other
    /// end of its connection.
    #[must_use]
    pub fn trusted_proxies(self, proxies: TrustedProxies) -> Self {
        self.with(|settings| settings.trusted_proxies = proxies)
    }

    /// Records these headers and query parameters. Without it, none.
    #[must_use]
    pub fn allow_list(self, allow_list: AllowList) -> Self {
        self.with(|settings| settings.allow_list = allow_list)
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit").finish_non_exhaustive()
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
        ready(Ok(AuditMiddleware { service: Rc::new(service), settings: Arc::clone(&self.settings) }))
    }
}
