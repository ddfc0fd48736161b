use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, forward_ready};

use crate::AuditBody;
use crate::describe::begin;
use crate::future::AuditResponse;
use crate::middleware::Settings;
use crate::recording::Call;

/// The service that [`Audit`](crate::Audit) makes around another.
pub struct AuditMiddleware<S> {
    // Shared with calls, because they call it only once their intent is recorded.
    pub(crate) service: Rc<S>,
    pub(crate) settings: Arc<Settings>,
}

impl<S, B> Service<ServiceRequest> for AuditMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<AuditBody<B>>;
    type Error = Error;
    type Future = AuditResponse<S>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let begin = begin(&self.settings, &request);
        let call = Call::new(&request);
        AuditResponse::new(call, begin, Rc::clone(&self.service), request)
    }
}

impl<S> fmt::Debug for AuditMiddleware<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditMiddleware").finish_non_exhaustive()
    }
}
