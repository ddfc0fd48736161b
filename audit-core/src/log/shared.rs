use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use super::close::CheckpointRequest;
use super::completion::Completion;
use super::coverage::{Counters, count};
use super::inflight::Inflight;
use super::losses::{Losses, Lost};
use super::policy_file::PolicyFile;
use super::queue::{Entry, Queue, Room};
use super::stores::Stores;
use super::submission::{Ended, Landing, Role, Submission};
use super::{CloseError, Closed, Health, LogLimits, Refused};
use crate::capture::BodyCapture;
use crate::evidence::CompactRange;
use crate::key::VerifierKey;
use crate::policy::{Policy, Rule};
use crate::record::{Outcome, OutcomeFrame, OutcomeResult, encode_outcome};

/// Locks a mutex. A thread that panicked while holding it leaves data that is only ever replaced
/// whole, so its contents are still good.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What every handle, activity and thread of one log has in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) queue: Queue,
    pub(crate) inflight: Inflight,
    pub(crate) losses: Mutex<Losses>,
    pub(crate) coverage: Counters,
    pub(crate) policy: RwLock<Arc<Policy>>,
    /// Held by whoever replaces the policy.
    pub(crate) changing_policy: Mutex<()>,
    pub(crate) policy_file: Option<PolicyFile>,
    pub(crate) stores: Stores,
    /// The kind of the primary store.
    pub(crate) primary_name: &'static str,
    /// Which store it is.
    pub(crate) primary_place: Option<String>,
    pub(crate) body_capture: Option<Arc<BodyCapture>>,
    pub(crate) limits: LogLimits,
    pub(crate) verifier_key: VerifierKey,
    pub(crate) progress: Progress,
    pub(crate) closing: Completion<Result<Closed, CloseError>>,
    pub(crate) checkpoint_requests: Mutex<Vec<CheckpointRequest>>,
    pub(crate) newest_checkpoint: Mutex<Arc<NewestCheckpoint>>,
    /// Whether a store that is no longer what it was stops the log.
    pub(crate) stop_when_weakened: bool,
    /// Whether the log closes by itself, and nobody else has closed it since.
    pub(crate) stopped_itself: AtomicBool,
    /// Why the log was told to stop in order, if it was.
    pub(crate) stopped_because: OnceLock<String>,
    pub(crate) process: u32,
}

/// The newest checkpoint that has been published.
#[derive(Debug)]
pub(crate) struct NewestCheckpoint {
    /// The signed note, byte for byte.
    pub(crate) note: Vec<u8>,
    /// The tree that it signs.
    pub(crate) range: CompactRange,
}

/// How far the log has got.
#[derive(Debug)]
pub(crate) struct Progress {
    opened: Instant,
    pub(crate) records: AtomicU64,
    pub(crate) synced: AtomicU64,
    pub(crate) signed: AtomicU64,
    /// Microseconds after `opened`, plus one; zero before the first commit.
    last_commit: AtomicU64,
    failing: AtomicBool,
    last_error: Mutex<Option<String>>,
    /// Why the newest records are not signed.
    pub(crate) unsigned_because: Mutex<Option<String>>,
}

impl Progress {
    pub(crate) fn new(records: u64, signed: u64) -> Self {
        Self {
            opened: Instant::now(),
            records: AtomicU64::new(records),
            synced: AtomicU64::new(records),
            signed: AtomicU64::new(signed),
            last_commit: AtomicU64::new(0),
            failing: AtomicBool::new(false),
            last_error: Mutex::new(None),
            unsigned_because: Mutex::new(None),
        }
    }

    pub(crate) fn committed(&self, records: u64) {
        self.records.store(records, Ordering::Relaxed);
        let age = u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(u64::MAX - 1);
        self.last_commit.store(age + 1, Ordering::Relaxed);
        if self.failing.swap(false, Ordering::Relaxed) {
            *lock(&self.last_error) = None;
        }
    }

    pub(crate) fn failed(&self, error: String) {
        *lock(&self.last_error) = Some(error);
        self.failing.store(true, Ordering::Relaxed);
    }

    /// Nothing is signed until `replica` has been compared with the primary.
    pub(crate) fn hold_signing(&self, replica: &str) {
        let because = format!("no checkpoint: the replica `{replica}` could not be compared with the primary yet");
        *lock(&self.unsigned_because) = Some(because);
    }

    pub(crate) fn synced(&self) -> u64 {
        self.synced.load(Ordering::Relaxed)
    }

    fn last_error(&self) -> Option<String> {
        let error = lock(&self.last_error).clone();
        error.or_else(|| lock(&self.unsigned_because).clone())
    }

    fn last_commit_age(&self) -> Option<Duration> {
        let at = self.last_commit.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.opened.elapsed().saturating_sub(Duration::from_micros(at)))
    }
}

