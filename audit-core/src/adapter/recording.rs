use std::pin::Pin;
use std::task::{Context, Poll};

use super::bodies::Bodies;
use super::call::Call;
use super::{Dialect, Head, RequestBody, content_length, grpc};
use crate::log::{Activity, CurrentActivity, Finish};
use crate::policy::Level;
use crate::record::{Outcome, OutcomeResult};

/// What an outcome says under a rule that asks for bodies, where it has none.
pub(super) const NOT_CAPTURED: &str = "the rule asks for bodies, and none were captured";
/// The same of the response alone.
const NOT_SEEN: &str = "the response is made of the error further out, and its body was not seen";

/// What it says where a later actor brought a rule that asks for more than was captured.
const TOO_LATE: &str = "the rule asks for bodies that had passed when its actor was established";

/// A call from the first poll of its handler to its one outcome.
///
/// Dropped before its end, it writes the outcome itself: `panicked` when the drop is part of an
/// unwinding out of [`during`](Self::during) or follows one, the ordinary end when everything that
/// was announced has been delivered, and `cancelled` otherwise.
#[derive(Debug)]
pub struct Recording {
    stage: Stage,
    current: CurrentActivity,
    call: Call,
    progress: Option<Progress>,
    /// Only under a rule that asks for bodies, in an adapter that shows them.
    bodies: Option<Box<Bodies>>,
    /// True during each poll, so that only unwinding out of one leaves it true.
    in_poll: bool,
}

#[derive(Debug)]
enum Stage {
    Open(Activity),
    /// The outcome is on its way and the rule asks to await it.
    Ending(Finish),
    Ended,
}

/// How much of a response has been handed on.
#[derive(Clone, Copy, Debug)]
struct Progress {
    status: u16,
    /// None where the connection becomes something else and nobody counts.
    delivered: Option<u64>,
    /// The length that was announced: at so many bytes a server stops asking for more.
    announced: Option<u64>,
    code: Option<i32>,
}

impl Recording {
    #[inline]
    pub(super) fn new(activity: Activity, call: Call, bodies: Option<Box<Bodies>>) -> Self {
        let current = activity.current();
        Self { stage: Stage::Open(activity), current, call, progress: None, bodies, in_poll: false }
    }

    /// The handle for handlers. One is there also in a call that the policy excludes.
    #[must_use]
    #[inline]
    pub const fn current(&self) -> &CurrentActivity {
        &self.current
    }

    /// Whether the rule asks to hold the end of the answer back until the outcome is durable.
    #[must_use]
    #[inline]
    pub fn awaits_outcome(&self) -> bool {
        match &self.stage {
            Stage::Open(activity) => activity.awaits_outcome(),
            Stage::Ending(_) => true,
            Stage::Ended => false,
        }
    }

    /// Polls what is recorded, as the thread's current activity. A panic passes through, and is
    /// what a drop from then on records.
    pub fn during<T>(&mut self, poll: impl FnOnce() -> T) -> T {
        let entered = self.current.enter();
        self.in_poll = true;
        let polled = poll();
        self.in_poll = false;
        drop(entered);
        polled
    }

