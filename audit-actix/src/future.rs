use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::RETRY_AFTER;
use actix_web::{Error, HttpMessage, HttpResponse};
use audit_core::Refused;
use audit_core::log::Begin;
use pin_project_lite::pin_project;

use crate::AuditBody;
use crate::recording::{Call, Recording};

pin_project! {
    /// Waits until the intent is recorded, then calls the inner service.
    ///
    /// Dropped before the intent is recorded, it withdraws it and the handler never runs; dropped
    /// afterwards, it records that the call was cancelled.
    pub struct AuditResponse<S>
    where
        S: Service<ServiceRequest>,
    {
        call: Call,
        #[pin]
        state: State<S, S::Future>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F> {
        /// The intent is on its way; service and request wait for it.
        Begin {
            begin: Begin,
            waiting: Option<(Rc<S>, ServiceRequest)>,
        },
        /// The handler runs.
        Called {
            #[pin]
            future: F,
            recording: Option<Recording>,
        },
    }
}

impl<S: Service<ServiceRequest>> AuditResponse<S> {
    pub(crate) fn new(call: Call, begin: Begin, service: Rc<S>, request: ServiceRequest) -> Self {
        let waiting = Some((service, request));
        Self { call, state: State::Begin { begin, waiting } }
    }
}

impl<S, B> Future for AuditResponse<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<AuditBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Begin { begin, waiting } => {
                    let begun = ready!(Pin::new(begin).poll(cx));
                    let Some((service, request)) = waiting.take() else {
                        return Poll::Pending;
                    };
                    let mut recording = match begun {
                        Ok(activity) => Recording::new(activity, *this.call),
                        Err(refused) => return Poll::Ready(Ok(unavailable(request, &refused))),
                    };
                    let current = recording.current().clone();
                    request.extensions_mut().insert(current);
                    let future = recording.during(|| service.call(request));
                    let recording = Some(recording);
                    this.state.set(State::Called { future, recording });
                }
                StateProjection::Called { future, recording } => {
                    let Some(open) = recording.as_mut() else {
                        return Poll::Pending;
                    };
                    let answered = ready!(open.during(|| future.poll(cx)));
                    let recording = recording.take();
                    return Poll::Ready(match answered {
                        Ok(response) => {
                            let recording = recording.and_then(|open| open.head(&response));
                            Ok(response.map_body(|_, body| AuditBody::new(body, recording)))
                        }
                        Err(error) => {
                            if let Some(recording) = recording {
                                recording.service_failed(&error);
                            }
                            Err(error)
                        }
                    });
                }
            }
        }
    }
}

/// `503 Service Unavailable` with `Retry-After` and no body.
fn unavailable<B>(request: ServiceRequest, refused: &Refused) -> ServiceResponse<AuditBody<B>> {
    let seconds = refused.retry_after().as_secs().max(1);
    let response = HttpResponse::ServiceUnavailable()
        .insert_header((RETRY_AFTER, seconds))
        .finish()
        .map_body(|_, _| AuditBody::empty());
    request.into_response(response)
}

impl<S: Service<ServiceRequest>> fmt::Debug for AuditResponse<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditResponse").field("call", &self.call).finish_non_exhaustive()
    }
}
