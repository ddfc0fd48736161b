use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Instant, SystemTime};

use super::queue::Entry;
use super::shared::{Shared, lock};
use super::submission::{Amendments, Submission};
use super::tightening::Tightened;
use super::{CurrentActivity, Receipt, Refused, Scope};
use crate::backend::Durability;
use crate::policy::Rule;
use crate::record::{ActivityId, Outcome, OutcomeFrame, OutcomeResult, encode_outcome};

/// A call whose intent is in the log and whose outcome is not yet.
///
/// [`finish`](Self::finish) writes the outcome. Dropped without it, the activity ends as
/// `cancelled`, or as `panicked` when [`mark_panicked`](Self::mark_panicked) said so or the drop
/// is part of an unwinding. Room for the outcome was reserved when the activity began: ending it
/// never waits, never fails and never panics, on any thread.
#[derive(Debug)]
#[must_use = "an activity that is dropped is recorded as cancelled"]
pub struct Activity {
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    shared: Arc<Shared>,
    submission: Arc<Submission>,
    started: Instant,
    receipt: Option<Receipt>,
    failure: Option<Refused>,
    panicked: bool,
}

impl Activity {
    pub(crate) const fn new(
        shared: Arc<Shared>,
        submission: Arc<Submission>,
        started: Instant,
        receipt: Option<Receipt>,
        failure: Option<Refused>,
    ) -> Self {
        Self { running: Some(Running { shared, submission, started, receipt, failure, panicked: false }) }
    }

    /// An activity that a rule excludes from the log.
    pub(crate) const fn inert() -> Self {
        Self { running: None }
    }

    /// Whether the activity is to be recorded; false when a rule of level `none` excludes it.
    #[must_use]
    pub const fn is_recorded(&self) -> bool {
        self.running.is_some()
    }

    /// The identifier that joins intent and outcome.
    #[must_use]
    pub fn id(&self) -> Option<ActivityId> {
        self.running.as_ref().map(|running| running.submission.id)
    }

    /// Where the intent is in the log; `None` when the rule did not wait for that.
    #[must_use]
    pub fn receipt(&self) -> Option<&Receipt> {
        self.running.as_ref()?.receipt.as_ref()
    }

    /// Why the call goes ahead without a receipt, as its rule allows.
    #[must_use]
    pub fn failure(&self) -> Option<&Refused> {
        self.running.as_ref()?.failure.as_ref()
    }

    /// The rule that decided when the activity began; `None` when it excludes the activity.
    #[must_use]
    pub fn rule(&self) -> Option<&Rule> {
        Some(&self.running.as_ref()?.submission.rule)
    }

    /// The stricter rule that an actor brought who was established after the activity began: see
    /// [`CurrentActivity::actor`]. Takes a short lock.
    #[must_use]
    pub fn tightened_rule(&self) -> Option<Arc<Rule>> {
        self.tightened().map(|tightened| tightened.rule)
    }

    /// Whether the rule asks to hold the answer back until the outcome is durable, or the stricter one
    /// does that a later actor brought. Takes a short lock.
    #[must_use]
    pub fn awaits_outcome(&self) -> bool {
        match self.tightened() {
            Some(tightened) => tightened.await_outcome,
            None => self.rule().is_some_and(Rule::await_outcome),
        }
    }

    fn tightened(&self) -> Option<Tightened> {
        let submission = &self.running.as_ref()?.submission;
        // Under most policies no actor can bring another rule, and there is nothing to lock for.
        submission.later.as_ref()?;
        lock(&submission.amendments).tightened.clone()
    }

    /// The handle for handlers and inner layers.
    #[must_use]
    pub fn current(&self) -> CurrentActivity {
        CurrentActivity::new(self.running.as_ref().map(|running| Arc::clone(&running.submission)))
    }

    /// Makes this the thread's current activity during each poll of `future`.
    pub fn scope<F: Future>(&self, future: F) -> Scope<F> {
        self.current().scope(future)
    }

    /// Says that the work of this activity was seen unwinding: a drop from here on is recorded as
    /// `panicked`.
    pub fn mark_panicked(&mut self) {
        if let Some(running) = &mut self.running {
            running.panicked = true;
        }
    }

