use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use super::begin::{Append, Begin};
use super::close::{CheckpointNow, CheckpointRequest, Close};
use super::completion::Completion;
use super::coverage::count;
use super::sequencer::far;
use super::shared::{Shared, lock};
use super::submission::{Role, Submission};
use super::synchronizer::Landed;
use super::tightening::Later;
use super::{Builder, Coverage, CurrentActivity, Health};
use crate::capture::BodyCapture;
use crate::key::VerifierKey;
use crate::policy::{Level, Policy, Subject};
use crate::record::{ActivityId, Event, EventFrame, Kind, encode_event};

/// How long a log whose last handle is dropped goes on writing what is queued.
const DROP_DEADLINE: Duration = Duration::from_secs(10);

/// A tamper-evident, append-only log of what callers asked for and how it ended.
///
/// A handle: cheap to clone, and all clones are the same log. Close it with
/// [`close`](Self::close); when the last handle is dropped instead, the log's threads write what is
/// queued and close the log, and nobody is told whether that worked.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use audit_core::{AuditLog, Event, Key, Memory, Outcome, OutcomeResult};
/// # use audit_core::Durability;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let log = AuditLog::builder("payments.example.com/prod-1")
///     .key(Key::generate("payments.example.com")?)
///     .backend(Memory::promising(Durability::Synced))
///     .open()?;
///
/// let activity = log.begin(&Event::action("ledger.rotate").resource("ledger/7")).await?;
/// // … the work, which runs only once its intent is durable …
/// activity.finish(Outcome::new(OutcomeResult::Success));
///
/// log.close(Duration::from_secs(10)).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct AuditLog {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    landed: Arc<Landed>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        if !self.shared.is_forked() {
            self.shared.queue.close(Instant::now() + DROP_DEADLINE);
        }
    }
}

impl AuditLog {
    pub(crate) fn new(shared: Arc<Shared>, landed: Arc<Landed>) -> Self {
        Self { handle: Arc::new(Handle { shared, landed }) }
    }

    /// Starts to describe a log. `origin` names the service instance, as a URL without scheme:
    /// `payments.example.com/prod-1` (C2SP tlog-checkpoint).
    pub fn builder(origin: impl Into<String>) -> Builder {
        Builder::new(origin.into())
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    /// Records that something is about to happen. The future is ready when the intent is as
    /// durable as the policy's rule asks; what is about to happen must not start before.
    ///
    /// Encodes the event at once and queues it when the future is first polled. A future that is
    /// dropped withdraws an intent that is still queued. Never blocks.
    pub fn begin(&self, event: &Event<'_>) -> Begin {
        match self.encode(event, Kind::Intent, Role::Intent) {
            Some((body, submission)) => Begin::new(Arc::clone(self.shared()), body, submission),
            None => Begin::excluded(),
        }
    }

    /// Records something that happened, in one record. The future is ready when it is as durable
    /// as the policy's rule asks. Never blocks.
    pub fn record(&self, event: &Event<'_>) -> Append {
        match self.encode(event, Kind::Event, Role::Event) {
            Some((body, submission)) => Append::new(Arc::clone(self.shared()), body, submission),
            None => Append::excluded(),
        }
    }

    fn encode(&self, event: &Event<'_>, kind: Kind, role: Role) -> Option<(Vec<u8>, Arc<Submission>)> {
        let shared = self.shared();
        count(&shared.coverage.seen);
        let policy = shared.policy();
        let subject = Subject::from(event);
        let applicable = policy.applicable(&subject);
        let rule = match &applicable {
            Some(applicable) => policy.choose(applicable, subject.actor),
            None => policy.decide(&subject),
        };
        if rule.level() == Level::None {
            shared.coverage.excluded.count(&rule);
            return None;
        }
        let time = event.time.unwrap_or_else(SystemTime::now);
        let id = event.id.unwrap_or_else(|| ActivityId::new(time));
        let parent = event.parent.or_else(CurrentActivity::current_id);
        let frame = EventFrame { kind, id, time, parent, policy: rule.name() };
        let body = encode_event(event, &frame, &shared.limits.record);
        let mut submission = Submission::new(id, rule.into_owned(), role, shared.limits.record);
        if role == Role::Intent {
            submission.later = applicable.map(|applicable| Box::new(Later { policy, applicable }));
        }
        Some((body, Arc::new(submission)))
    }

    /// Signs a checkpoint over everything that has been appended by now, and returns it, a C2SP
    /// signed note, once it is persisted. Fails with [`Refused::Deadline`](super::Refused) after `deadline`.
    pub fn checkpoint(&self, deadline: Duration) -> CheckpointNow {
        let shared = self.shared();
        let done = Arc::new(Completion::new());
        let deadline = far(Instant::now(), deadline);
        lock(&shared.checkpoint_requests).push(CheckpointRequest { deadline, done: Arc::clone(&done) });
        if let Some(refused) = shared.queue.watch(deadline) {
            done.give(Err(refused));
        }
        self.handle.landed.nudge();
        CheckpointNow { done }
    }

    /// Closes the log: refuses new activities, waits for open ones to end, writes what is queued
    /// and `log.closed`, signs the last checkpoint, and lets go of the store.
    ///
    /// The future is ready by `deadline` at the latest, and then says what was not written. Never
    /// blocks. Closing starts at the call, whether the future is polled or not.
    pub fn close(&self, deadline: Duration) -> Close {
        let closed = self.shared().queue.close(far(Instant::now(), deadline));
        // A log that stopped by itself is closed by whoever asks first, who then learns how that went.
        let already = !closed && !self.shared().stopped_itself.swap(false, Ordering::AcqRel);
        Close { shared: Arc::clone(self.shared()), already }
    }

    /// How the log is doing. Synchronous; takes two short locks.
    #[must_use]
    pub fn health(&self) -> Health {
        self.shared().health()
    }

    /// What became of the calls that the log was told of.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.shared().coverage.snapshot()
    }

    /// The rules in force.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        self.shared().policy()
    }

    /// Which store is the primary, as [`Backend::place`](crate::backend::Backend::place) says.
    #[must_use]
    pub fn primary_place(&self) -> Option<&str> {
        self.shared().primary_place.as_deref()
    }

    /// How bodies are captured, if they are. Which ones is for the policy to say.
    #[must_use]
    pub fn body_capture(&self) -> Option<&Arc<BodyCapture>> {
        self.shared().body_capture.as_ref()
    }

    /// The key that checks this log's checkpoints, under the log's own name `<origin>/<log id>`.
    #[must_use]
    pub fn verifier_key(&self) -> &VerifierKey {
        &self.shared().verifier_key
    }
}