    /// Starts to watch the request body, where the rule asks for it; `None` where it does not.
    ///
    /// `header` gives the first value of a header of the request, asked for by its name in lower
    /// case. A body that is known to be empty should be told so with [`RequestBody::end`].
    pub fn request_body<'h>(&mut self, header: impl Fn(&str) -> Option<&'h [u8]>) -> Option<RequestBody> {
        let announced = self.call.request_bytes;
        Some(self.bodies.as_mut()?.watch_request(announced, header))
    }

    /// Notes the head of the response, `header` giving the first value of one of its headers by its
    /// name in lower case. Says whether a body is still to come; otherwise the call has ended.
    pub fn head<'h>(&mut self, head: Head, header: impl Fn(&str) -> Option<&'h [u8]>) -> bool {
        let Head { status, length, is_end } = head;
        let upgraded = status == 101 || (self.call.is_connect && (200..300).contains(&status));
        let bodyless = self.call.is_head || matches!(status, 204 | 304);
        self.progress = Some(Progress {
            status,
            delivered: (!upgraded).then_some(0),
            announced: length.or_else(|| header("content-length").and_then(content_length)),
            code: match self.call.dialect {
                Dialect::Http => None,
                Dialect::Grpc => header("grpc-status").map(grpc::code),
            },
        });
        let tightened = match &self.stage {
            Stage::Open(activity) => activity.tightened_rule(),
            _ => None,
        };
        if let Some(bodies) = &mut self.bodies
            && !upgraded
        {
            if let Some(rule) = tightened {
                bodies.tighten(rule.level());
            }
            bodies.watch_response(header);
        }
        let ends = upgraded || bodyless || is_end;
        if ends {
            self.end();
        }
        !ends
    }

    /// Notes body bytes that are handed on.
    #[inline]
    pub fn delivered(&mut self, chunk: &[u8]) {
        self.count(chunk.len());
        if let Some(bodies) = &mut self.bodies {
            bodies.delivered(chunk);
        }
    }

    /// Counts body bytes that are handed on and cannot be looked at. Where the rule asks for the
    /// response body, its digest stops before them.
    pub fn delivered_unseen(&mut self, bytes: usize) {
        self.count(bytes);
        if let Some(bodies) = &mut self.bodies {
            bodies.delivered_unseen();
        }
    }

    #[inline]
    fn count(&mut self, bytes: usize) {
        let delivered = self.progress.as_mut().and_then(|progress| progress.delivered.as_mut());
        if let Some(delivered) = delivered {
            *delivered = delivered.saturating_add(bytes as u64);
        }
    }

    /// Whether a server that has all of this may never ask for more: everything that was announced
    /// has been delivered, or gRPC's status has come.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.progress.is_some_and(|progress| match self.call.dialect {
            Dialect::Http => progress.announced.is_some_and(|announced| progress.delivered >= Some(announced)),
            Dialect::Grpc => progress.code.is_some(),
        })
    }

    /// Whether more was announced than has been delivered.
    #[must_use]
    pub fn expects_more(&self) -> bool {
        self.progress.is_some_and(|progress| progress.delivered < progress.announced)
    }

    /// Whether an outcome is on its way that the rule asks to await.
    #[must_use]
    #[inline]
    pub const fn is_ending(&self) -> bool {
        matches!(self.stage, Stage::Ending(_))
    }

    /// Notes trailers, `trailer` giving the first value of one by its name in lower case: nothing
    /// follows them. The call has ended.
    pub fn trailers<'h>(&mut self, trailer: impl Fn(&str) -> Option<&'h [u8]>) {
        if let Some(progress) = &mut self.progress
            && self.call.dialect == Dialect::Grpc
        {
            progress.code = trailer("grpc-status").map(grpc::code).or(progress.code);
        }
        self.end();
    }

    /// The response has ended in order. Does nothing the second time.
    #[inline]
    pub fn end(&mut self) {
        if let Some(progress) = self.progress {
            self.write(self.call.dialect.outcome(progress.status, progress.code), true);
        }
    }

    /// The handler's service failed instead of answering; `status` is what the framework will make
    /// of the error, where that is known.
    pub fn service_failed(&mut self, status: Option<u16>) {
        let mut outcome = match status {
            Some(status) => Outcome::http(status),
            None => Outcome::new(OutcomeResult::Error).error("the service returned an error"),
        };
        if self.bodies.as_ref().is_some_and(|bodies| bodies.level() == Level::RequestResponse) {
            outcome = not_captured(outcome, NOT_SEEN);
        }
        self.write(outcome, false);
    }

    /// The response body broke.
    pub fn body_failed(&mut self) {
        let outcome = match self.call.dialect {
            Dialect::Http => self.cut_short(OutcomeResult::Error),
            // What a stream that is reset means to its caller (gRPC over HTTP/2, "Errors").
            Dialect::Grpc => Outcome::grpc(grpc::INTERNAL),
        };
        self.write(outcome.error("the response body failed"), false);
    }

    /// Ready when what is left of the answer may go out: at once, unless the rule asks to await the
    /// outcome; then when that is as durable as the rule asks, or at the rule's deadline.
    pub fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Stage::Ending(finish) = &mut self.stage {
            // An outcome that is late lands all the same, and the log counts one that is lost.
            let _ = std::task::ready!(Pin::new(finish).poll(cx));
            self.stage = Stage::Ended;
        }
        Poll::Ready(())
    }

    fn cut_short(&self, result: OutcomeResult) -> Outcome<'static> {
        let outcome = Outcome::new(result);
        match (self.call.dialect, self.progress) {
            (Dialect::Http, Some(progress)) => outcome.status(progress.status),
            _ => outcome,
        }
    }

    #[inline]
    fn write(&mut self, mut outcome: Outcome<'_>, response_ended: bool) {
        if !matches!(self.stage, Stage::Open(_)) {
            return;
        }
        let Stage::Open(activity) = std::mem::replace(&mut self.stage, Stage::Ended) else {
            return;
        };
        if let Some(bytes) = self.call.request_bytes {
            outcome = outcome.request_bytes(bytes);
        }
        if let Some(bytes) = self.progress.and_then(|progress| progress.delivered) {
            outcome = outcome.response_bytes(bytes);
        }
        let tightened = activity.tightened_rule().map_or(Level::None, |rule| rule.level());
        let captured = self.bodies.as_ref().map_or(Level::Metadata, |bodies| bodies.level());
        if let Some(bodies) = self.bodies.take() {
            outcome = bodies.add_to(outcome, response_ended);
        } else if activity.rule().is_some_and(|rule| rule.level().needs_body_capture()) {
            outcome = not_captured(outcome, NOT_CAPTURED);
        }
        if tightened > captured {
            outcome = not_captured(outcome, TOO_LATE);
        }
        if activity.awaits_outcome() {
            self.stage = Stage::Ending(activity.finish_durably(outcome));
        } else {
            activity.finish(outcome);
        }
    }
}

/// The outcome of a call whose rule asks for bodies that nobody showed.
fn not_captured<'a>(outcome: Outcome<'a>, why: &'static str) -> Outcome<'a> {
    let error = match &outcome.error {
        Some(error) => format!("{error}; {why}").into(),
        None => why.into(),
    };
    Outcome { error: Some(error), ..outcome }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if !matches!(self.stage, Stage::Open(_)) {
            return;
        }
        if self.in_poll {
            self.write(self.cut_short(OutcomeResult::Panicked), false);
        } else if self.is_complete() {
            // Servers drop a body of known length after its last byte, without asking for the end.
            self.end();
        } else {
            let outcome = match self.call.dialect {
                Dialect::Http => self.cut_short(OutcomeResult::Cancelled),
                Dialect::Grpc => Outcome::grpc(self.call.given_up()),
            };
            self.write(outcome, false);
        }
    }
}
