use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, forward_ready};

use crate::AuditBody;
use crate::future::AuditResponse;
use crate::request::Request;
use crate::settings::Settings;

/// The service that [`Audit`](crate::Audit) makes around another.
pub struct AuditMiddleware<S> {
    // Shared with calls, because they call it only once their intent is recorded.
    service: Rc<S>,
    settings: Arc<Settings>,
}

impl<S> AuditMiddleware<S> {
    pub(crate) const fn new(service: Rc<S>, settings: Arc<Settings>) -> Self {
        Self { service, settings }
    }
}

impl<S, B> Service<ServiceRequest> for AuditMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<AuditBody<B>>;
    type Error = Error;
    type Future = AuditResponse<S, B>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let beginning = self.settings.shared.begin(&Request::new(&self.settings, &request));
        AuditResponse::new(Arc::clone(&self.settings), beginning, Rc::clone(&self.service), request)
    }
}

impl<S> fmt::Debug for AuditMiddleware<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditMiddleware").field("settings", &self.settings).finish_non_exhaustive()
    }
}