impl Shared {
    pub(crate) fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether this process is a fork of the one that opened the log.
    pub(crate) fn is_forked(&self) -> bool {
        std::process::id() != self.process
    }

    /// Counts a submission that is not in the log and will not be.
    pub(crate) fn lose(&self, submission: &Submission, refused: &Refused, ran: bool) {
        count(if ran { &self.coverage.lost } else { &self.coverage.refused });
        lock(&self.losses).add_submission(submission, refused, ran);
        self.queue.nudge();
    }

    /// Counts an outcome that cannot be written.
    pub(crate) fn lose_outcome(&self, rule: &Arc<Rule>, reason: &'static str) {
        lock(&self.losses).add(rule, reason, Lost::Outcome, true);
        self.queue.nudge();
    }

    /// Does what a landed record still needs: the end of a call that never ran.
    pub(crate) fn settle(&self, submission: &Submission, landing: Landing, reason: &str) {
        if landing == Landing::NeverRan && submission.role == Role::Intent {
            self.end_as_refused(submission, reason);
        }
    }

    /// Answers a submission that is in the queue or with the sequencer, and counts it if that
    /// decides that it is lost. True when it is certain not to get into the log.
    pub(crate) fn refuse(&self, submission: &Submission, refused: &Refused, may_land: bool) -> bool {
        let ended = submission.refuse(refused.clone(), may_land);
        // The entry of an outcome stays in the queue whether its caller waits or not.
        if ended == Ended::Lost && submission.role != Role::Outcome {
            let ran = submission.allows_failure();
            self.lose(submission, refused, ran);
            if !ran {
                self.queue.release(submission);
            }
        }
        ended == Ended::Lost
    }

    /// Queues the outcome of an intent that is in the log and whose handler never ran. Uses the
    /// room that was reserved for its outcome.
    pub(crate) fn end_as_refused(&self, submission: &Submission, reason: &str) {
        lock(&submission.amendments).finished = true;
        let frame = OutcomeFrame {
            id: submission.id,
            time: SystemTime::now(),
            latency: Duration::ZERO,
            actor: None,
            resource: None,
            attributes: &[],
            policy: None,
        };
        let outcome = Outcome::new(OutcomeResult::Refused).error(reason);
        let body = encode_outcome(&outcome, &frame, &self.limits.record, self.limits.outcome_bytes);
        let mut entry = Entry::outcome(body, None);
        if !submission.give_up_reservation() {
            entry.room = Room::Extra;
        }
        self.queue.push_reserved(entry);
    }

    /// Stops the log for good and answers everybody who waits.
    pub(crate) fn poison(&self, detail: &str) {
        let detail: Arc<str> = detail.into();
        // The first reason counts: others follow from it.
        let _ = self.stopped_because.set(detail.to_string());
        self.progress.failed(detail.to_string());
        let refused = Refused::Poisoned { detail: Arc::clone(&detail) };
        let unwritten = self.stop(&refused);
        self.answer_rest(&refused);
        self.closing.give(Err(CloseError::Incomplete { unwritten, detail }));
        self.queue.end();
    }

    /// Closes the log, as its owner would, because of what was found.
    pub(crate) fn stop_in_order(&self, because: &str) {
        // The first reason counts.
        let _ = self.stopped_because.set(because.to_owned());
        if self.queue.close(self.limits.backend_deadline()) {
            self.stopped_itself.store(true, Ordering::Release);
        }
    }

    /// Takes nothing more, and answers everybody in the queue. Says how many records were in it.
    pub(crate) fn stop(&self, refused: &Refused) -> usize {
        if let Some(file) = &self.policy_file {
            file.end();
        }
        let (queued, unwritten) = self.queue.stop(refused);
        for submission in &queued {
            self.refuse(submission, refused, false);
        }
        unwritten
    }

    /// Answers everybody who has left the queue, when nobody else will.
    pub(crate) fn answer_rest(&self, refused: &Refused) {
        let (appending, unsynced) = self.inflight.take_all();
        for submission in &appending {
            self.refuse(submission, refused, false);
        }
        for record in unsynced {
            record.submission.land_late(refused.clone());
        }
        for request in std::mem::take(&mut *lock(&self.checkpoint_requests)) {
            request.done.give(Err(refused.clone()));
        }
    }

    pub(crate) fn health(&self) -> Health {
        let queue = self.queue.status();
        Health {
            writable: queue.open && !self.progress.failing.load(Ordering::Relaxed),
            last_commit_age: self.progress.last_commit_age(),
            records: self.progress.records.load(Ordering::Relaxed),
            synced: self.progress.synced(),
            signed: self.progress.signed.load(Ordering::Relaxed),
            queue_depth: queue.depth,
            open_activities: queue.open_activities,
            unreported_losses: lock(&self.losses).total(),
            last_error: self.stopped_because.get().cloned().or_else(|| self.progress.last_error()),
            replicas: self.stores.health(),
        }
    }
}
