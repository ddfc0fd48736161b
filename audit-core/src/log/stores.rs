use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::ReplicaHealth;
use super::demand::{Demand, Holding};
use super::lag::Marks;
use super::shared::lock;
use crate::backend::{Capabilities, Durability, Head};
use crate::evidence::Hash;

/// The stores of a log, and how far each has got: what receipts are decided by, and what the threads
/// that fill replicas wait for.
#[derive(Debug)]
pub(crate) struct Stores {
    /// What the primary promises, as of its last append.
    primary: Mutex<Capabilities>,
    replicas: Vec<ReplicaState>,
    state: Mutex<State>,
    /// There may be something to ship.
    work: Condvar,
    /// The log closes, or ends: for those who wait out a failure, whom new lines must not wake.
    ending: Condvar,
    /// A replica holds more, or was let go of.
    filled: Condvar,
}

/// One replica.
#[derive(Debug)]
pub(crate) struct ReplicaState {
    pub(crate) name: String,
    pub(crate) lag_records: u64,
    pub(crate) lag_time: Duration,
    /// What it promises, once it has been opened; before, what its configuration says.
    capabilities: Mutex<Capabilities>,
    /// Whether it has been compared with the primary since the log was opened.
    compared: AtomicBool,
    /// It holds every line below this.
    held: AtomicU64,
    last_error: Mutex<Option<String>>,
}

#[derive(Debug, Default)]
struct State {
    /// How many lines the primary had when the log was opened.
    opened: u64,
    /// How many lines the primary has on stable storage.
    synced: u64,
    /// The leaf hash of the last of them, once there was one since the log was opened.
    synced_leaf: Option<Hash>,
    /// How many lines it has appended.
    appended: u64,
    /// The size of the newest checkpoint.
    signed: u64,
    /// Below which line somebody waits for replicas.
    awaited: u64,
    marks: Marks,
    /// Until when replicas may still be filled, once the log closes.
    finish: Option<Instant>,
    abandoned: bool,
    /// How many threads that fill replicas have let go of them.
    ended: usize,
}

/// What there is to do for a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Lines up to this one may be shipped, or a checkpoint up to this size published.
    UpTo(u64),
    /// Nothing until the given time.
    Nothing,
    /// The log closes: fill the replica until then, and end.
    Finish(Instant),
    /// End.
    Stop,
}

impl ReplicaState {
    pub(crate) fn new(name: String, lag_records: u64, lag_time: Duration, configured: Capabilities) -> Self {
        Self {
            name,
            lag_records,
            lag_time,
            capabilities: Mutex::new(configured),
            compared: AtomicBool::new(false),
            held: AtomicU64::new(0),
            last_error: Mutex::new(None),
        }
    }

    /// It has been opened and compared, and holds every line below `held`.
    pub(crate) fn compared(&self, capabilities: Capabilities, held: u64) {
        *lock(&self.capabilities) = capabilities;
        self.held.store(held, Ordering::Release);
        self.compared.store(true, Ordering::Release);
        *lock(&self.last_error) = None;
    }

    pub(crate) fn is_compared(&self) -> bool {
        self.compared.load(Ordering::Acquire)
    }

    /// It holds every line below `size`, in `class`, and promises this now. The class that it promised
    /// before, if that was more.
    pub(crate) fn holds(&self, size: u64, class: Durability, now: Capabilities) -> Option<Durability> {
        let promised = {
            let mut capabilities = lock(&self.capabilities);
            let promised = capabilities.sync;
            // Whoever waits for more than that is not told that it is there.
            let sync = if class.satisfies(now.sync) { now.sync } else { class };
            *capabilities = Capabilities { sync, ..now };
            promised
        };
        self.held.store(size, Ordering::Release);
        *lock(&self.last_error) = None;
        (!class.satisfies(promised)).then_some(promised)
    }

    pub(crate) fn held(&self) -> u64 {
        self.held.load(Ordering::Acquire)
    }

    pub(crate) fn failed(&self, error: String) {
        *lock(&self.last_error) = Some(error);
    }

    fn holding(&self) -> Holding {
        let capabilities = *lock(&self.capabilities);
        let size = if self.is_compared() { self.held() } else { 0 };
        Holding { capabilities, class: capabilities.sync, size }
    }
}

