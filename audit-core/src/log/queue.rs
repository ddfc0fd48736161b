use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::losses::Loss;
use super::submission::{Role, Submission};
use super::{LogLimits, Refused};
use crate::backend::{Batching, Durability};
use crate::log::shared::lock;

/// How often a batch that waits for company is looked at.
const LINGER_STEP: Duration = Duration::from_millis(10);

/// An encoded record that waits for the sequencer.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The members after `prev`.
    pub(crate) body: Vec<u8>,
    /// Who waits for it, if anybody does.
    pub(crate) submission: Option<Arc<Submission>>,
    /// What room it takes.
    pub(crate) room: Room,
    /// What the log counts or is counted by, where it speaks of itself.
    pub(crate) words: Option<OwnWords>,
}

/// A record of the log's own that has to do with counts. Two are written only when it is clear
/// what stands before them, which they count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnWords {
    /// `gap`, of so many calls that did not go ahead and so many that did.
    Gap { refused: u64, lost: u64 },
    /// `heartbeat`
    Heartbeat,
    /// `log.closed`, with so many calls without an outcome.
    Closed { open_activities: usize },
}

/// What room an entry takes in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// The queue's own: a new intent or event, admitted when there is some.
    Queue,
    /// What was set aside for the outcome when its activity began; given back when it is taken.
    Reserved,
    /// None that is counted: the log's own records, and outcomes without a reservation.
    Extra,
    /// None that is counted: the record that ends the log.
    Last,
}

impl Entry {
    const fn in_room(room: Room, body: Vec<u8>, submission: Option<Arc<Submission>>) -> Self {
        Self { body, submission, room, words: None }
    }

    pub(crate) const fn new(body: Vec<u8>, submission: Arc<Submission>) -> Self {
        Self::in_room(Room::Queue, body, Some(submission))
    }

    pub(crate) const fn outcome(body: Vec<u8>, submission: Option<Arc<Submission>>) -> Self {
        Self::in_room(Room::Reserved, body, submission)
    }

    pub(crate) const fn own(body: Vec<u8>) -> Self {
        Self::in_room(Room::Extra, body, None)
    }

    pub(crate) fn gap(loss: &Loss, line: usize) -> Self {
        let (refused, lost) = loss.calls();
        Self { words: Some(OwnWords::Gap { refused, lost }), ..Self::own(loss.encode(line)) }
    }

    pub(crate) fn heartbeat() -> Self {
        Self { words: Some(OwnWords::Heartbeat), ..Self::own(Vec::new()) }
    }

    /// The record that ends the log.
    pub(crate) fn closed(open_activities: usize) -> Self {
        let words = Some(OwnWords::Closed { open_activities });
        Self { words, ..Self::in_room(Room::Last, Vec::new(), None) }
    }
}

/// The bounded queue between callers and the sequencer.
///
/// Callers that find no room wait in line, in order, up to a limit. Outcomes always find room: it
/// was reserved when their activity began.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    work: Condvar,
    timer: Condvar,
    limits: LogLimits,
    /// How long the first record of a batch waits for company.
    linger: Duration,
}

#[derive(Debug, Default)]
struct State {
    entries: VecDeque<Entry>,
    waiting: VecDeque<Entry>,
    waiting_bytes: usize,
    /// How many of `entries` are new intents and events, and their bytes.
    admitted: usize,
    admitted_bytes: usize,
    open_activities: usize,
    /// Bytes of queued outcomes beyond what each reserved.
    overdraft: usize,
    sequencer_sleeps: bool,
    timer_wakes_at: Option<Instant>,
    closing: Option<Instant>,
    stopped: Option<Refused>,
    nudged: bool,
    ended: bool,
}

/// What [`Queue::next`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Entries to append.
    Entries,
    /// Nothing until the given time.
    Idle,
    /// The log is closing, nothing is queued, and this many activities never ended.
    Closing(usize),
    /// The log has stopped.
    Stopped,
}

