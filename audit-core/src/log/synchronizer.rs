use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::alerts::Watch;
use super::close::CheckpointRequest;
use super::copies::answer_copied;
use super::sequencer::{answer, far};
use super::shared::{NewestCheckpoint, Shared, lock};
use super::{Receipt, Refused};
use crate::backend::{Durability, Head, Synchronizer};
use crate::evidence::{Checkpoint, CompactRange, Hash};
use crate::key::Key;

/// The first and the longest wait between two attempts on a store that fails.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// What the sequencer has appended and the synchronizer has not yet made durable.
#[derive(Debug)]
pub(crate) struct Landed {
    state: Mutex<State>,
    changed: Condvar,
    limit: usize,
}

#[derive(Debug, Default)]
struct State {
    leaves: Vec<Hash>,
    /// How many leaves make a checkpoint due.
    enough: usize,
    since: Option<Instant>,
    someone_waits: bool,
    finish: bool,
    abandoned: bool,
}

impl Landed {
    pub(crate) fn new(limit: usize) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), limit }
    }

    /// Holds the sequencer back while too many records wait for stable storage.
    pub(crate) fn await_room(&self) {
        let mut state = lock(&self.state);
        while state.leaves.len() >= self.limit && !state.abandoned {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Adds appended leaves.
    pub(crate) fn add(&self, leaves: &[Hash], someone_waits: bool) {
        let mut state = lock(&self.state);
        let first = state.leaves.is_empty();
        state.leaves.extend_from_slice(leaves);
        state.since.get_or_insert_with(Instant::now);
        state.someone_waits |= someone_waits;
        let enough = state.leaves.len() >= state.enough;
        drop(state);
        // Without a waiter the synchronizer only has to learn that there is something to time.
        if someone_waits || first || enough {
            self.changed.notify_all();
        }
    }

    /// Asks for a checkpoint over all that has been appended.
    pub(crate) fn nudge(&self) {
        lock(&self.state).someone_waits = true;
        self.changed.notify_all();
    }

    /// Asks for the last checkpoint.
    pub(crate) fn finish(&self) {
        lock(&self.state).finish = true;
        self.changed.notify_all();
    }

    /// Ends the synchronizer without another checkpoint, and never holds the sequencer back again.
    pub(crate) fn abandon(&self) {
        lock(&self.state).abandoned = true;
        self.changed.notify_all();
    }
}

/// The one thread that waits for stable storage and signs.
#[derive(Debug)]
pub(crate) struct SynchronizerThread {
    pub(crate) shared: Arc<Shared>,
    pub(crate) landed: Arc<Landed>,
    pub(crate) half: Box<dyn Synchronizer>,
    pub(crate) key: Key,
    pub(crate) range: CompactRange,
    pub(crate) signed: u64,
    /// When the first record that no checkpoint covers was appended.
    pub(crate) unsigned_since: Option<Instant>,
    /// After a checkpoint that failed, when to try the next.
    pub(crate) retry_at: Option<Instant>,
    /// Until when the number of records alone is no reason for another checkpoint.
    pub(crate) rests_until: Instant,
    /// Until when the store wants no further checkpoint, unless somebody asks for one.
    pub(crate) store_rests_until: Instant,
    /// Looks whether the primary is still what it was.
    pub(crate) watch: Watch,
    /// A checkpoint of which nobody knows whether the store has it.
    pub(crate) in_doubt: Option<Arc<NewestCheckpoint>>,
}

/// What the synchronizer has been asked to do.
struct Work {
    leaves: Vec<Hash>,
    /// When the first of them was appended.
    since: Option<Instant>,
    requests: Vec<CheckpointRequest>,
    finish: bool,
}

impl SynchronizerThread {
    /// Runs until the log is closed or poisoned.
    pub(crate) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let landed = Arc::clone(&self.landed);
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || self.synchronize()));
        landed.abandon();
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(fatal)) => shared.poison(&fatal),
            Err(_) => shared.poison("the synchronizer thread panicked"),
        }
    }

    fn synchronize(&mut self) -> Result<(), String> {
        let mut spare = Vec::new();
        loop {
            let Some(work) = self.wait(std::mem::take(&mut spare)) else {
                return Ok(());
            };
            let watermark = self.range.size() + work.leaves.len() as u64;
            if !work.leaves.is_empty() {
                let Some(durability) = self.sync()? else {
                    return Ok(());
                };
                self.shared.progress.synced.store(watermark, Ordering::Relaxed);
                let awaited = self.answer_synced(watermark, durability)?;
                if let Some(leaf) = work.leaves.last() {
                    self.shared.stores.synced(Head { size: watermark, leaf: *leaf }, awaited);
                }
                if awaited {
                    // A replica may have more than was asked for when it came to that.
                    answer_copied(&self.shared);
                }
                for leaf in &work.leaves {
                    self.range.push(*leaf);
                }
                self.unsigned_since = self.unsigned_since.or(work.since);
            }
            spare = work.leaves;
            spare.clear();
            if self.watch.is_due() {
                let name = self.shared.primary_name;
                self.watch.look(&self.shared, name, self.half.as_mut());
            }
            let asked = work.finish || !work.requests.is_empty();
            if self.signed < self.range.size() && (asked || self.is_due(Instant::now(), 0, None)) && self.may_sign() {
                self.checkpoint(work.finish)?;
            }
            if self.signed == self.range.size() {
                self.answer_requests(&work.requests);
            }
            if work.finish {
                return Ok(());
            }
        }
    }

    /// Whether every replica has been compared: what contradicts one of them is never signed.
    fn may_sign(&self) -> bool {
        let Some(uncompared) = self.shared.stores.uncompared() else {
            return true;
        };
        self.shared.progress.hold_signing(&uncompared.name);
        false
    }

    /// Whether the rules ask for a checkpoint, counting `more` records that are not synced yet, the
    /// first of them appended at `since`.
    fn is_due(&self, now: Instant, more: usize, since: Option<Instant>) -> bool {
        if self.shared.stores.uncompared().is_some() || now < self.store_rests_until {
            return false;
        }
        if let Some(retry_at) = self.retry_at {
            return now >= retry_at;
        }
        let unsigned = self.range.size() - self.signed + more as u64;
        let limits = &self.shared.limits;
        (unsigned >= limits.checkpoint_records && now >= self.rests_until)
            || self.unsigned_since.or(since).is_some_and(|since| now >= since + limits.checkpoint_interval)
    }

    /// Answers everybody below `watermark` for whom the primary is enough. Says whether others wait for
    /// replicas.
    fn answer_synced(&self, watermark: u64, durability: Durability) -> Result<bool, String> {
        let primary = self.shared.stores.primary();
        // What replicas are filled with has to be what they are told it is.
        let kept = durability.satisfies(primary.sync);
        let has_replicas = self.shared.stores.has_replicas();
        let mut weaker = (has_replicas && !kept).then_some(primary.sync);
        let mut earliest: Option<Instant> = None;
        for record in self.shared.inflight.take_synced(watermark) {
            let submission = &record.submission;
            // Whoever went ahead waits for nothing, and must not be remembered while a replica is away.
            if submission.demand.needs_no_more_than(durability, &primary) || submission.goes_ahead() {
                let receipt = Receipt::new(record.seq, record.leaf, submission.demand.class(durability, &primary));
                answer(&self.shared, submission, receipt);
            } else if has_replicas && weaker.is_none() {
                let deadline = submission.deadline;
                earliest = Some(earliest.map_or(deadline, |earliest| earliest.min(deadline)));
                self.shared.inflight.await_copies(record);
            } else {
                weaker = Some(submission.demand.wanted);
                submission.land_late(Refused::Deadline);
            }
        }
        if let Some(earliest) = earliest {
            // Nobody saw their deadlines while they were on their way from one list to the other.
            self.shared.queue.watch(earliest);
        }
        match weaker {
            None => Ok(earliest.is_some()),
            Some(wanted) => Err(format!("the store gives `{durability}` where it promised `{wanted}`")),
        }
    }

    /// Hands the newest checkpoint to those who asked for one.
    fn answer_requests(&self, requests: &[CheckpointRequest]) {
        if requests.is_empty() {
            return;
        }
        let newest = lock(&self.shared.newest_checkpoint).note.clone();
        for request in requests {
            request.done.give(Ok(newest.clone()));
        }
        let answered =
            |waiting: &CheckpointRequest| requests.iter().any(|request| Arc::ptr_eq(&request.done, &waiting.done));
        lock(&self.shared.checkpoint_requests).retain(|waiting| !answered(waiting));
    }

    /// Waits for something to do; `None` when the log has been abandoned.
    fn wait(&self, spare: Vec<Hash>) -> Option<Work> {
        let limits = &self.shared.limits;
        let mut state = lock(&self.landed.state);
        loop {
            if state.abandoned {
                return None;
            }
            let now = Instant::now();
            let sync_at = state.since.map(|since| since + limits.sync_interval);
            let is_due = self.is_due(now, state.leaves.len(), state.since) || sync_at.is_some_and(|at| at <= now);
            if state.finish || state.someone_waits || is_due || self.watch.is_due() {
                state.someone_waits = false;
                let since = state.since.take();
                // First who asks, then what is there: so a checkpoint covers all that an asker saw.
                // They stay where the deadline thread sees them until they are answered.
                let requests = lock(&self.shared.checkpoint_requests).clone();
                let leaves = std::mem::replace(&mut state.leaves, spare);
                if leaves.len() >= self.landed.limit {
                    self.landed.changed.notify_all();
                }
                return Some(Work { leaves, since, requests, finish: state.finish });
            }
            let unsigned = self.range.size() - self.signed;
            let missing = limits.checkpoint_records.saturating_sub(unsigned);
            let resting = Some(self.rests_until.max(self.store_rests_until)).filter(|until| *until > now);
            // Neither a replica that has not been compared nor a store that rests is hurried by time.
            let held_back = self.shared.stores.uncompared().is_some();
            // While nothing may be signed, its end is what wakes the thread, and not the number of records.
            let number_counts = resting.is_none() && !held_back;
            state.enough = if number_counts { usize::try_from(missing).unwrap_or(usize::MAX) } else { usize::MAX };
            let rested_at = resting.filter(|_| unsigned + state.leaves.len() as u64 > 0);
            let sign_since = self.unsigned_since.or(state.since).map(|since| since + limits.checkpoint_interval);
            let store_rested_at = Some(self.store_rests_until).filter(|until| *until > now);
            let sign_at = self.retry_at.or(sign_since).map(|at| store_rested_at.map_or(at, |rested| rested.max(at)));
            let sign_at = [sign_at, rested_at].into_iter().flatten().min().filter(|_| !held_back);
            let wake_at = [sync_at, sign_at, Some(self.watch.next())].into_iter().flatten().min();
            state = match wake_at {
                Some(at) => {
                    self.landed
                        .changed
                        .wait_timeout(state, at.saturating_duration_since(now))
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
                None => self.landed.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Forces to stable storage what has been appended, trying again while that may help;
    /// `None` when the log has been abandoned meanwhile.
    fn sync(&mut self) -> Result<Option<Durability>, String> {
        let mut backoff = BACKOFF.0;
        loop {
            let deadline = self.shared.limits.backend_deadline();
            match self.half.sync(deadline) {
                Ok(durability) => return Ok(Some(durability)),
                Err(error) if error.is_retryable() => self.shared.progress.failed(error.to_string()),
                Err(error) => return Err(error.to_string()),
            }
            if self.pause(backoff) {
                return Ok(None);
            }
            backoff = (backoff * 2).min(BACKOFF.1);
        }
    }

    /// Waits; true when the log has been abandoned, or when there is no time left to close it.
    fn pause(&self, time: Duration) -> bool {
        std::thread::sleep(time);
        lock(&self.landed.state).abandoned || self.shared.queue.closing().is_some_and(|at| Instant::now() >= at)
    }

    /// Signs and persists a checkpoint over all that is synced. A failure that may pass leaves the
    /// log unsigned for a while; the next checkpoint covers the same records.
    fn checkpoint(&mut self, last: bool) -> Result<(), String> {
        let mut backoff = BACKOFF.0;
        loop {
            let failure = match self.publish_next()? {
                None if self.signed == self.range.size() => return Ok(()),
                // That was one of which nobody knew whether it is there; the newest comes next.
                None => continue,
                Some(failure) => failure,
            };
            *lock(&self.shared.progress.unsigned_because) = Some(format!("no checkpoint: {failure}"));
            self.retry_at = Some(Instant::now() + self.shared.limits.checkpoint_interval);
            // Only the last one is worth waiting for: until then records go on being synced.
            if !last || self.pause(backoff) {
                return Ok(());
            }
            backoff = (backoff * 2).min(BACKOFF.1);
        }
    }

    /// Publishes the checkpoint whose result is unknown again, byte for byte, or else a new one. What
    /// went wrong, if that may pass.
    fn publish_next(&mut self) -> Result<Option<String>, String> {
        let doubtful = self.in_doubt.take();
        let was_in_doubt = doubtful.is_some();
        let checkpoint = match doubtful {
            Some(checkpoint) => checkpoint,
            None => {
                let (size, root) = (self.range.size(), self.range.root());
                let text = Checkpoint::new(self.shared.verifier_key.name(), size, root).to_text();
                match self.key.sign_note(&text) {
                    Ok(note) => Arc::new(NewestCheckpoint { note, range: self.range.clone() }),
                    Err(error) => return Ok(Some(error.to_string())),
                }
            }
        };
        let deadline = self.shared.limits.backend_deadline();
        match self.half.publish(&checkpoint.note, &checkpoint.range, deadline) {
            Ok(()) => self.published(checkpoint),
            Err(error) if error.is_retryable() => {
                // That nothing was written now says nothing of an attempt before.
                if was_in_doubt || !error.outcome_is_known() {
                    self.in_doubt = Some(checkpoint);
                }
                return Ok(Some(error.to_string()));
            }
            Err(error) => return Err(error.to_string()),
        }
        Ok(None)
    }

    fn published(&mut self, checkpoint: Arc<NewestCheckpoint>) {
        let now = Instant::now();
        self.signed = checkpoint.range.size();
        self.shared.progress.signed.store(self.signed, Ordering::Relaxed);
        *lock(&self.shared.newest_checkpoint) = checkpoint;
        self.shared.stores.signed(self.signed);
        *lock(&self.shared.progress.unsigned_because) = None;
        self.unsigned_since = (self.signed < self.range.size()).then_some(now);
        self.retry_at = None;
        self.rests_until = now + self.shared.limits.checkpoint_rest;
        self.store_rests_until = far(now, self.shared.stores.primary().checkpoint_rest);
    }
}