impl Stores {
    pub(crate) fn new(primary: Capabilities, replicas: Vec<ReplicaState>, size: u64, signed: u64) -> Self {
        let state = State { opened: size, synced: size, appended: size, signed, ..State::default() };
        let (work, ending, filled) = (Condvar::new(), Condvar::new(), Condvar::new());
        Self { primary: Mutex::new(primary), replicas, state: Mutex::new(state), work, ending, filled }
    }

    pub(crate) fn primary(&self) -> Capabilities {
        *lock(&self.primary)
    }

    /// The primary promises this now.
    pub(crate) fn primary_is(&self, capabilities: Capabilities) {
        *lock(&self.primary) = capabilities;
    }

    pub(crate) fn replica(&self, index: usize) -> Option<&ReplicaState> {
        self.replicas.get(index)
    }

    pub(crate) const fn has_replicas(&self) -> bool {
        !self.replicas.is_empty()
    }

    /// The replica that has not been compared yet, if there is one: nothing is signed until then.
    pub(crate) fn uncompared(&self) -> Option<&ReplicaState> {
        self.replicas.iter().find(|replica| !replica.is_compared())
    }

    /// Whether the stores can meet `demand`. One that has not been reached yet is taken at the word of
    /// its configuration.
    pub(crate) fn can_meet(&self, demand: Demand) -> bool {
        let replicas = self.replicas.iter().map(|replica| Holding { size: 1, ..replica.holding() });
        let stores: Vec<_> = replicas.chain([self.holding(demand.wanted, 1, 1)]).collect();
        demand.met_below(&stores) > 0
    }

    /// What the stores reach, for messages.
    pub(crate) fn classes(&self) -> String {
        let mut classes = format!("the backend reaches `{}`", self.primary().sync);
        for replica in &self.replicas {
            let reached = replica.holding().class;
            classes.push_str(&format!(", the replica `{}` reaches `{reached}`", replica.name));
        }
        classes
    }

    /// How many stores there are.
    pub(crate) fn count(&self) -> usize {
        self.replicas.len() + 1
    }

    /// Below which line every record meets `demand`.
    pub(crate) fn met_below(&self, demand: Demand) -> u64 {
        let (appended, synced) = {
            let state = lock(&self.state);
            (state.appended, state.synced)
        };
        let mut stores: Vec<_> = self.replicas.iter().map(ReplicaState::holding).collect();
        stores.push(self.holding(demand.wanted, appended, synced));
        demand.met_below(&stores)
    }

    /// In how many stores the record at `seq` is on stable storage, or as durable as they can.
    pub(crate) fn copies(&self, seq: u64) -> u8 {
        let replicas = self.replicas.iter().filter(|replica| replica.is_compared() && replica.held() > seq).count();
        u8::try_from(replicas + 1).unwrap_or(u8::MAX)
    }

    /// The primary as it counts for those who want `wanted`.
    fn holding(&self, wanted: Durability, appended: u64, synced: u64) -> Holding {
        let capabilities = self.primary();
        if capabilities.append.satisfies(wanted) {
            Holding { capabilities, class: capabilities.append, size: appended }
        } else {
            Holding { capabilities, class: capabilities.sync, size: synced }
        }
    }

    /// The primary has `size` lines on stable storage. `awaited`: somebody waits for replicas to have
    /// them too.
    pub(crate) fn synced(&self, head: Head, awaited: bool) {
        let Head { size, leaf } = head;
        if !self.has_replicas() {
            return;
        }
        let now = Instant::now();
        let slowest = self.replicas.iter().filter(|replica| replica.is_compared()).map(ReplicaState::held).min();
        let mut state = lock(&self.state);
        state.synced = size;
        state.synced_leaf = Some(leaf);
        state.appended = state.appended.max(size);
        state.marks.add(size, now);
        if let Some(slowest) = slowest.filter(|_| self.uncompared().is_none()) {
            state.marks.forget_below(slowest);
        }
        if awaited {
            state.awaited = size;
        }
        drop(state);
        self.work.notify_all();
    }

    /// Whether a copy that ends at `head` ends with the line that was written there, as far as that is
    /// remembered: for the newest line that is synced.
    pub(crate) fn remembers(&self, head: Head) -> bool {
        let state = lock(&self.state);
        state.synced != head.size || state.synced_leaf.is_none_or(|leaf| leaf == head.leaf)
    }

    /// A checkpoint of `size` has been signed.
    pub(crate) fn signed(&self, size: u64) {
        if self.has_replicas() {
            lock(&self.state).signed = size;
            self.work.notify_all();
        }
    }

