//! Filling one replica.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::alerts::{self, Watch};
use super::comparing::{Mismatch, Relation, compare};
use super::copied::{Broken, Copied};
use super::copies::answer_copied;
use super::sequencer::far;
use super::shared::{Shared, lock};
use super::stores::{ReplicaState, Work};
use super::synchronizer::Landed;
use crate::backend::{Backend, BackendError, Head, Opened, Reader, Synchronizer};
use crate::evidence::SignedCheckpoint;
use crate::record::line;

/// The first wait between two attempts on a replica that fails.
const BACKOFF: Duration = Duration::from_millis(50);

/// How often a replica that has nothing to do is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// The thread that fills one replica.
#[derive(Debug)]
pub(crate) struct Shipper {
    shared: Arc<Shared>,
    landed: Arc<Landed>,
    index: usize,
    backend: Box<dyn Backend>,
    source: Box<dyn Reader>,
    connected: Option<Connected>,
    /// Lines of which nobody knows whether the replica has them: sent again as they are.
    pending: Option<Copied>,
    backoff: Duration,
    watch: Watch,
    lag_told: bool,
    trouble_told: Option<String>,
}

/// A replica that has been opened and compared.
#[derive(Debug)]
struct Connected {
    half: Box<dyn Synchronizer>,
    head: Head,
    /// The size of the newest checkpoint that it has.
    published: Option<u64>,
    rests_until: Instant,
}

/// Why something did not work.
#[derive(Debug)]
enum Trouble {
    /// It may later.
    Passing(String),
    /// It may once the replica has been opened again.
    Lost(String),
    /// The replica contradicts the log.
    Fatal(String),
}

impl From<BackendError> for Trouble {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::Conflict { .. } | BackendError::Tampered { .. } => Self::Fatal(error.to_string()),
            error if error.is_retryable() => Self::Passing(error.to_string()),
            error => Self::Lost(error.to_string()),
        }
    }
}

impl Shipper {
    pub(crate) fn new(
        shared: Arc<Shared>,
        landed: Arc<Landed>,
        index: usize,
        backend: Box<dyn Backend>,
        source: Box<dyn Reader>,
    ) -> Self {
        Self {
            watch: Watch::new(shared.limits.inspect_interval),
            shared,
            landed,
            index,
            backend,
            source,
            connected: None,
            pending: None,
            backoff: BACKOFF,
            lag_told: false,
            trouble_told: None,
        }
    }

    /// Takes over a replica that was opened and compared before the log was.
    pub(crate) fn connected(mut self, opened: &Opened) -> Result<Self, BackendError> {
        self.attach(opened.head, published(opened))?;
        Ok(self)
    }

