use std::pin::Pin;
use std::task::{Context, Poll};

use super::call::Call;
use super::{Dialect, Head, grpc};
use crate::log::{Activity, CurrentActivity, Finish};
use crate::record::{Outcome, OutcomeResult};

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
    pub(super) fn new(activity: Activity, call: Call) -> Self {
        let current = activity.current();
        Self { stage: Stage::Open(activity), current, call, progress: None, in_poll: false }
    }

    /// The handle for handlers. One is there also in a call that the policy excludes.
    #[must_use]
    pub const fn current(&self) -> &CurrentActivity {
        &self.current
    }

    /// Whether the rule asks to hold the end of the answer back until the outcome is durable.
    #[must_use]
    pub fn awaits_outcome(&self) -> bool {
        match &self.stage {
            Stage::Open(activity) => activity.rule().is_some_and(crate::policy::Rule::await_outcome),
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

    /// Notes the head of the response. Says whether a body is still to come; otherwise the call has
    /// ended.
    pub fn head(&mut self, head: &Head) -> bool {
        let Head { status, length, is_end, code } = *head;
        let upgraded = status == 101 || (self.call.is_connect && (200..300).contains(&status));
        let bodyless = self.call.is_head || matches!(status, 204 | 304);
        self.progress = Some(Progress {
            status,
            delivered: (!upgraded).then_some(0),
            announced: length,
            code: code.filter(|_| self.call.dialect == Dialect::Grpc),
        });
        let ends = upgraded || bodyless || is_end;
        if ends {
            self.end();
        }
        !ends
    }

    /// Counts body bytes that are handed on.
    pub fn delivered(&mut self, bytes: usize) {
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
    pub const fn is_ending(&self) -> bool {
        matches!(self.stage, Stage::Ending(_))
    }

    /// Notes trailers, with the `grpc-status` in them: nothing follows. The call has ended.
    pub fn trailers(&mut self, grpc_status: Option<&[u8]>) {
        if let (Some(progress), Some(status)) = (&mut self.progress, grpc_status)
            && self.call.dialect == Dialect::Grpc
        {
            progress.code = Some(grpc::code(status));
        }
        self.end();
    }

    /// The response has ended in order. Does nothing the second time.
    pub fn end(&mut self) {
        if let Some(progress) = self.progress {
            self.write(self.call.dialect.outcome(progress.status, progress.code));
        }
    }

    /// The handler's service failed instead of answering; `status` is what the framework will make
    /// of the error, where that is known.
    pub fn service_failed(&mut self, status: Option<u16>) {
        self.write(match status {
            Some(status) => Outcome::http(status),
            None => Outcome::new(OutcomeResult::Error).error("the service returned an error"),
        });
    }

    /// The response body broke.
    pub fn body_failed(&mut self) {
        let outcome = match self.call.dialect {
            Dialect::Http => self.cut_short(OutcomeResult::Error),
            // What a stream that is reset means to its caller (gRPC over HTTP/2, "Errors").
            Dialect::Grpc => Outcome::grpc(grpc::INTERNAL),
        };
        self.write(outcome.error("the response body failed"));
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

    fn write(&mut self, mut outcome: Outcome<'_>) {
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
        if activity.rule().is_some_and(crate::policy::Rule::await_outcome) {
            self.stage = Stage::Ending(activity.finish_durably(outcome));
        } else {
            activity.finish(outcome);
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if !matches!(self.stage, Stage::Open(_)) {
            return;
        }
        if self.in_poll {
            self.write(self.cut_short(OutcomeResult::Panicked));
        } else if self.is_complete() {
            // Servers drop a body of known length after its last byte, without asking for the end.
            self.end();
        } else {
            self.write(match self.call.dialect {
                Dialect::Http => self.cut_short(OutcomeResult::Cancelled),
                Dialect::Grpc => Outcome::grpc(self.call.given_up()),
            });
        }
    }
}
