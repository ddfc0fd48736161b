use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::coverage::Told;
use super::inflight::Unsynced;
use super::queue::{Entry, Next, Room};
use super::shared::{Shared, lock};
use super::stamp::Stamp;
use super::submission::{PutBack, Role, Submission, Take};
use super::synchronizer::Landed;
use super::{CloseError, Closed, Receipt, Refused, life};
use crate::backend::{Backend, BackendError, Capabilities, Durability, Head};

/// The first and the longest wait between two attempts on a store that fails.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// As good as never: thirty years.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3_600);

/// Why the sequencer ends.
pub(crate) type Fatal = String;

/// The one thread that appends.
#[derive(Debug)]
pub(crate) struct Sequencer {
    shared: Arc<Shared>,
    landed: Arc<Landed>,
    backend: Box<dyn Backend>,
    synchronizer: JoinHandle<()>,
    shippers: Vec<JoinHandle<()>>,
    /// What the backend promised at the last append.
    primary: Capabilities,
    head: Head,
    stamp: Stamp,
    /// What the log says up to its head.
    told: Told,
    batch: Vec<Entry>,
    unsynced: Vec<Unsynced>,
    backoff: Duration,
    not_before: Option<Instant>,
    next_heartbeat: Instant,
    next_gap: Instant,
}