    /// Runs until the log is closed or poisoned.
    pub(crate) fn run(mut self) {
        let (shared, index) = (Arc::clone(&self.shared), self.index);
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || self.ship()));
        let Some(replica) = shared.stores.replica(index) else {
            return shared.stores.ended();
        };
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(fatal)) => shared.poison(&format!("replica `{}`: {fatal}", replica.name)),
            Err(_) => {
                replica.failed("the thread that fills it panicked".to_owned());
                alerts::replica(&shared, &replica.name, "the thread that fills it panicked");
            }
        }
        shared.stores.ended();
    }

    fn ship(&mut self) -> Result<(), String> {
        loop {
            self.tell_lag();
            self.inspect();
            let done = match self.next_work() {
                Work::Stop => return Ok(()),
                Work::Finish(until) if Instant::now() >= until || self.is_done() => return Ok(()),
                Work::Finish(until) => self.fill(u64::MAX, until),
                Work::UpTo(size) => self.fill(size, self.shared.limits.backend_deadline()),
                Work::Nothing => continue,
            };
            match done {
                Ok(()) => self.recovered(),
                Err(Trouble::Fatal(detail)) => return Err(detail),
                Err(Trouble::Passing(detail)) => self.note(detail, false),
                Err(Trouble::Lost(detail)) => {
                    self.connected = None;
                    self.pending = None;
                    self.note(detail, true);
                }
            }
            if self.backoff > BACKOFF && self.rest() {
                return Ok(());
            }
        }
    }

    fn next_work(&self) -> Work {
        let now = Instant::now();
        let Some(connected) = &self.connected else {
            // Something is to be done at once: opening it.
            return match self.shared.stores.work(0, None, now, Duration::ZERO) {
                Work::Nothing => Work::UpTo(0),
                work => work,
            };
        };
        let resting = connected.rests_until > now;
        let checkpoint = (!resting).then_some(connected.published.map_or(0, |size| size + 1));
        let mut until = (now + LOOK).min(self.watch.next());
        if resting {
            until = until.min(connected.rests_until);
        }
        if self.pending.is_some() {
            return match self.shared.stores.work(connected.head.size, None, now, Duration::ZERO) {
                Work::Nothing => Work::UpTo(connected.head.size),
                work => work,
            };
        }
        self.shared.stores.work(connected.head.size, checkpoint, until, self.backend.batching().linger)
    }

    /// Opens the replica if need be, appends what it lacks of the lines below `size`, as many as suit
    /// it in one batch, and publishes the newest checkpoint if that is due.
    fn fill(&mut self, size: u64, deadline: Instant) -> Result<(), Trouble> {
        let deadline = deadline.min(self.shared.limits.backend_deadline());
        if self.connected.is_none() {
            return self.connect(deadline);
        }
        if let Some(copied) = self.copy(size, deadline)? {
            self.append(copied, deadline)?;
        }
        self.publish(deadline)
    }

    /// The next lines, or those that were sent before without an answer.
    fn copy(&mut self, size: u64, deadline: Instant) -> Result<Option<Copied>, Trouble> {
        if let Some(pending) = self.pending.take() {
            return Ok(Some(pending));
        }
        let Some(Connected { head, .. }) = self.connected else {
            return Ok(None);
        };
        let upto = size.min(self.shared.progress.synced());
        if upto <= head.size {
            return Ok(None);
        }
        let bytes = self.source.read(head.size..upto, deadline).map_err(|error| match error {
            error if error.is_retryable() => Trouble::Passing(format!("the primary could not be read: {error}")),
            error => Trouble::Fatal(format!("the primary could not be read: {error}")),
        })?;
        let batching = self.backend.batching();
        let (records, limit) = (self.shared.limits.batch_records, self.shared.limits.batch_bytes);
        let copied = Copied::new(head, bytes, records.min(batching.records), limit.min(batching.bytes));
        let copied = copied.map_err(|Broken(seq)| {
            Trouble::Fatal(format!("record {seq} of the primary is not the one that was written there"))
        })?;
        if copied.is_empty() {
            return Err(Trouble::Passing(format!("the primary does not give record {} yet", head.size)));
        }
        Ok(Some(copied))
    }

    fn append(&mut self, copied: Copied, deadline: Instant) -> Result<(), Trouble> {
        let Some(connected) = &mut self.connected else {
            return Ok(());
        };
        let appended = self.backend.append(copied.before(), &copied.batch(), deadline);
        // Only what is as durable as the replica can make it counts.
        let synced = appended.and_then(|_| connected.half.sync(deadline));
        if let Err(error) = synced {
            self.pending = Some(copied);
            return Err(error.into());
        }
        connected.head = copied.head();
        let size = connected.head.size;
        if let Some(replica) = self.shared.stores.replica(self.index) {
            replica.holds(size);
        }
        self.shared.stores.tell();
        answer_copied(&self.shared);
        Ok(())
    }

    /// Publishes the newest checkpoint, if the replica has all that it covers and it is not too soon
    /// after the one before; the last one in any case.
    fn publish(&mut self, deadline: Instant) -> Result<(), Trouble> {
        let Some(connected) = &mut self.connected else {
            return Ok(());
        };
        let newest = lock(&self.shared.newest_checkpoint).clone();
        let now = Instant::now();
        let size = newest.range.size();
        let due = connected.published.is_none_or(|published| size > published) && size <= connected.head.size;
        if !due || (now < connected.rests_until && !self.shared.stores.is_finishing()) {
            return Ok(());
        }
        connected.half.publish(&newest.note, &newest.range, deadline)?;
        connected.published = Some(size);
        connected.rests_until = far(now, self.backend.capabilities().checkpoint_rest);
        Ok(())
    }

    /// Opens the replica and compares it with the primary. One that holds no log gets one.
    fn connect(&mut self, deadline: Instant) -> Result<(), Trouble> {
        let opened = self.backend.open(deadline)?;
        let shared = Arc::clone(&self.shared);
        let key = &shared.verifier_key;
        let name = self.replica().map_or_else(String::new, |replica| replica.name.clone());
        let own = self.own_head(opened.head.size, deadline)?;
        let source = &mut self.source;
        let mut read_own = |range| source.read(range, deadline);
        let relation = compare(&name, key, own, &mut read_own, self.backend.as_mut(), &opened, deadline);
        match relation {
            Ok(Relation::Empty) => self.backend.create(&key.to_string(), deadline)?,
            Ok(Relation::Beginning) => {}
            Ok(Relation::Continuation) => {
                return Err(Trouble::Fatal(format!(
                    "it holds {} records, the primary only {}: they were not written by this log",
                    opened.head.size, own.size
                )));
            }
            Err(Mismatch::Forked(detail)) => return Err(Trouble::Fatal(detail)),
            Err(Mismatch::Store(error)) => return Err(error.into()),
        }
        let head = if relation.is_ok_and(|relation| relation == Relation::Empty) { Head::EMPTY } else { opened.head };
        self.attach(head, published(&opened))?;
        Ok(())
    }

    /// The head of the primary as far as it is synced, for comparing with a replica of `theirs` lines.
    fn own_head(&mut self, theirs: u64, deadline: Instant) -> Result<Head, Trouble> {
        let size = self.shared.progress.synced();
        let common = size.min(theirs);
        let Some(last) = common.checked_sub(1) else {
            return Ok(Head { size, ..Head::EMPTY });
        };
        let bytes = self.source.read(last..common, deadline)?;
        let found = bytes.strip_suffix(b"\n").map(line::leaf);
        let leaf = found.ok_or_else(|| Trouble::Passing(format!("the primary does not give record {last}")))?;
        // What is compared is the line at the common end, whose hash covers all before it.
        Ok(Head { size: if theirs > size { size } else { common }, leaf })
    }

    fn attach(&mut self, head: Head, published: Option<u64>) -> Result<(), BackendError> {
        let half = self.backend.synchronizer()?;
        self.connected = Some(Connected { half, head, published, rests_until: Instant::now() });
        if let Some(replica) = self.shared.stores.replica(self.index) {
            replica.compared(self.backend.capabilities(), head.size);
        }
        self.shared.stores.tell();
        // What was held back until now may be signed.
        self.landed.nudge();
        Ok(())
    }

    /// Whether a log that closes has nothing left for the replica.
    fn is_done(&self) -> bool {
        let newest = lock(&self.shared.newest_checkpoint).range.size();
        self.pending.is_none()
            && self.connected.as_ref().is_some_and(|connected| {
                connected.head.size >= self.shared.progress.synced() && connected.published >= Some(newest)
            })
    }

    /// Looks whether the replica is still what it was, if that is due.
    fn inspect(&mut self) {
        let Some(connected) = self.connected.as_mut().filter(|_| self.watch.is_due()) else {
            return;
        };
        let name = self.shared.stores.replica(self.index).map_or("", |replica| replica.name.as_str());
        self.watch.look(&self.shared, name, connected.half.as_mut());
    }

    fn replica(&self) -> Option<&ReplicaState> {
        self.shared.stores.replica(self.index)
    }

    fn recovered(&mut self) {
        self.backoff = BACKOFF;
        self.trouble_told = None;
    }

    /// Something failed. `lost`: it is not expected to pass by itself, so the log says so.
    fn note(&mut self, detail: String, lost: bool) {
        if let Some(replica) = self.replica() {
            replica.failed(detail.clone());
            if lost
                && self.trouble_told.as_ref() != Some(&detail)
                && alerts::replica(&self.shared, &replica.name, &detail)
            {
                self.trouble_told = Some(detail);
            }
        }
        self.backoff = (self.backoff * 2).min(self.shared.limits.replica_backoff.max(BACKOFF * 2));
    }

    /// Waits before the next attempt; true when the log has ended.
    fn rest(&self) -> bool {
        // Up to a quarter more, so that many logs do not come back to one server together.
        let jitter = self.backoff.mul_f64(fastrand::f64() / 4.0);
        self.shared.stores.pause(far(Instant::now(), self.backoff + jitter))
    }

    /// Says once that the replica is too far behind, and once more after it had caught up.
    fn tell_lag(&mut self) {
        let Some(replica) = self.shared.stores.replica(self.index) else {
            return;
        };
        let (records, time) = self.shared.stores.lag(replica);
        if records <= replica.lag_records && time <= replica.lag_time {
            if records <= replica.lag_records / 2 && time <= replica.lag_time / 2 {
                self.lag_told = false;
            }
        } else if !self.lag_told {
            self.lag_told = alerts::lag(&self.shared, &replica.name, records, time);
        }
    }
}

/// The size of the newest checkpoint that a store had when it was opened.
fn published(opened: &Opened) -> Option<u64> {
    let signed = opened.checkpoint.as_deref().and_then(|note| SignedCheckpoint::parse(note).ok());
    signed.map(|signed| signed.checkpoint().size)
}
