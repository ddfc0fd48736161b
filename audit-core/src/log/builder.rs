use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::open::open;
use super::sequencer::far;
use super::{AuditLog, OpenError, Replica};
use crate::backend::Backend;
use crate::capture::BodyCapture;
use crate::key::Key;
use crate::policy::Policy;
use crate::record::RecordLimits;

/// Every bound of a log. The value of each field is its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLimits {
    /// New intents and events in the queue: 16,384. More wait in line.
    pub queue_records: usize,
    /// Bytes of new intents and events in the queue: 32 MiB.
    pub queue_bytes: usize,
    /// Callers that wait in line for room in the queue: 65,536. More are refused at once.
    pub waiting: usize,
    /// Bytes of what callers in line want to record: 64 MiB. More are refused at once.
    pub waiting_bytes: usize,
    /// Activities that may be open at a time, each with room for its outcome: 65,536.
    pub activities: usize,
    /// Bytes reserved for the outcome of each activity: 2,048.
    pub outcome_bytes: usize,
    /// Bytes that larger outcomes share while they are queued: 16 MiB. An outcome for which
    /// nothing is left is cut to `outcome_bytes`.
    pub overdraft_bytes: usize,
    /// Records in one append: 8,192.
    pub batch_records: usize,
    /// Bytes in one append: 1 MiB.
    pub batch_bytes: usize,
    /// Appended records that may wait for stable storage before the next append waits: 1,048,576.
    pub unsynced_records: usize,
    /// The longest time between an append and its sync: 1 s.
    pub sync_interval: Duration,
    /// A checkpoint is signed after at most this time, 1 s …
    pub checkpoint_interval: Duration,
    /// … or this many records, 1,024, …
    pub checkpoint_records: u64,
    /// … but not sooner than this after the one before: 100 ms. Without a rest, a busy log would
    /// spend its disk on checkpoints.
    pub checkpoint_rest: Duration,
    /// How long an outcome that nobody waits for may wait for company, so that one append takes many:
    /// 5 ms …
    pub outcome_patience: Duration,
    /// … unless so many records are queued: 64. With 0, no outcome waits.
    pub outcome_company: usize,
    /// How long the deadlines rest between two looks, so that many of them cost one look: 5 ms. No
    /// deadline is missed by more, but for what the machine adds.
    pub deadline_rest: Duration,
    /// The shortest time between two reports of losses, so that a storm of refusals stays a few `gap`
    /// records: 1 s.
    pub gap_interval: Duration,
    /// The time between heartbeats: 60 s.
    pub heartbeat: Duration,
    /// The longest time that opening the store may take, repairs included: 5 min.
    pub open_timeout: Duration,
    /// How long opening waits for replicas; those that do not answer are compared later, and nothing
    /// is signed until then: 5 s.
    pub replica_open_timeout: Duration,
    /// The longest wait between two attempts on a replica that fails: 30 s.
    pub replica_backoff: Duration,
    /// The time between two looks at the settings of each store: 60 s.
    pub inspect_interval: Duration,
    /// The longest time that one call of the backend may take: 10 s.
    pub backend_timeout: Duration,
    /// The time between two looks at the policy file: 1 s. What is found changed is read when it has
    /// held still from one look to the next.
    pub policy_interval: Duration,
    /// Changes of the policy, and alerts about its file, that may wait to be written: 64. More are
    /// refused.
    pub policy_changes: usize,
    /// The bounds of one record.
    pub record: RecordLimits,
}

impl Default for LogLimits {
    fn default() -> Self {
        Self {
            queue_records: 16_384,
            queue_bytes: 32 << 20,
            waiting: 65_536,
            waiting_bytes: 64 << 20,
            activities: 65_536,
            outcome_bytes: 2_048,
            overdraft_bytes: 16 << 20,
            batch_records: 8_192,
            batch_bytes: 1 << 20,
            unsynced_records: 1 << 20,
            sync_interval: Duration::from_secs(1),
            checkpoint_interval: Duration::from_secs(1),
            checkpoint_records: 1_024,
            checkpoint_rest: Duration::from_millis(100),
            outcome_patience: Duration::from_millis(5),
            outcome_company: 64,
            deadline_rest: Duration::from_millis(5),
            gap_interval: Duration::from_secs(1),
            heartbeat: Duration::from_secs(60),
            open_timeout: Duration::from_secs(300),
            replica_open_timeout: Duration::from_secs(5),
            replica_backoff: Duration::from_secs(30),
            inspect_interval: Duration::from_secs(60),
            backend_timeout: Duration::from_secs(10),
            policy_interval: Duration::from_secs(1),
            policy_changes: 64,
            record: RecordLimits::default(),
        }
    }
}

impl LogLimits {
    /// When a call of the backend that begins now has to be over.
    pub(crate) fn backend_deadline(&self) -> Instant {
        far(Instant::now(), self.backend_timeout)
    }