/// A glance at the queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Status {
    pub(crate) open: bool,
    pub(crate) depth: usize,
    pub(crate) open_activities: usize,
}

/// Submissions whose deadline has passed.
#[derive(Debug, Default)]
pub(crate) struct Expired {
    pub(crate) submissions: Vec<Arc<Submission>>,
    /// Activities still open and records still queued, when the deadline for closing has passed.
    pub(crate) close: Option<(usize, usize)>,
}

impl Queue {
    /// A queue whose batches are bounded by `limits` and by what suits the store.
    pub(crate) fn new(mut limits: LogLimits, batching: Batching) -> Self {
        limits.batch_records = limits.batch_records.min(batching.records).max(1);
        limits.batch_bytes = limits.batch_bytes.min(batching.bytes).max(1);
        let linger = batching.linger;
        Self { state: Mutex::default(), work: Condvar::new(), timer: Condvar::new(), limits, linger }
    }

    /// Queues a new intent or event, or puts it in line for room if its caller `may_wait`. True when
    /// the caller need not wait for more than that.
    pub(crate) fn submit(&self, entry: Entry, may_wait: bool) -> Result<bool, Refused> {
        let submission = entry.submission.clone();
        let goes_ahead = !may_wait || submission.as_ref().is_some_and(|new| new.demand.wanted == Durability::Accepted);
        let mut deadline = submission.as_ref().map(|new| new.deadline);
        let mut state = lock(&self.state);
        if let Some(refused) = &state.stopped {
            return Err(refused.clone());
        }
        if state.closing.is_some() {
            return Err(Refused::Closed);
        }
        let admitted = state.waiting.is_empty() && state.has_room(&entry, &self.limits);
        if admitted {
            if let Some(submission) = submission.filter(|_| goes_ahead) {
                submission.go_ahead();
                deadline = None;
            }
            state.admit(entry);
        } else if may_wait && state.may_wait(&entry, &self.limits) {
            state.waiting_bytes += entry.body.len();
            state.waiting.push_back(entry);
        } else {
            return Err(Refused::QueueFull);
        }
        self.wake(state, deadline);
        Ok(admitted && goes_ahead)
    }

    /// Queues an outcome or a record of the log's own. False when the log has stopped.
    pub(crate) fn push_reserved(&self, entry: Entry) -> bool {
        let mut state = lock(&self.state);
        if state.stopped.is_some() {
            return false;
        }
        let deadline = entry.submission.as_ref().map(|submission| submission.deadline);
        // An outcome that nobody waits for goes with the next intent, or a little later: waking the
        // sequencer for it alone would cost its caller more than all the rest.
        let is_patient = entry.room == Room::Reserved
            && deadline.is_none()
            && state.closing.is_none()
            && state.entries.len() < self.limits.outcome_company;
        state.entries.push_back(entry);
        if !is_patient {
            self.wake(state, deadline);
        }
        true
    }

    /// Queues a record about the policy, unless the log is closing or too many of them wait already.
    pub(crate) fn push_own(&self, entry: Entry) -> Result<(), Refused> {
        let mut state = lock(&self.state);
        if let Some(refused) = &state.stopped {
            return Err(refused.clone());
        }
        if state.closing.is_some() {
            return Err(Refused::Closed);
        }
        let own = state.entries.iter().filter(|entry| entry.room == Room::Extra).count();
        if own >= self.limits.policy_changes {
            return Err(Refused::QueueFull);
        }
        state.entries.push_back(entry);
        self.wake(state, None);
        Ok(())
    }

    /// Takes `bytes` beyond the room of one outcome from what all share. False when it is used up.
    pub(crate) fn draw(&self, bytes: usize) -> bool {
        let mut state = lock(&self.state);
        let granted = state.overdraft + bytes <= self.limits.overdraft_bytes;
        if granted {
            state.overdraft += bytes;
        }
        granted
    }

