use actix_web::Error;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode, header};
use audit_core::log::{Activity, CurrentActivity};
use audit_core::record::{Outcome, OutcomeResult};

/// What is known of a call when it starts and needed when it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// No response to this method has a body (RFC 9110 §9.3.2).
    is_head: bool,
    /// A 2xx response to this method turns the connection into a tunnel (RFC 9110 §9.3.6).
    is_connect: bool,
    request_bytes: Option<u64>,
}

impl Call {
    pub(crate) fn new(request: &ServiceRequest) -> Self {
        let length = request.headers().get(header::CONTENT_LENGTH);
        Self {
            is_head: request.method() == Method::HEAD,
            is_connect: request.method() == Method::CONNECT,
            request_bytes: length.and_then(|length| length.to_str().ok()?.parse().ok()),
        }
    }
}

/// How much of a response has been handed on.
#[derive(Clone, Copy, Debug)]
struct Progress {
    status: StatusCode,
    /// None where the connection becomes something else and nobody counts.
    delivered: Option<u64>,
    announced: Option<u64>,
}

/// An activity from its first poll to its one outcome. Dropped before the end, it says so.
#[derive(Debug)]
pub(crate) struct Recording {
    activity: Option<Activity>,
    current: CurrentActivity,
    call: Call,
    progress: Option<Progress>,
    /// True during each poll, so that only unwinding out of one leaves it true.
    in_poll: bool,
}

impl Recording {
    pub(crate) fn new(activity: Activity, call: Call) -> Self {
        let current = activity.current();
        Self { activity: Some(activity), current, call, progress: None, in_poll: false }
    }

    /// The handle for handlers.
    pub(crate) fn current(&self) -> &CurrentActivity {
        &self.current
    }

    /// Polls what is recorded, as the thread's current activity.
    pub(crate) fn during<T>(&mut self, poll: impl FnOnce() -> T) -> T {
        let entered = self.current.enter();
        self.in_poll = true;
        let polled = poll();
        self.in_poll = false;
        drop(entered);
        polled
    }

    /// Notes the head of the response. Gives itself back when a body is still to come.
    pub(crate) fn head<B: MessageBody>(mut self, response: &ServiceResponse<B>) -> Option<Self> {
        let status = response.status();
        let upgraded = status == StatusCode::SWITCHING_PROTOCOLS || (self.call.is_connect && status.is_success());
        let bodyless = self.call.is_head || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
        let size = response.response().body().size();
        self.progress = Some(Progress {
            status,
            delivered: (!upgraded).then_some(0),
            announced: match size {
                BodySize::None => Some(0),
                BodySize::Sized(size) => Some(size),
                BodySize::Stream => None,
            },
        });
        if upgraded || bodyless || size.is_eof() {
            self.end();
            return None;
        }
        Some(self)
    }

    /// Counts bytes that were handed on.
    pub(crate) fn delivered(&mut self, bytes: usize) {
        let delivered = self.progress.as_mut().and_then(|progress| progress.delivered.as_mut());
        if let Some(delivered) = delivered {
            *delivered = delivered.saturating_add(bytes as u64);
        }
    }

    /// The response has ended in order.
    pub(crate) fn end(&mut self) {
        if let Some(progress) = self.progress {
            self.write(Outcome::http(progress.status.as_u16()));
        }
    }

    /// The inner service answered with an error, which Actix turns into a response further out.
    pub(crate) fn service_failed(mut self, error: &Error) {
        let status = error.as_response_error().status_code();
        self.write(Outcome::http(status.as_u16()));
    }

    /// The response body broke.
    pub(crate) fn body_failed(mut self) {
        let outcome = self.cut_short(OutcomeResult::Error);
        self.write(outcome.error("the response body failed"));
    }

    fn cut_short(&self, result: OutcomeResult) -> Outcome<'static> {
        let outcome = Outcome::new(result);
        match self.progress {
            Some(progress) => outcome.status(progress.status.as_u16()),
            None => outcome,
        }
    }

    fn write(&mut self, mut outcome: Outcome<'_>) {
        let Some(activity) = self.activity.take() else {
            return;
        };
        if let Some(bytes) = self.call.request_bytes {
            outcome = outcome.request_bytes(bytes);
        }
        if let Some(bytes) = self.progress.and_then(|progress| progress.delivered) {
            outcome = outcome.response_bytes(bytes);
        }
        activity.finish(outcome);
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if self.activity.is_none() {
            return;
        }
        if self.in_poll {
            let outcome = self.cut_short(OutcomeResult::Panicked);
            return self.write(outcome);
        }
        // A server need not ask a body of known length for its end.
        let complete = self.progress.is_some_and(|progress| {
            let announced = progress.announced;
            announced.is_some() && progress.delivered >= announced
        });
        if complete {
            self.end();
        } else {
            let outcome = self.cut_short(OutcomeResult::Cancelled);
            self.write(outcome);
        }
    }
}
