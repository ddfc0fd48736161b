use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::future::ResponseFuture;
use crate::request;
use crate::settings::Settings;
use crate::{AuditBody, OnRefused, RequestHead, Unavailable};

/// The service that [`AuditLayer`](crate::AuditLayer) makes around another.
pub struct AuditService<S, R = Unavailable> {
    inner: S,
    settings: Arc<Settings<R>>,
}

impl<S, R> AuditService<S, R> {
    pub(crate) const fn new(inner: S, settings: Arc<Settings<R>>) -> Self {
        Self { inner, settings }
    }

    /// The service inside.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service inside.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The service inside.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, ReqB, ResB, R> Service<Request<ReqB>> for AuditService<S, R>
where
    S: Service<Request<ReqB>, Response = Response<ResB>> + Clone,
    ResB: Body,
    R: OnRefused<ResB>,
{
    type Response = Response<AuditBody<ResB>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, ReqB, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqB>) -> Self::Future {
        let head = RequestHead::of(&request);
        let beginning = self.settings.shared.begin(&request::Request::new(&self.settings, &head));
        // The service that was polled ready goes with the call; a clone may not be ready.
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        ResponseFuture::new(Arc::clone(&self.settings), beginning, ready, request)
    }
}

impl<S: Clone, R> Clone for AuditService<S, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), settings: Arc::clone(&self.settings) }
    }
}

impl<S: fmt::Debug, R> fmt::Debug for AuditService<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditService").field("inner", &self.inner).field("settings", &self.settings).finish()
    }
}