    /// Sets room aside for the outcome of a call that goes ahead without a record of its intent.
    pub(crate) fn reserve_late(&self, submission: &Submission) {
        let mut state = lock(&self.state);
        if state.open_activities < self.limits.activities && !submission.reserved.swap(true, Ordering::AcqRel) {
            state.open_activities += 1;
            // A sequencer that sleeps long does not know that an outcome is to come.
            self.wake(state, None);
        }
    }

    /// Gives back the room that was set aside for the outcome of `submission`, if it still is.
    pub(crate) fn release(&self, submission: &Submission) {
        if submission.give_up_reservation() {
            let mut state = lock(&self.state);
            state.open_activities = state.open_activities.saturating_sub(1);
            // Room for an activity may admit the next in line, or end a close.
            self.wake(state, None);
        }
    }

    /// Wakes whoever has to know about a change, after unlocking.
    fn wake(&self, mut state: MutexGuard<'_, State>, deadline: Option<Instant>) {
        let timer = deadline.is_some_and(|deadline| state.timer_wakes_at.is_none_or(|at| deadline < at));
        if timer {
            state.timer_wakes_at = deadline;
        }
        let sequencer = std::mem::take(&mut state.sequencer_sleeps);
        drop(state);
        if sequencer {
            self.work.notify_one();
        }
        if timer {
            self.timer.notify_one();
        }
    }