    /// Times no longer than makes a difference, so that adding them to a time never overflows.
    pub(crate) fn bounded(mut self) -> Self {
        let longest = Duration::from_secs(30 * 365 * 24 * 3_600);
        for time in [
            &mut self.sync_interval,
            &mut self.checkpoint_interval,
            &mut self.checkpoint_rest,
            &mut self.outcome_patience,
            &mut self.deadline_rest,
            &mut self.gap_interval,
            &mut self.heartbeat,
            &mut self.open_timeout,
            &mut self.replica_open_timeout,
            &mut self.replica_backoff,
            &mut self.inspect_interval,
            &mut self.backend_timeout,
            &mut self.policy_interval,
        ] {
            *time = (*time).min(longest);
        }
        self
    }
}

/// Describes a log before it is opened. Made by [`AuditLog::builder`].
#[derive(Debug)]
#[must_use = "a log is opened by `open`"]
pub struct Builder {
    pub(crate) origin: String,
    pub(crate) key: Option<Key>,
    pub(crate) backend: Option<Box<dyn Backend>>,
    pub(crate) policy: Policy,
    pub(crate) policy_file: Option<PathBuf>,
    pub(crate) limits: LogLimits,
    pub(crate) body_capture: Option<BodyCapture>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) stop_when_weakened: bool,
}

impl Builder {
    pub(crate) fn new(origin: String) -> Self {
        Self {
            origin,
            key: None,
            backend: None,
            policy: Policy::default(),
            policy_file: None,
            limits: LogLimits::default(),
            body_capture: None,
            replicas: Vec::new(),
            stop_when_weakened: false,
        }
    }

    /// The key that signs checkpoints. Required.
    pub fn key(mut self, key: Key) -> Self {
        self.key = Some(key);
        self
    }

    /// Where the log is kept. Required.
    pub fn backend(mut self, backend: impl Backend + 'static) -> Self {
        self.backend = Some(Box::new(backend));
        self
    }

    /// As [`backend`](Self::backend), for a store that is boxed already.
    pub fn boxed_backend(mut self, backend: Box<dyn Backend>) -> Self {
        self.backend = Some(backend);
        self
    }

    /// A further place for the same lines, filled from the first. At most 8 of them.
    ///
    /// The primary has to reach `synced` by itself, so that replicas get only what is there for good.
    /// When the log is opened, every replica is compared with the primary. What a replica has and the
    /// primary lost is copied back, and one that contradicts the primary keeps the log from opening.
    /// One that cannot be reached is compared when it can be; nothing is signed until then, and if it
    /// turns out to contradict the log, that stops.
    pub fn replica(mut self, replica: Replica) -> Self {
        self.replicas.push(replica);
        self
    }

    /// Whether the log stops, as by [`AuditLog::close`], when one of its stores is no longer what it
    /// was when it was opened: deletion allowed, retention shortened, syncing turned off. Without it, an
    /// `alert` record is all that happens.
    pub const fn stop_when_weakened(mut self, stop: bool) -> Self {
        self.stop_when_weakened = stop;
        self
    }

    /// The rules. Without them: every call is recorded, `synced`, and refused when that takes
    /// more than a second. Replaces a [`policy_file`](Self::policy_file).
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self.policy_file = None;
        self
    }

    /// A file that the rules come from, now and whenever it changes: a regular file, or a link to one.
    /// Replaces a [`policy`](Self::policy).
    ///
    /// It is read when the log is opened; then a thread of the log's own looks at it every
    /// [`LogLimits::policy_interval`]. Rules that cannot be used leave the earlier ones in force, and
    /// are recorded as an `alert`; [`AuditLog::reload_policy`] says at once what is wrong with them.
    pub fn policy_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.policy_file = Some(path.into());
        self
    }

    /// Captures the bodies of calls whose rule asks for that. Without it, a policy with a rule of
    /// level `request` or `request_response` is refused.
    pub fn capture_bodies(mut self, capture: BodyCapture) -> Self {
        self.body_capture = Some(capture);
        self
    }

    /// Replaces every bound at once.
    pub const fn limits(mut self, limits: LogLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Changes some of the bounds.
    ///
    /// ```
    /// # use audit_core::AuditLog;
    /// AuditLog::builder("payments.example.com").tune(|limits| limits.queue_records = 1_000);
    /// ```
    pub fn tune(mut self, change: impl FnOnce(&mut LogLimits)) -> Self {
        change(&mut self.limits);
        self
    }

    /// Opens the log, or makes it if the store is empty, and records `log.opened`.
    ///
    /// Blocks on the store: call it before serving, outside async code or where blocking is
    /// allowed. Starts three threads, one for each replica, and one for a policy file.
    ///
    /// # Errors
    ///
    /// When something required is missing or impossible, the policy file cannot be used, the policy asks for more than the
    /// stores can give, the log belongs to another key or origin, another writer holds it, what is
    /// stored has been tampered with, or a replica contradicts the primary.
    pub fn open(self) -> Result<AuditLog, OpenError> {
        open(self)
    }
}