    /// Ends the activity. Never blocks; the outcome reaches the log with the next batch, at most
    /// [`LogLimits::outcome_patience`](super::LogLimits) later when the store keeps up.
    #[expect(clippy::needless_pass_by_value, reason = "an activity ends once, and its outcome with it")]
    pub fn finish(mut self, outcome: Outcome<'_>) {
        if let Some(running) = self.running.take() {
            let amendments = running.amendments();
            running.end(&outcome, amendments, None);
        }
    }

    /// Ends the activity, and waits until the outcome is as durable as the rule asks, or until the
    /// rule's deadline has passed again: the stricter rule, where a later actor brought one. The outcome lands whether it is waited for or not.
    #[expect(clippy::needless_pass_by_value, reason = "an activity ends once, and its outcome with it")]
    pub fn finish_durably(mut self, outcome: Outcome<'_>) -> Finish {
        let Some(running) = self.running.take() else {
            return Finish { submission: None };
        };
        let amendments = running.amendments();
        let waiter = Arc::new(running.submission.outcome(amendments.tightened.as_ref()));
        if waiter.demand.wanted == Durability::Accepted {
            running.end(&outcome, amendments, None);
            return Finish { submission: None };
        }
        running.end(&outcome, amendments, Some(&waiter));
        Finish { submission: Some(waiter) }
    }
}

impl Running {
    /// What was added until now. Nothing can be any more.
    fn amendments(&self) -> Amendments {
        let mut amendments = lock(&self.submission.amendments);
        std::mem::replace(&mut *amendments, Amendments { finished: true, ..Amendments::default() })
    }

    fn end(self, outcome: &Outcome<'_>, amendments: Amendments, waiter: Option<&Arc<Submission>>) {
        let Amendments { resource, actor, attributes, tightened, .. } = amendments;
        let rule = tightened.map(|tightened| tightened.rule);
        let frame = OutcomeFrame {
            id: self.submission.id,
            time: SystemTime::now(),
            latency: self.started.elapsed(),
            actor: actor.as_ref(),
            resource: resource.as_deref(),
            attributes: &attributes,
            policy: rule.as_deref().map(Rule::name),
        };
        let limits = &self.shared.limits;
        // Without a reservation the call went ahead unrecorded, and there is no room for its end.
        let refused = match self.submission.give_up_reservation() {
            true => Refused::Closed,
            false => return self.lose_end(rule.as_ref(), waiter, Refused::QueueFull),
        };
        let mut body = encode_outcome(outcome, &frame, &limits.record, limits.record.line);
        let mut excess = body.len().saturating_sub(limits.outcome_bytes);
        if excess > 0 && !self.shared.queue.draw(excess) {
            body = encode_outcome(outcome, &frame, &limits.record, limits.outcome_bytes);
            excess = 0;
        }
        if !self.shared.queue.push_reserved(Entry::outcome(body, waiter.cloned())) {
            self.shared.queue.ended(1, excess);
            self.lose_end(rule.as_ref(), waiter, refused);
        }
    }

    /// The outcome cannot be written. `rule`: the one it would have named.
    fn lose_end(&self, rule: Option<&Arc<Rule>>, waiter: Option<&Arc<Submission>>, refused: Refused) {
        self.shared.lose_outcome(rule.unwrap_or(&self.submission.rule), refused.reason());
        if let Some(waiter) = waiter {
            waiter.refuse(refused, false);
        }
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let panicked = running.panicked || std::thread::panicking();
            let result = if panicked { OutcomeResult::Panicked } else { OutcomeResult::Cancelled };
            let amendments = running.amendments();
            running.end(&Outcome::new(result), amendments, None);
        }
    }
}

/// The future of [`Activity::finish_durably`].
#[derive(Debug)]
#[must_use = "the outcome lands without it, but only this tells when"]
pub struct Finish {
    submission: Option<Arc<Submission>>,
}

impl Future for Finish {
    type Output = Result<Option<Receipt>, Refused>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &self.submission {
            Some(submission) => submission.poll(cx).map_ok(Some),
            None => Poll::Ready(Ok(None)),
        }
    }
}
