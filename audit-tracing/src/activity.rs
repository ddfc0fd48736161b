use audit_core::log::{Activity, CurrentActivity};
use audit_core::{Outcome, OutcomeResult};

/// The activity of a span, kept among the span's extensions until it closes.
#[derive(Debug)]
pub(crate) struct SpanActivity {
    activity: Activity,
    pub(crate) current: CurrentActivity,
    pub(crate) result: Option<OutcomeResult>,
    pub(crate) panicked: bool,
}

impl SpanActivity {
    pub(crate) fn new(activity: Activity, result: Option<OutcomeResult>) -> Self {
        Self { current: activity.current(), activity, result, panicked: false }
    }

    /// The span has closed.
    pub(crate) fn close(self) {
        let result = match self.result {
            _ if self.panicked => OutcomeResult::Panicked,
            Some(result) => result,
            None => OutcomeResult::Unknown,
        };
        self.activity.finish(Outcome::new(result));
    }
}
