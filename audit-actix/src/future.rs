use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpMessage};
use audit_core::adapter::{Beginning, Recording};
use pin_project_lite::pin_project;

use crate::AuditBody;
use crate::answer::note_head;
use crate::payload;
use crate::settings::Settings;

pin_project! {
    /// Waits until the intent is recorded, then calls the inner service.
    ///
    /// Dropped before the intent is recorded, it withdraws it and the handler never runs; dropped
    /// afterwards, it records that the call was cancelled.
    pub struct AuditResponse<S, B>
    where
        S: Service<ServiceRequest>,
    {
        settings: Arc<Settings>,
        #[pin]
        state: State<S, S::Future, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F, B> {
        /// The intent is on its way; service and request wait for it.
        Begin {
            beginning: Beginning,
            waiting: Option<(Rc<S>, ServiceRequest)>,
        },
        /// The handler runs.
        Called {
            #[pin]
            future: F,
            recording: Option<Recording>,
        },
        /// The answer is its own end, and waits for its outcome.
        Ending {
            answer: Option<Result<ServiceResponse<B>, Error>>,
            recording: Recording,
        },
    }
}

impl<S: Service<ServiceRequest>, B> AuditResponse<S, B> {
    pub(crate) fn new(settings: Arc<Settings>, beginning: Beginning, service: Rc<S>, request: ServiceRequest) -> Self {
        let waiting = Some((service, request));
        Self { settings, state: State::Begin { beginning, waiting } }
    }
}

impl<S, B> Future for AuditResponse<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<AuditBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Begin { beginning, waiting } => {
                    let begun = ready!(Pin::new(beginning).poll(cx));
                    let Some((service, mut request)) = waiting.take() else {
                        return Poll::Pending;
                    };
                    let mut recording = match begun {
                        Ok(recording) => recording,
                        Err(refused) => {
                            let answer =
                                this.settings.answer(&refused, &request).map_body(|_, body| AuditBody::refusal(body));
                            return Poll::Ready(Ok(request.into_response(answer)));
                        }
                    };
                    payload::watch(&mut recording, &mut request);
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
                    let answer = ready!(open.during(|| future.poll(cx)));
                    let Some(mut recording) = recording.take() else {
                        return Poll::Pending;
                    };
                    match answer {
                        Ok(response) if note_head(&mut recording, &response) => {
                            return Poll::Ready(Ok(response.map_body(|_, body| AuditBody::new(body, recording))));
                        }
                        Ok(_) => {}
                        // Actix turns it into a response further out.
                        Err(ref error) => {
                            recording.service_failed(Some(error.as_response_error().status_code().as_u16()));
                        }
                    }
                    if !recording.is_ending() {
                        return Poll::Ready(answer.map(unrecorded));
                    }
                    this.state.set(State::Ending { answer: Some(answer), recording });
                }
                StateProjection::Ending { answer, recording } => {
                    ready!(recording.poll_ended(cx));
                    let Some(answer) = answer.take() else {
                        return Poll::Pending;
                    };
                    return Poll::Ready(answer.map(unrecorded));
                }
            }
        }
    }
}

/// A response whose call has ended with its head.
fn unrecorded<B: MessageBody>(response: ServiceResponse<B>) -> ServiceResponse<AuditBody<B>> {
    response.map_body(|_, body| AuditBody::unrecorded(body))
}

impl<S: Service<ServiceRequest>, B> fmt::Debug for AuditResponse<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditResponse").field("settings", &self.settings).finish_non_exhaustive()
    }
}
