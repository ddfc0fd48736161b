use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::Recording;
use super::bodies::Bodies;
use super::call::Call;
use super::recording::NOT_CAPTURED;
use crate::capture::BodyCapture;
use crate::log::{Activity, Begin, Refused};
use crate::policy::{OnFailure, Rule};
use crate::record::{Outcome, OutcomeResult};

/// A call whose intent is on its way into the log: a [`Recording`] once the handler may run.
///
/// Dropped before, it withdraws the intent. `Unpin`, `Send` and free of any runtime.
#[derive(Debug)]
#[must_use = "the intent is not recorded unless the future is polled"]
pub struct Beginning {
    begin: Begin,
    call: Call,
    /// How bodies are captured, where the adapter shows them.
    capture: Option<Arc<BodyCapture>>,
}

impl Beginning {
    pub(super) const fn new(begin: Begin, call: Call, capture: Option<Arc<BodyCapture>>) -> Self {
        Self { begin, call, capture }
    }

    /// A call whose intent is in the log, unless its rule asks for bodies that nobody shows.
    #[inline]
    fn begun(&mut self, activity: Activity) -> Result<Recording, Refused> {
        let asks = |rule: &&Rule| rule.level().needs_body_capture();
        let (call, capture) = (self.call, self.capture.take());
        let bodies = match (activity.rule().filter(asks), capture) {
            (None, _) => None,
            (Some(rule), Some(capture)) => Some(Box::new(Bodies::new(capture, call.dialect, rule.level()))),
            (Some(rule), None) if rule.on_failure() == OnFailure::Allow => None,
            (Some(_), None) => {
                activity.finish(Outcome::new(OutcomeResult::Refused).error(NOT_CAPTURED));
                return Err(Refused::BodiesNotCaptured);
            }
        };
        Ok(Recording::new(activity, call, bodies))
    }
}

impl Future for Beginning {
    type Output = Result<Recording, Refused>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let begun = ready!(Pin::new(&mut self.begin).poll(cx));
        Poll::Ready(begun.and_then(|activity| self.begun(activity)))
    }
}