    /// Moves queued entries, as many as one batch may hold, into `batch`. Waits for some until
    /// `until`; takes none before `not_before`.
    pub(crate) fn next(&self, batch: &mut Vec<Entry>, not_before: Option<Instant>, until: Instant) -> Next {
        let mut lingers_until = None;
        let mut state = lock(&self.state);
        loop {
            if state.stopped.is_some() {
                return Next::Stopped;
            }
            let now = Instant::now();
            if let Some(until) = self.lingers(&state, &mut lingers_until, now) {
                let step = until.saturating_duration_since(now).min(LINGER_STEP);
                state = self.work.wait_timeout(state, step).unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            let held = not_before.is_some_and(|at| now < at) && state.closing.is_none_or(|at| now < at);
            if !held {
                state.promote(&self.limits);
                if state.take_batch(batch, &self.limits) {
                    state.promote(&self.limits);
                    return Next::Entries;
                }
                if let Some(deadline) = state.closing
                    && (state.open_activities == 0 || now >= deadline)
                {
                    return Next::Closing(state.open_activities);
                }
            }
            // While the store fails, what the log itself has to say waits as well.
            let mut wake_at = not_before.filter(|_| held).unwrap_or(until);
            if let Some(deadline) = state.closing.filter(|deadline| *deadline > now) {
                wake_at = wake_at.min(deadline);
            }
            if state.open_activities > 0 && self.limits.outcome_company > 0 {
                wake_at = wake_at.min((now + self.limits.outcome_patience).max(not_before.unwrap_or(now)));
            }
            if wake_at <= now || (!held && std::mem::take(&mut state.nudged)) {
                return Next::Idle;
            }
            state.sequencer_sleeps = !held;
            let (guard, _) = self.work.wait_timeout(state, wake_at - now).unwrap_or_else(PoisonError::into_inner);
            state = guard;
            state.sequencer_sleeps = false;
        }
    }

    /// Until when a batch that could go now waits for company, if it does.
    fn lingers(&self, state: &State, until: &mut Option<Instant>, now: Instant) -> Option<Instant> {
        let full = state.entries.len() >= self.limits.batch_records || state.admitted_bytes >= self.limits.batch_bytes;
        if self.linger.is_zero() || state.entries.is_empty() || full || state.closing.is_some() {
            return None;
        }
        let until = *until.get_or_insert(now + self.linger);
        (now < until).then_some(until)
    }

    /// Puts entries that were not appended back in front, in their order.
    pub(crate) fn put_back(&self, entries: impl DoubleEndedIterator<Item = Entry>) {
        let mut state = lock(&self.state);
        let mut earliest: Option<Instant> = None;
        for entry in entries.rev() {
            if let Some(submission) = entry.submission.as_ref().filter(|waits| !waits.goes_ahead()) {
                earliest = Some(earliest.map_or(submission.deadline, |earliest| earliest.min(submission.deadline)));
            }
            state.count_in(&entry);
            state.entries.push_front(entry);
        }
        self.wake(state, earliest);
    }

    /// Ends the reservations of `count` outcomes that have been appended.
    pub(crate) fn ended(&self, count: usize, overdraft: usize) {
        if count > 0 || overdraft > 0 {
            let mut state = lock(&self.state);
            state.open_activities = state.open_activities.saturating_sub(count);
            state.overdraft = state.overdraft.saturating_sub(overdraft);
        }
    }

    /// Plans a look at `deadline`. Says why there will be none if the log has stopped.
    pub(crate) fn watch(&self, deadline: Instant) -> Option<Refused> {
        let state = lock(&self.state);
        let stopped = state.stopped.clone();
        if stopped.is_none() {
            self.wake(state, Some(deadline));
        }
        stopped
    }

    /// Refuses new intents from now on; what is queued or open may end until `deadline`.
    /// False when the log was closing or closed already.
    pub(crate) fn close(&self, deadline: Instant) -> bool {
        let mut state = lock(&self.state);
        if state.closing.is_some() || state.stopped.is_some() {
            return false;
        }
        state.closing = Some(deadline);
        // The sequencer may be waiting out a failure; it has to learn the new deadline.
        state.sequencer_sleeps = true;
        self.wake(state, Some(deadline));
        true
    }

    /// Whether nothing will be appended any more.
    pub(crate) fn is_stopped(&self) -> bool {
        lock(&self.state).stopped.is_some()
    }

    /// Whether the log is closing, and its deadline for that.
    pub(crate) fn closing(&self) -> Option<Instant> {
        lock(&self.state).closing
    }

    /// Stops the queue for the reason that `refused` gives, and hands out everybody who waits in
    /// it, and how many records it held.
    pub(crate) fn stop(&self, refused: &Refused) -> (Vec<Arc<Submission>>, usize) {
        let mut state = lock(&self.state);
        state.stopped.get_or_insert_with(|| refused.clone());
        let entries = std::mem::take(&mut state.entries);
        let waiting = std::mem::take(&mut state.waiting);
        state.admitted = 0;
        state.admitted_bytes = 0;
        state.waiting_bytes = 0;
        let unwritten = entries.len() + waiting.len();
        drop(state);
        self.work.notify_one();
        (entries.into_iter().chain(waiting).filter_map(|entry| entry.submission).collect(), unwritten)
    }

    /// Ends the thread that keeps deadlines: nobody waits any more.
    pub(crate) fn end(&self) {
        lock(&self.state).ended = true;
        self.timer.notify_one();
    }

    /// Wakes the sequencer because the log itself has something to record.
    pub(crate) fn nudge(&self) {
        let mut state = lock(&self.state);
        state.nudged = true;
        self.wake(state, None);
    }

    pub(crate) fn status(&self) -> Status {
        let state = lock(&self.state);
        Status {
            open: state.stopped.is_none() && state.closing.is_none(),
            depth: state.entries.len() + state.waiting.len(),
            open_activities: state.open_activities,
        }
    }

    /// Waits until the next planned deadline, and at least until `rested`. False when the log has
    /// ended.
    pub(crate) fn wait_for_deadline(&self, rested: Instant) -> bool {
        let mut state = lock(&self.state);
        loop {
            if state.ended {
                return false;
            }
            let now = Instant::now();
            state = match state.timer_wakes_at.map(|at| at.max(rested)) {
                Some(at) if at <= now => {
                    state.timer_wakes_at = None;
                    return true;
                }
                Some(at) => self.timer.wait_timeout(state, at - now).unwrap_or_else(PoisonError::into_inner).0,
                None => self.timer.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Removes the intents and events whose deadline has passed, and plans the next look.
    /// `others`: the earliest deadline among submissions that have left the queue.
    pub(crate) fn expire(&self, now: Instant, others: Option<Instant>) -> Expired {
        let mut state = lock(&self.state);
        let mut expired = Expired::default();
        let mut next = others;
        let State { entries, waiting, waiting_bytes, admitted, admitted_bytes, .. } = &mut *state;
        entries.retain(|entry| {
            let keep = expired.keeps(entry, now, &mut next);
            if !keep {
                *admitted = admitted.saturating_sub(1);
                *admitted_bytes = admitted_bytes.saturating_sub(entry.body.len());
            }
            keep
        });
        waiting.retain(|entry| {
            let keep = expired.keeps(entry, now, &mut next);
            if !keep {
                *waiting_bytes = waiting_bytes.saturating_sub(entry.body.len());
            }
            keep
        });
        match state.closing {
            Some(at) if at <= now => {
                expired.close = Some((state.open_activities, state.entries.len() + state.waiting.len()));
            }
            Some(at) => next = Some(next.map_or(at, |next| next.min(at))),
            None => {}
        }
        state.timer_wakes_at = match (state.timer_wakes_at, next) {
            (Some(planned), Some(next)) => Some(planned.min(next)),
            (planned, next) => planned.or(next),
        };
        expired
    }
}

impl Expired {
    /// Whether `entry` stays in the queue. Outcomes do even when nobody waits for them any more.
    fn keeps(&mut self, entry: &Entry, now: Instant, next: &mut Option<Instant>) -> bool {
        let Some(submission) = entry.submission.as_ref().filter(|waits| !waits.goes_ahead()) else {
            return true;
        };
        if submission.deadline > now {
            *next = Some(next.map_or(submission.deadline, |next| next.min(submission.deadline)));
            return true;
        }
        self.submissions.push(Arc::clone(submission));
        submission.role == Role::Outcome
    }
}

impl State {
    fn has_room(&self, entry: &Entry, limits: &LogLimits) -> bool {
        let opens = entry.submission.as_ref().is_some_and(|submission| submission.role == Role::Intent);
        self.admitted < limits.queue_records
            && (self.admitted == 0 || self.admitted_bytes + entry.body.len() <= limits.queue_bytes)
            && (!opens || self.open_activities < limits.activities)
    }

    fn may_wait(&self, entry: &Entry, limits: &LogLimits) -> bool {
        self.waiting.len() < limits.waiting && self.waiting_bytes + entry.body.len() <= limits.waiting_bytes
    }

    fn admit(&mut self, entry: Entry) {
        if let Some(submission) = &entry.submission
            && submission.role == Role::Intent
        {
            submission.reserved.store(true, Ordering::Release);
            self.open_activities += 1;
        }
        self.count_in(&entry);
        self.entries.push_back(entry);
    }

    fn count_in(&mut self, entry: &Entry) {
        if entry.room == Room::Queue {
            self.admitted += 1;
            self.admitted_bytes += entry.body.len();
        }
    }

    fn promote(&mut self, limits: &LogLimits) {
        while let Some(entry) = self.waiting.front() {
            if !self.has_room(entry, limits) {
                break;
            }
            if let Some(entry) = self.waiting.pop_front() {
                self.waiting_bytes = self.waiting_bytes.saturating_sub(entry.body.len());
                self.admit(entry);
            }
        }
    }

    fn take_batch(&mut self, batch: &mut Vec<Entry>, limits: &LogLimits) -> bool {
        let mut bytes = 0;
        while let Some(entry) = self.entries.front() {
            if !batch.is_empty()
                && (batch.len() >= limits.batch_records || bytes + entry.body.len() > limits.batch_bytes)
            {
                break;
            }
            bytes += entry.body.len();
            if let Some(entry) = self.entries.pop_front() {
                if entry.room == Room::Queue {
                    self.admitted = self.admitted.saturating_sub(1);
                    self.admitted_bytes = self.admitted_bytes.saturating_sub(entry.body.len());
                }
                batch.push(entry);
            }
        }
        !batch.is_empty()
    }
}
