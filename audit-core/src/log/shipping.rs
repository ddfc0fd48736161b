//! Filling one replica.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ChangePolicyError;
use super::alerts::{self, Watch};
use super::comparing::{Mismatch, Relation, compare};
use super::copied::{Broken, Copied};
use super::copies::answer_copied;
use super::requirements::check_policy;
use super::sequencer::far;
use super::shared::{NewestCheckpoint, Shared, lock};
use super::stores::{ReplicaState, Work};
use super::synchronizer::Landed;
use crate::backend::{Backend, BackendError, Head, Opened, Reader, Synchronizer};
use crate::evidence::SignedCheckpoint;
use crate::record::line;

/// The first wait between two attempts on a replica that fails.
const BACKOFF: Duration = Duration::from_millis(50);

/// How long opening and comparing a replica may take while the log is open.
const OPENING: Duration = Duration::from_secs(60);

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
    /// The checkpoint that it gets next, once it has all that this covers. Kept until then: a replica
    /// that is always a little behind would never have the newest.
    next: Option<Arc<NewestCheckpoint>>,
    /// Whether nobody knows if the replica has the checkpoint that it gets next.
    in_doubt: bool,
    /// Until when it gets no further checkpoint.
    rests_until: Instant,
}

/// What one attempt did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The log has ended.
    Ended,
    /// There was nothing to do.
    Rested,
    /// The replica was opened and compared. Whether it takes anything is not known yet.
    Connected,
    /// It took what there was.
    Filled,
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
        let shared = Arc::clone(&self.shared);
        let ended = self.ship();
        if let (Err(fatal), Some(replica)) = (ended, self.replica()) {
            shared.poison(&format!("replica `{}`: {fatal}", replica.name));
        }
        // The store is let go of before anybody hears that it is.
        drop(self);
        shared.stores.ended();
    }

    fn ship(&mut self) -> Result<(), String> {
        loop {
            self.tell_lag();
            let attempt = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.attempt()));
            let done = attempt.unwrap_or_else(|_| Err(Trouble::Lost("its store panicked".to_owned())));
            match done {
                Ok(Step::Ended) => return Ok(()),
                Ok(Step::Rested | Step::Connected) => continue,
                Ok(Step::Filled) => self.recovered(),
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

    /// Waits for something to do, and does it.
    fn attempt(&mut self) -> Result<Step, Trouble> {
        self.inspect();
        let now = Instant::now();
        match self.next_work() {
            Work::Stop => Ok(Step::Ended),
            Work::Finish(until) if now >= until || self.is_done() => Ok(Step::Ended),
            Work::Finish(until) => self.fill(u64::MAX, until),
            Work::UpTo(size) => self.fill(size, far(now, self.shared.limits.open_timeout)),
            Work::Nothing => Ok(Step::Rested),
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
        let is_covered = |next: &Arc<NewestCheckpoint>| next.range.size() <= connected.head.size;
        if !resting && connected.next.as_ref().is_some_and(is_covered) && !self.shared.stores.is_finishing() {
            return Work::UpTo(connected.head.size);
        }
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
    ///
    /// Opening may take long, all else as long as one call of a backend; neither longer than `until`.
    fn fill(&mut self, size: u64, until: Instant) -> Result<Step, Trouble> {
        if self.connected.is_none() {
            self.connect(until.min(far(Instant::now(), OPENING)))?;
            return Ok(Step::Connected);
        }
        let deadline = until.min(self.shared.limits.backend_deadline());
        if let Some(copied) = self.copy(size, deadline)? {
            self.append(copied, deadline)?;
        }
        self.publish(until.min(self.shared.limits.backend_deadline()))?;
        Ok(Step::Filled)
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
            // A log that closes lets go of its primary when the time for replicas is over.
            error if error.is_retryable() || self.shared.stores.is_finishing() => {
                Trouble::Passing(format!("the primary could not be read: {error}"))
            }
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
        let end = copied.head();
        if !self.shared.stores.remembers(end) {
            let changed = end.size.saturating_sub(1);
            return Err(Trouble::Fatal(format!(
                "the primary's records up to {changed} are not those that were written there"
            )));
        }
        Ok(Some(copied))
    }

    fn append(&mut self, copied: Copied, deadline: Instant) -> Result<(), Trouble> {
        let Some(connected) = &mut self.connected else {
            return Ok(());
        };
        let appended = self.backend.append(copied.before(), &copied.batch(), deadline);
        // Only what is as durable as the replica can make it counts.
        let class = match appended.and_then(|_| connected.half.sync(deadline)) {
            Ok(class) => class,
            Err(error) => {
                self.pending = Some(copied);
                return Err(error.into());
            }
        };
        connected.head = copied.head();
        let size = connected.head.size;
        if let Some(replica) = self.shared.stores.replica(self.index)
            && let Some(promised) = replica.holds(size, class, self.backend.capabilities())
        {
            let reason = format!("it gives `{class}` where it promised `{promised}`");
            alerts::replica(&self.shared, &replica.name, &reason);
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
        let finishing = self.shared.stores.is_finishing();
        if connected.next.is_none() || (finishing && !connected.in_doubt) {
            let newest = lock(&self.shared.newest_checkpoint).clone();
            let is_newer = connected.published.is_none_or(|published| newest.range.size() > published);
            connected.next = Some(newest).filter(|_| is_newer);
        }
        let now = Instant::now();
        let covered = connected.next.take_if(|next| next.range.size() <= connected.head.size);
        let Some(next) = covered else {
            return Ok(());
        };
        if now < connected.rests_until && !finishing {
            connected.next = Some(next);
            return Ok(());
        }
        match connected.half.publish(&next.note, &next.range, deadline) {
            Ok(()) => {
                connected.published = Some(next.range.size());
                connected.in_doubt = false;
                connected.rests_until = far(now, self.backend.capabilities().checkpoint_rest);
            }
            // Lines go on being shipped meanwhile. What may be there already is sent again as it is.
            Err(error) if error.is_retryable() && !finishing => {
                connected.next = Some(next);
                connected.in_doubt |= !error.outcome_is_known();
                connected.rests_until = far(now, LOOK);
                if let Some(replica) = self.shared.stores.replica(self.index) {
                    replica.failed(format!("no checkpoint: {error}"));
                }
            }
            Err(error) => {
                connected.in_doubt |= !error.outcome_is_known();
                connected.next = Some(next);
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Opens the replica and compares it with the primary. One that holds no log gets one.
    fn connect(&mut self, deadline: Instant) -> Result<(), Trouble> {
        let opened = self.backend.open(deadline)?;
        if self.backend.place().is_some_and(|place| Some(place.as_str()) == self.shared.primary_place.as_deref()) {
            return Err(Trouble::Fatal("it is the primary itself, under another name".to_owned()));
        }
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
        self.tell_loss(head.size);
        self.attach(head, published(&opened))?;
        self.tell_what_it_cannot_give();
        Ok(())
    }

    /// Records that a replica no longer has what it had acknowledged.
    fn tell_loss(&self, found: u64) {
        let Some(replica) = self.replica().filter(|replica| replica.is_compared() && found < replica.held()) else {
            return;
        };
        let reason = format!("it had {} records and has {found} now; what is gone is shipped again", replica.held());
        alerts::replica(&self.shared, &replica.name, &reason);
        if self.shared.stop_when_weakened {
            self.shared.stop_in_order(&format!("the replica `{}` lost records: {reason}", replica.name));
        }
    }

    /// Records that the policy in force asks for more than the stores can give, now that this one is
    /// known better.
    fn tell_what_it_cannot_give(&self) {
        let checked = check_policy(&self.shared.policy(), &self.shared.stores, self.shared.body_capture.is_some());
        if let (Err(requirement), Some(replica)) = (checked, self.replica()) {
            let reason = ChangePolicyError::from(requirement).to_string();
            alerts::replica(&self.shared, &replica.name, &reason);
        }
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
        let rests_until = Instant::now();
        self.connected = Some(Connected { half, head, published, next: None, in_doubt: false, rests_until });
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
