use std::sync::{Arc, Weak};

use audit_core::log::{Activity, CurrentActivity};
use audit_core::{Outcome, OutcomeResult};
use tracing::span::Id;

use crate::instrument::Ending;

/// Who is responsible for an activity: one layer in one subscriber.
#[derive(Clone, Debug)]
pub(crate) struct Owner(Arc<()>);

impl Owner {
    pub(crate) fn new() -> Self {
        Self(Arc::new(()))
    }

    fn is(&self, owner: &Weak<()>) -> bool {
        std::ptr::eq(Arc::as_ptr(&self.0), owner.as_ptr())
    }
}

/// A span as one layer sees it: spans of different subscribers may have the same [`Id`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpanKey {
    owner: usize,
    span: u64,
}

/// The activity of a span. Dropped, it ends.
#[derive(Debug)]
pub(crate) struct SpanActivity {
    owner: Weak<()>,
    span: u64,
    activity: Option<Activity>,
    pub(crate) current: CurrentActivity,
    /// What the span says of itself.
    pub(crate) said: Option<OutcomeResult>,
    /// What `#[instrument]` says of it.
    pub(crate) ending: Option<Ending>,
    pub(crate) panicked: bool,
}

impl SpanActivity {
    pub(crate) fn new(owner: &Owner, span: &Id, activity: Activity, said: Option<OutcomeResult>) -> Self {
        Self {
            owner: Arc::downgrade(&owner.0),
            span: span.into_u64(),
            current: activity.current(),
            activity: Some(activity),
            said,
            ending: None,
            panicked: false,
        }
    }

    pub(crate) fn key(&self) -> SpanKey {
        SpanKey { owner: self.owner.as_ptr().addr(), span: self.span }
    }

    /// A result that the span says itself counts, unless it ended worse.
    fn outcome(&self) -> Outcome<'_> {
        use OutcomeResult::{Failure, Panicked, Success, Unknown};
        if self.panicked {
            return Outcome::new(Panicked);
        }
        match (self.said, &self.ending) {
            (None | Some(Success | Unknown), Some(Ending::Failed(error))) => with_error(Failure, error.as_deref()),
            (Some(said), Some(Ending::Failed(error))) => with_error(said, error.as_deref()),
            (Some(said), _) => Outcome::new(said),
            (None, Some(Ending::Returned)) => Outcome::new(Success),
            (None, None) => Outcome::new(Unknown),
        }
    }
}

fn with_error(result: OutcomeResult, error: Option<&str>) -> Outcome<'_> {
    let outcome = Outcome::new(result);
    match error {
        Some(error) => outcome.error(error),
        None => outcome,
    }
}

impl Drop for SpanActivity {
    fn drop(&mut self) {
        if let Some(activity) = self.activity.take() {
            activity.finish(self.outcome());
        }
    }
}

/// What is kept among the extensions of a span: an activity for every layer that records it.
#[derive(Debug)]
pub(crate) struct SpanActivities(Vec<SpanActivity>);

impl SpanActivities {
    pub(crate) fn new(activity: SpanActivity) -> Self {
        Self(vec![activity])
    }

    pub(crate) fn add(&mut self, activity: SpanActivity) {
        self.0.push(activity);
    }

    pub(crate) fn of(&self, owner: &Owner) -> Option<&SpanActivity> {
        self.0.get(self.position(owner)?)
    }

    pub(crate) fn of_mut(&mut self, owner: &Owner) -> Option<&mut SpanActivity> {
        let position = self.position(owner)?;
        self.0.get_mut(position)
    }

    pub(crate) fn remove(&mut self, owner: &Owner) -> Option<SpanActivity> {
        let position = self.position(owner)?;
        Some(self.0.swap_remove(position))
    }

    /// The activity that `owner` began; else one whose owner was replaced through a `reload::Layer`
    /// and is gone, so that somebody looks after it.
    fn position(&self, owner: &Owner) -> Option<usize> {
        let own = self.0.iter().position(|activity| owner.is(&activity.owner));
        own.or_else(|| self.0.iter().position(|activity| activity.owner.strong_count() == 0))
    }
}