impl Sequencer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        landed: Arc<Landed>,
        backend: Box<dyn Backend>,
        synchronizer: JoinHandle<()>,
        shippers: Vec<JoinHandle<()>>,
        head: Head,
    ) -> Self {
        let now = Instant::now();
        let primary = backend.capabilities();
        Self {
            next_heartbeat: far(now, shared.limits.heartbeat),
            next_gap: now,
            shared,
            landed,
            backend,
            synchronizer,
            shippers,
            primary,
            head,
            stamp: Stamp::new(),
            told: Told::default(),
            batch: Vec::new(),
            unsynced: Vec::new(),
            backoff: BACKOFF.0,
            not_before: None,
        }
    }

    /// Runs until the log is closed or poisoned.
    pub(crate) fn run(mut self) {
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.sequence()));
        match panicked {
            Ok(Ok(closing)) => self.finish(&closing),
            Ok(Err(fatal)) => self.give_up(&fatal),
            Err(_) => self.give_up("the sequencer thread panicked"),
        }
    }

    fn give_up(mut self, fatal: &str) {
        self.shared.poison(fatal);
        let refused = Refused::Poisoned { detail: fatal.into() };
        // Those that were in no list when a panic struck.
        for submission in self.batch.drain(..).filter_map(|entry| entry.submission) {
            self.shared.refuse(&submission, &refused, false);
        }
        for record in self.unsynced.drain(..) {
            record.submission.land_late(refused.clone());
        }
        self.landed.abandon();
        self.shared.stores.abandon();
        // Another writer may have the log only when nothing of this one is left.
        let _ = self.synchronizer.join();
        // A thread that waits for its replica reads nothing more, and must not keep the next writer out.
        drop(self.backend);
        for shipper in self.shippers {
            let _ = shipper.join();
        }
    }

    fn sequence(&mut self) -> Result<Closing, Fatal> {
        loop {
            let until = self.next_heartbeat.min(self.next_gap_at());
            match self.shared.queue.next(&mut self.batch, self.not_before, until) {
                Next::Stopped => return Err("the log was stopped".to_owned()),
                Next::Closing(open_activities) => return self.write_closed(open_activities),
                Next::Entries => {}
                Next::Idle if self.not_before.is_some_and(|at| Instant::now() < at) => continue,
                Next::Idle => {}
            }
            // The pause is over: whatever is there may be tried again, the log's own words too.
            self.not_before = None;
            self.add_own_records();
            if !self.batch.is_empty() {
                self.append()?;
            }
        }
    }

    fn next_gap_at(&self) -> Instant {
        if lock(&self.shared.losses).is_empty() { self.next_heartbeat } else { self.next_gap }
    }

    /// Adds what the log itself has to say to the batch.
    fn add_own_records(&mut self) {
        if self.batch.iter().any(|entry| entry.room == Room::Extra) {
            // They come back from an append that failed: more would only pile up.
            return;
        }
        let now = Instant::now();
        let beats = now >= self.next_heartbeat;
        // A heartbeat sums up: what has been lost is told before it.
        if beats || now >= self.next_gap {
            let losses = lock(&self.shared.losses).take();
            if !losses.is_empty() {
                self.next_gap = now + self.shared.limits.gap_interval;
            }
            let line = self.shared.limits.record.line;
            self.batch.extend(losses.iter().map(|loss| Entry::gap(loss, line)));
        }
        if beats {
            self.next_heartbeat = far(now, self.shared.limits.heartbeat);
            self.batch.push(Entry::heartbeat());
        }
    }

    /// Frames the batch and appends it, or puts it back.
    fn append(&mut self) -> Result<(), Fatal> {
        self.stamp_batch();
        if self.batch.is_empty() {
            return Ok(());
        }
        let waiting = self.batch.iter().filter_map(|entry| entry.submission.clone());
        if let Some(earliest) = self.shared.inflight.begin_append(waiting)
            && self.shared.queue.watch(earliest).is_some()
        {
            return Err("the log was stopped".to_owned());
        }
        self.landed.await_room();
        let may_use_reserve = self.batch.iter().all(|entry| entry.room != Room::Queue);
        let deadline = self.shared.limits.backend_deadline();
        let result = self.backend.append(self.head, &self.stamp.batch(may_use_reserve), deadline);
        match result {
            Ok(durability) => self.landed(self.batch.len(), durability),
            Err(error) => self.failed(&error)?,
        }
        Ok(())
    }

    /// Takes every submission that still waits, and makes lines of the batch.
    fn stamp_batch(&mut self) {
        let shared = &self.shared;
        self.batch.retain(|entry| {
            let Some(submission) = &entry.submission else {
                return true;
            };
            match submission.take() {
                Take::Append => true,
                Take::SkipAndKeepRoom => false,
                Take::Skip => {
                    shared.queue.release(submission);
                    false
                }
            }
        });
        self.stamp.start(self.head);
        let mut told = self.told;
        for entry in &mut self.batch {
            if let Some(body) = entry.words.and_then(|words| life::sum_up(shared, words, told)) {
                entry.body = body;
            }
            told.add(entry);
            self.stamp.line(&entry.body);
        }
    }

    /// The first `count` entries of the batch are in the log.
    fn landed(&mut self, count: usize, durability: Durability) {
        let leaves = self.stamp.leaves().get(..count).unwrap_or_default();
        let first = self.stamp.before().size;
        if let Some(leaf) = leaves.last() {
            self.head = Head { size: first + count as u64, leaf: *leaf };
        }
        // A store may have become less than it was when it was opened.
        let primary = self.backend.capabilities();
        if primary != self.primary {
            self.primary = primary;
            self.shared.stores.primary_is(primary);
        }
        for ((entry, leaf), seq) in self.batch.iter().zip(leaves).zip(first..) {
            if let Some(submission) =
                entry.submission.as_ref().filter(|waits| !waits.demand.needs_no_more_than(durability, &primary))
            {
                self.unsynced.push(Unsynced { submission: Arc::clone(submission), seq, leaf: *leaf });
            }
        }
        for entry in self.batch.iter().take(count) {
            self.told.add(entry);
        }
        self.shared.coverage.recorded.store(self.told.recorded(), Ordering::Release);
        let someone_waits = !self.unsynced.is_empty();
        self.shared.inflight.await_sync(&mut self.unsynced);
        self.shared.inflight.end_append();
        self.landed.add(leaves, someone_waits);
        // Whoever learns that a record is in the log may at once ask for a checkpoint over it.
        self.shared.progress.committed(self.head.size);
        self.backoff = BACKOFF.0;
        self.not_before = None;

        let outcome_bytes = self.shared.limits.outcome_bytes;
        let (mut outcomes, mut overdraft) = (0, 0);
        for ((entry, leaf), seq) in self.batch.drain(..count).zip(leaves).zip(first..) {
            if entry.room == Room::Reserved {
                outcomes += 1;
                overdraft += entry.body.len().saturating_sub(outcome_bytes);
            }
            let Some(submission) = entry.submission else {
                continue;
            };
            if submission.demand.needs_no_more_than(durability, &primary) {
                let class = submission.demand.class(durability, &primary);
                answer(&self.shared, &submission, Receipt::new(seq, *leaf, class));
            }
        }
        self.shared.queue.ended(outcomes, overdraft);
    }

    fn failed(&mut self, error: &BackendError) -> Result<(), Fatal> {
        self.shared.progress.failed(error.to_string());
        if !error.is_retryable() {
            return Err(error.to_string());
        }
        if !error.outcome_is_known() {
            return self.send_again();
        }
        let full = match error {
            BackendError::Full { detail } => Some(Refused::StorageFull { detail: detail.as_str().into() }),
            _ => None,
        };
        let had_new = self.batch.iter().any(|entry| entry.room == Room::Queue);
        self.drop_gone(full.as_ref());
        if full.is_some() && had_new && !self.batch.is_empty() {
            // What is kept free is for what is left now.
            self.shared.inflight.end_append();
            return self.append();
        }
        self.shared.queue.put_back(self.batch.drain(..));
        self.shared.inflight.end_append();
        if self.shared.queue.closing().is_some_and(|at| Instant::now() >= at) {
            return Err(format!("not written before the deadline for closing: {error}"));
        }
        self.wait_longer();
        Ok(())
    }

    fn wait_longer(&mut self) {
        // Up to a quarter more, so that many writers of one store do not come back together.
        let jitter = self.backoff.mul_f64(fastrand::f64() / 4.0);
        self.not_before = Some(Instant::now() + self.backoff + jitter);
        self.backoff = (self.backoff * 2).min(BACKOFF.1);
    }

    /// Sends the same bytes again until the store says that it has them, because an earlier attempt may
    /// still arrive: only the same bytes can meet it. The store compares, and never has them twice.
    fn send_again(&mut self) -> Result<(), Fatal> {
        let may_use_reserve = self.batch.iter().all(|entry| entry.room != Room::Queue);
        loop {
            if self.shared.queue.closing().is_some_and(|at| Instant::now() >= at) {
                return Err("the store did not answer before the deadline for closing".to_owned());
            }
            if self.shared.queue.is_stopped() {
                return Err("the log was stopped".to_owned());
            }
            std::thread::sleep(self.backoff);
            self.backoff = (self.backoff * 2).min(BACKOFF.1);
            let deadline = self.shared.limits.backend_deadline();
            match self.backend.append(self.head, &self.stamp.batch(may_use_reserve), deadline) {
                Ok(durability) => {
                    self.landed(self.batch.len(), durability);
                    return Ok(());
                }
                Err(error) if error.is_retryable() => self.shared.progress.failed(error.to_string()),
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    /// Takes out of a batch that was not appended those for whom nobody waits any more. `full`: new
    /// intents are refused at once, because waiting for room would only make every caller wait.
    fn drop_gone(&mut self, full: Option<&Refused>) {
        let shared = &self.shared;
        self.batch.retain(|entry| {
            let Some(submission) = entry.submission.as_ref().filter(|waits| waits.role != Role::Outcome) else {
                return true;
            };
            if let Some(refused) = full
                && shared.refuse(submission, refused, false)
            {
                return false;
            }
            match submission.put_back() {
                PutBack::Waits => true,
                PutBack::Gone { ran } => {
                    // Its caller was told to go, one way or the other, while it might still have landed.
                    shared.lose(submission, &Refused::Deadline, ran);
                    if !ran {
                        shared.queue.release(submission);
                    }
                    false
                }
            }
        });
    }

    /// Writes `log.closed`, trying until the deadline for closing.
    fn write_closed(&mut self, open_activities: usize) -> Result<Closing, Fatal> {
        self.next_gap = Instant::now();
        self.add_own_records();
        loop {
            self.batch.push(Entry::closed(open_activities));
            self.append()?;
            if self.not_before.is_none() {
                self.shared.stop(&Refused::Closed);
                return Ok(Closing { open_activities });
            }
            std::thread::sleep(self.backoff);
            if self.shared.queue.next(&mut self.batch, None, Instant::now()) == Next::Stopped {
                return Err("the log was stopped".to_owned());
            }
            // It is put at the end again, behind what has been queued meanwhile.
            self.batch.retain(|entry| entry.room != Room::Last);
        }
    }

    /// Waits for the last checkpoint and, while there is time, for the replicas; lets go of the store,
    /// and answers who closed the log.
    fn finish(self, closing: &Closing) {
        self.landed.finish();
        let _ = self.synchronizer.join();
        let records = self.head.size;
        let now = Instant::now();
        let left = self.shared.queue.closing().map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        // The answer has to be there before the deadline, which would be given for it.
        let until = now + left - left / 10;
        self.shared.stores.finish(until);
        let lacking = self.shared.stores.await_filled(records, until);
        drop(self.backend);
        self.shared.answer_rest(&Refused::Closed);
        let signed = self.shared.progress.signed.load(Ordering::Relaxed);
        self.shared.closing.give(if closing.open_activities > 0 {
            Err(CloseError::Deadline { open_activities: closing.open_activities, unwritten: 0 })
        } else if signed < records {
            let because = lock(&self.shared.progress.unsigned_because).clone();
            let detail = because.unwrap_or_else(|| "the last checkpoint was not written".to_owned());
            Err(CloseError::Incomplete { unwritten: 0, detail: detail.into() })
        } else {
            Ok(Closed { records, replicas_lack: lacking })
        });
        self.shared.queue.end();
        for shipper in self.shippers {
            let _ = shipper.join();
        }
    }
}

/// What was left when the log was closed.
#[derive(Debug)]
pub(crate) struct Closing {
    open_activities: usize,
}

/// Hands out a receipt; ends the activity of a caller that did not wait for it.
pub(crate) fn answer(shared: &Shared, submission: &Submission, receipt: Receipt) {
    let landing = submission.land(receipt);
    shared.settle(submission, landing, "the intent was durable too late");
}

/// `now + time`, or as far ahead as makes no difference.
pub(crate) fn far(now: Instant, time: Duration) -> Instant {
    now + time.min(FAR)
}
