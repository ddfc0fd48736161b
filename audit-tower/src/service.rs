use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::capture::Capture;
use crate::future::ResponseFuture;
use crate::request;
use crate::settings::Settings;
use crate::{AuditBody, OnRefused, RequestHead, Unavailable, Untouched};

/// The service that [`AuditLayer`](crate::AuditLayer) makes around another.
///
/// `R` is there only after [`on_refused`](crate::AuditLayer::on_refused), `C` only after
/// [`capture_bodies`](crate::AuditLayer::capture_bodies).
pub struct AuditService<S, R = Unavailable, C = Untouched> {
    inner: S,
    settings: Arc<Settings<R>>,
    capture: PhantomData<fn() -> C>,
}

impl<S, R, C> AuditService<S, R, C> {
    pub(crate) const fn new(inner: S, settings: Arc<Settings<R>>) -> Self {
        Self { inner, settings, capture: PhantomData }
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

impl<S, ReqB, ResB, R, C> Service<Request<ReqB>> for AuditService<S, R, C>
where
    C: Capture<ReqB>,
    S: Service<Request<C::Body>, Response = Response<ResB>> + Clone,
    ResB: Body,
    R: OnRefused<ResB>,
{
    type Response = Response<AuditBody<ResB>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, ReqB, R, C>;

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

impl<S: Clone, R, C> Clone for AuditService<S, R, C> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), Arc::clone(&self.settings))
    }
}

impl<S: fmt::Debug, R, C> fmt::Debug for AuditService<S, R, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditService").field("inner", &self.inner).field("settings", &self.settings).finish()
    }
}
