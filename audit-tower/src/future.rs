use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use audit_core::log::Begin;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::recording::{Call, Recording};
use crate::settings::Settings;
use crate::{AuditBody, OnRefused, Unavailable};

pin_project! {
    /// Waits until the intent is recorded, then calls the inner service.
    ///
    /// Dropped before the intent is recorded, it withdraws it and the handler never runs; dropped
    /// afterwards, it records that the call was cancelled.
    pub struct ResponseFuture<S, ReqB, R = Unavailable>
    where
        S: Service<Request<ReqB>>,
    {
        settings: Arc<Settings<R>>,
        call: Call,
        #[pin]
        state: State<S, ReqB, S::Future>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, ReqB, F> {
        /// The intent is on its way; service and request wait for it.
        Begin {
            begin: Begin,
            waiting: Option<(S, Request<ReqB>)>,
        },
        /// The handler runs.
        Called {
            #[pin]
            future: F,
            recording: Option<Recording>,
        },
    }
}

impl<S, ReqB, R> ResponseFuture<S, ReqB, R>
where
    S: Service<Request<ReqB>>,
{
    pub(crate) fn new(
        settings: Arc<Settings<R>>,
        call: Call,
        begin: Begin,
        service: S,
        request: Request<ReqB>,
    ) -> Self {
        let waiting = Some((service, request));
        Self { settings, call, state: State::Begin { begin, waiting } }
    }
}

impl<S, ReqB, ResB, R> Future for ResponseFuture<S, ReqB, R>
where
    S: Service<Request<ReqB>, Response = Response<ResB>>,
    ResB: Body,
    R: OnRefused<ResB>,
{
    type Output = Result<Response<AuditBody<ResB>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Begin { begin, waiting } => {
                    let begun = ready!(Pin::new(begin).poll(cx));
                    let Some((mut service, mut request)) = waiting.take() else {
                        return Poll::Pending;
                    };
                    let mut recording = match begun {
                        Ok(activity) => Recording::new(activity, *this.call),
                        Err(refused) => {
                            let (parts, _body) = request.into_parts();
                            return Poll::Ready(Ok(this.settings.on_refused.respond(&refused, &parts)));
                        }
                    };
                    request.extensions_mut().insert(recording.current().clone());
                    let future = recording.during(|| service.call(request));
                    let recording = Some(recording);
                    this.state.set(State::Called { future, recording });
                }
                StateProjection::Called { future, recording } => {
                    let Some(open) = recording.as_mut() else {
                        return Poll::Pending;
                    };
                    let answered = ready!(open.during(|| future.poll(cx)));
                    return Poll::Ready(match (answered, recording.take()) {
                        (Ok(response), recording) => {
                            let recording = recording.and_then(|open| open.head(&response));
                            Ok(response.map(|body| AuditBody::new(body, recording)))
                        }
                        (Err(error), recording) => {
                            recording.into_iter().for_each(Recording::service_failed);
                            Err(error)
                        }
                    });
                }
            }
        }
    }
}

impl<S, ReqB, R> fmt::Debug for ResponseFuture<S, ReqB, R>
where
    S: Service<Request<ReqB>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("call", &self.call).finish_non_exhaustive()
    }
}
