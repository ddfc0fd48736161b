use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use audit_core::adapter::{Beginning, Recording};
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::answer::note_head;
use crate::capture::Capture;
use crate::settings::Settings;
use crate::{AuditBody, OnRefused, Unavailable, Untouched};

pin_project! {
    /// Waits until the intent is recorded, then calls the inner service.
    ///
    /// Dropped before the intent is recorded, it withdraws it and the handler never runs; dropped
    /// afterwards, it records that the call was cancelled.
    pub struct ResponseFuture<S, ReqB, R = Unavailable, C = Untouched>
    where
        C: Capture<ReqB>,
        S: Service<Request<C::Body>>,
    {
        settings: Arc<Settings<R>>,
        #[pin]
        state: State<S, ReqB, S::Future, S::Response, S::Error>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, ReqB, F, A, E> {
        /// The intent is on its way; service and request wait for it.
        Begin {
            beginning: Beginning,
            waiting: Option<(S, Request<ReqB>)>,
        },
        /// The handler runs.
        Called {
            #[pin]
            future: F,
            recording: Option<Recording>,
        },
        /// The answer is its own end, and waits for its outcome.
        Ending {
            answer: Option<Result<A, E>>,
            recording: Recording,
        },
    }
}

impl<S, ReqB, R, C> ResponseFuture<S, ReqB, R, C>
where
    C: Capture<ReqB>,
    S: Service<Request<C::Body>>,
{
    pub(crate) fn new(settings: Arc<Settings<R>>, beginning: Beginning, service: S, request: Request<ReqB>) -> Self {
        let waiting = Some((service, request));
        Self { settings, state: State::Begin { beginning, waiting } }
    }
}

impl<S, ReqB, ResB, R, C> Future for ResponseFuture<S, ReqB, R, C>
where
    C: Capture<ReqB>,
    S: Service<Request<C::Body>, Response = Response<ResB>>,
    ResB: Body,
    R: OnRefused<ResB>,
{
    type Output = Result<Response<AuditBody<ResB>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Begin { beginning, waiting } => {
                    let begun = ready!(Pin::new(beginning).poll(cx));
                    let Some((mut service, mut request)) = waiting.take() else {
                        return Poll::Pending;
                    };
                    let mut recording = match begun {
                        Ok(recording) => recording,
                        Err(refused) => {
                            let (parts, _body) = request.into_parts();
                            return Poll::Ready(Ok(this.settings.on_refused.respond(&refused, &parts)));
                        }
                    };
                    request.extensions_mut().insert(recording.current().clone());
                    let request = C::request(&mut recording, request);
                    let future = recording.during(|| service.call(request));
                    let recording = Some(recording);
                    this.state.set(State::Called { future, recording });
                }
                StateProjection::Called { future, recording } => {
                    let Some(open) = recording.as_mut() else {
                        return Poll::Pending;
                    };
                    let answer = ready!(open.during(|| future.poll(cx)));
                    let Some(mut recording) = recording.take() else {
                        return Poll::Pending;
                    };
                    match answer {
                        Ok(response) if note_head(&mut recording, &response) => {
                            return Poll::Ready(Ok(response.map(|body| AuditBody::new(body, Some(recording)))));
                        }
                        Ok(_) => {}
                        Err(_) => recording.service_failed(None),
                    }
                    if !recording.is_ending() {
                        return Poll::Ready(answer.map(|response| response.map(AuditBody::unrecorded)));
                    }
                    this.state.set(State::Ending { answer: Some(answer), recording });
                }
                StateProjection::Ending { answer, recording } => {
                    ready!(recording.poll_ended(cx));
                    let Some(answer) = answer.take() else {
                        return Poll::Pending;
                    };
                    return Poll::Ready(answer.map(|response| response.map(AuditBody::unrecorded)));
                }
            }
        }
    }
}

impl<S, ReqB, R, C> fmt::Debug for ResponseFuture<S, ReqB, R, C>
where
    C: Capture<ReqB>,
    S: Service<Request<C::Body>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("settings", &self.settings).finish_non_exhaustive()
    }
}
