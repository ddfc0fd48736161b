use audit_core::log::{Activity, CurrentActivity};
use audit_core::record::{Outcome, OutcomeResult};
use http::{HeaderMap, Method, Response, StatusCode, header};
use http_body::Body;

use crate::RequestHead;
use crate::dialect::Dialect;

/// What is known of a call when it starts and needed when it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    dialect: Dialect,
    /// No response to this method has a body (RFC 9110 §9.3.2).
    is_head: bool,
    /// A 2xx response to this method turns the connection into a tunnel (RFC 9110 §9.3.6).
    is_connect: bool,
    request_bytes: Option<u64>,
}

impl Call {
    pub(crate) fn new(dialect: Dialect, head: &RequestHead<'_>) -> Self {
        Self {
            dialect,
            is_head: head.method() == Method::HEAD,
            is_connect: head.method() == Method::CONNECT,
            request_bytes: content_length(head.headers()),
        }
    }
}

/// How much of a response has been handed on.
#[derive(Clone, Copy, Debug)]
struct Progress {
    status: StatusCode,
    /// None where the connection becomes something else and nobody counts.
    delivered: Option<u64>,
    /// The length that was announced: at so many bytes a server stops asking for more.
    announced: Option<u64>,
    code: Option<i32>,
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
    pub(crate) fn head<B: Body>(mut self, response: &Response<B>) -> Option<Self> {
        let status = response.status();
        let upgraded = status == StatusCode::SWITCHING_PROTOCOLS || (self.call.is_connect && status.is_success());
        let bodyless = self.call.is_head || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
        let size = response.body().size_hint().exact();
        self.progress = Some(Progress {
            status,
            delivered: (!upgraded).then_some(0),
            announced: size.or_else(|| content_length(response.headers())),
            code: self.call.dialect.code(response.headers()),
        });
        if upgraded || bodyless || response.body().is_end_stream() {
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

    /// Notes trailers: nothing follows them.
    pub(crate) fn trailers(mut self, trailers: &HeaderMap) {
        let code = self.call.dialect.code(trailers);
        if let Some(progress) = &mut self.progress {
            progress.code = code.or(progress.code);
        }
        self.end();
    }

    /// The response has ended in order.
    pub(crate) fn end(&mut self) {
        if let Some(progress) = self.progress {
            let outcome = self.call.dialect.outcome(progress.status, progress.code);
            self.write(outcome);
        }
    }

    /// The inner service answered with an error.
    pub(crate) fn service_failed(mut self) {
        self.write(Outcome::new(OutcomeResult::Error).error("the service returned an error"));
    }

    /// The response body broke.
    pub(crate) fn body_failed(mut self) {
        let outcome = self.cut_short(OutcomeResult::Error);
        self.write(outcome.error("the response body failed"));
    }

    fn cut_short(&self, result: OutcomeResult) -> Outcome<'static> {
        match self.progress {
            Some(progress) => self.call.dialect.cut_short(result, progress.status),
            None => Outcome::new(result),
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
        // Servers drop a body of known length after its last byte, without asking for the end.
        let complete = self.progress.is_some_and(|progress| {
            progress.code.is_some() || progress.announced.is_some_and(|announced| progress.delivered >= Some(announced))
        });
        if complete {
            self.end();
        } else {
            let outcome = self.cut_short(OutcomeResult::Cancelled);
            self.write(outcome);
        }
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