    /// Lets the replicas be filled until then, and their threads end.
    pub(crate) fn finish(&self, until: Instant) {
        lock(&self.state).finish = Some(until);
        self.work.notify_all();
        self.ending.notify_all();
    }

    /// Ends the threads of the replicas as soon as they notice.
    pub(crate) fn abandon(&self) {
        lock(&self.state).abandoned = true;
        self.work.notify_all();
        self.ending.notify_all();
        self.filled.notify_all();
    }

    /// Tells whoever waits that something about a replica has changed.
    pub(crate) fn tell(&self) {
        // Whoever looks just now either sees the change or is waiting by the time of the call.
        drop(lock(&self.state));
        self.filled.notify_all();
    }

    /// Whether the log closes.
    pub(crate) fn is_finishing(&self) -> bool {
        lock(&self.state).finish.is_some()
    }

    /// A thread that fills a replica has let go of it.
    pub(crate) fn ended(&self) {
        lock(&self.state).ended += 1;
        self.filled.notify_all();
    }

    /// Waits until every replica holds `size` lines and has been let go of, or until then. The number that the one which is
    /// furthest behind still lacks.
    pub(crate) fn await_filled(&self, size: u64, until: Instant) -> u64 {
        let lacks =
            || self.replicas.iter().map(|replica| size.saturating_sub(replica.holding().size)).max().unwrap_or(0);
        let mut state = lock(&self.state);
        loop {
            let now = Instant::now();
            let lacking = lacks();
            if state.ended >= self.replicas.len() || now >= until || state.abandoned {
                return lacking;
            }
            state = self.filled.wait_timeout(state, until - now).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for something to do for a replica that holds `held` lines and could use a `checkpoint` of
    /// that size or more, at most until then. Lines that nobody waits for may `linger` for company.
    pub(crate) fn work(&self, held: u64, checkpoint: Option<u64>, until: Instant, linger: Duration) -> Work {
        let mut linger_until = None;
        let mut state = lock(&self.state);
        loop {
            if state.abandoned {
                return Work::Stop;
            }
            if let Some(finish) = state.finish {
                return Work::Finish(finish);
            }
            let now = Instant::now();
            let has_lines = state.synced > held;
            let signs = checkpoint.is_some_and(|from| state.signed >= from && state.signed <= held);
            let lingers = has_lines && state.awaited <= held && !linger.is_zero();
            let lingered = !lingers || now >= *linger_until.get_or_insert(now + linger);
            if signs || (has_lines && lingered) {
                return Work::UpTo(state.synced);
            }
            if now >= until {
                return Work::Nothing;
            }
            let wake_at = linger_until.filter(|_| has_lines).map_or(until, |at| at.min(until));
            let wait = wake_at.saturating_duration_since(now);
            state = self.work.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until then, or for a moment only while the log closes. True when the log ends.
    pub(crate) fn pause(&self, until: Instant) -> bool {
        let mut closing_until = None;
        let mut state = lock(&self.state);
        loop {
            let now = Instant::now();
            if state.abandoned || state.finish.is_some_and(|finish| now >= finish) {
                return true;
            }
            // Whoever closes has a deadline: a replica that is back by now is not missed.
            let end = state
                .finish
                .map_or(until, |finish| finish.min(until).min(*closing_until.get_or_insert(now + CLOSING_PAUSE)));
            if now >= end {
                return false;
            }
            state = self.ending.wait_timeout(state, end - now).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// How many records the replica lacks, and how old the oldest of them is. Of one that has not been
    /// compared nobody knows what it had when the log was opened: that counts as all.
    pub(crate) fn lag(&self, replica: &ReplicaState) -> (u64, Duration) {
        let held = replica.is_compared().then(|| replica.held());
        let state = lock(&self.state);
        let held = held.unwrap_or(state.opened);
        let records = state.synced.saturating_sub(held);
        let age = if records == 0 { Duration::ZERO } else { state.marks.age(held, Instant::now()) };
        (records, age)
    }

    pub(crate) fn health(&self) -> Vec<ReplicaHealth> {
        let of = |replica: &ReplicaState| {
            let (lag_records, lag_time) = self.lag(replica);
            ReplicaHealth {
                name: replica.name.clone(),
                compared: replica.is_compared(),
                records: replica.holding().size,
                lag_records,
                lag_time,
                last_error: lock(&replica.last_error).clone(),
            }
        };
        self.replicas.iter().map(of).collect()
    }
}

/// The longest wait between two attempts on a replica while the log closes.
const CLOSING_PAUSE: Duration = Duration::from_millis(200);
