use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use audit_core::backend::{Backend, BackendError, Batch, Capabilities, Head, Opened, Reader, Synchronizer};
use audit_core::evidence::CompactRange;
use audit_core::log::{Builder, LogLimits};
use audit_core::{AuditLog, Durability, Event, Key, Memory, Policy};
use serde_json::Value;

/// A builder of a log in `memory` whose appends are `synced` at once.
pub(crate) fn builder(memory: &Memory) -> Builder {
    AuditLog::builder("test.example/log").key(key()).backend(memory.clone())
}

pub(crate) fn key() -> Key {
    Key::generate("test.example").unwrap()
}

pub(crate) fn memory() -> Memory {
    Memory::promising(Durability::Synced)
}

/// A log that nothing disturbs, and the memory it is kept in.
pub(crate) fn log() -> (AuditLog, Memory) {
    let memory = memory();
    (builder(&memory).open().unwrap(), memory)
}

pub(crate) fn policy(rule: &str) -> Policy {
    Policy::from_toml(&format!("[[rule]]\nname = \"test\"\n{rule}\n")).unwrap()
}

pub(crate) fn event() -> Event<'static> {
    Event::action("ledger.rotate").resource("ledger/7")
}

/// Every record in `memory`.
pub(crate) fn records(memory: &Memory) -> Vec<Value> {
    memory.lines().iter().map(|line| serde_json::from_slice(line).unwrap()).collect()
}

/// The records of one kind.
pub(crate) fn of_kind(memory: &Memory, kind: &str) -> Vec<Value> {
    records(memory).into_iter().filter(|record| record["kind"] == kind).collect()
}

/// The `result` of every outcome.
pub(crate) fn results(memory: &Memory) -> Vec<String> {
    of_kind(memory, "outcome").iter().map(|record| record["result"].as_str().unwrap().to_owned()).collect()
}

pub(crate) async fn close(log: &AuditLog) {
    log.close(Duration::from_secs(5)).await.unwrap();
}

/// Waits until `condition` holds, for at most five seconds.
pub(crate) async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(5), "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A store in memory between which and the log stands a valve.
#[derive(Debug)]
pub(crate) struct Valved {
    memory: Memory,
    valve: Arc<Valve>,
}

/// What happens to the calls of a [`Valved`] store.
#[derive(Debug, Default)]
pub(crate) struct Valve {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    appends: Way,
    syncs: Way,
    append_calls: usize,
}

/// What happens to one kind of call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Way {
    /// It goes through.
    #[default]
    Open,
    /// It waits until this changes, whatever its deadline.
    Hang,
    /// It fails, and nothing is written.
    Unavailable,
    /// There is room only for outcomes and the log's own records.
    Full,
    /// It is written, and fails.
    WrittenUnknown,
    /// It is not written, and fails in a way that does not tell.
    LostUnknown,
    /// Only its first line is written, and it fails.
    TornUnknown,
    /// Another writer got in.
    Conflict,
    /// Stable storage failed.
    Poisoned,
    /// The store's own code panics.
    Panic,
}

impl Valve {
    pub(crate) fn appends(&self, way: Way) {
        self.state.lock().unwrap().appends = way;
        self.changed.notify_all();
    }

    pub(crate) fn syncs(&self, way: Way) {
        self.state.lock().unwrap().syncs = way;
        self.changed.notify_all();
    }

    pub(crate) fn append_calls(&self) -> usize {
        self.state.lock().unwrap().append_calls
    }

    fn pass(&self, which: impl Fn(&State) -> Way) -> Way {
        let mut state = self.state.lock().unwrap();
        while which(&state) == Way::Hang {
            state = self.changed.wait(state).unwrap();
        }
        which(&state)
    }
}

/// A log on a store with a valve.
pub(crate) fn valved(
    durability: Durability,
    change: impl FnOnce(Builder) -> Builder,
) -> (AuditLog, Memory, Arc<Valve>) {
    let memory = Memory::with_capabilities(Capabilities::new(
        durability,
        Durability::Synced,
        audit_core::backend::Fencing::None,
    ));
    let valve = Arc::new(Valve::default());
    let store = Valved { memory: memory.clone(), valve: Arc::clone(&valve) };
    let builder = AuditLog::builder("test.example/log").key(key()).backend(store);
    (change(builder).open().unwrap(), memory, valve)
}

/// Limits under which checkpoints and heartbeats keep out of the way.
pub(crate) fn quiet(limits: &mut LogLimits) {
    limits.checkpoint_interval = Duration::from_secs(60);
    limits.sync_interval = Duration::from_secs(60);
}

fn failure(way: Way, doing: &'static str) -> BackendError {
    let io = || std::io::Error::other("made to fail");
    match way {
        Way::Unavailable => BackendError::unavailable(doing, io()),
        Way::Full => BackendError::Full { detail: "made to be full".into() },
        Way::Conflict => BackendError::Conflict { found: None, detail: "made to conflict".into() },
        Way::Poisoned => BackendError::Poisoned { detail: "made to fail".into() },
        Way::Panic => panic!("made to panic"),
        _ => BackendError::unknown(doing, io()),
    }
}

impl Backend for Valved {
    fn name(&self) -> &'static str {
        "valved"
    }

    fn capabilities(&self) -> Capabilities {
        self.memory.capabilities()
    }

    fn open(&mut self, deadline: Instant) -> Result<Opened, BackendError> {
        self.memory.open(deadline)
    }

    fn create(&mut self, verifier_key: &str, deadline: Instant) -> Result<(), BackendError> {
        self.memory.create(verifier_key, deadline)
    }

    fn head(&mut self, deadline: Instant) -> Result<Head, BackendError> {
        self.memory.head(deadline)
    }

    fn append(&mut self, expected: Head, batch: &Batch<'_>, deadline: Instant) -> Result<Durability, BackendError> {
        self.valve.state.lock().unwrap().append_calls += 1;
        match self.valve.pass(|state| state.appends) {
            Way::Open => self.memory.append(expected, batch, deadline),
            Way::Full if batch.may_use_reserve => self.memory.append(expected, batch, deadline),
            Way::WrittenUnknown => {
                self.memory.append(expected, batch, deadline)?;
                Err(failure(Way::WrittenUnknown, "append"))
            }
            Way::TornUnknown => {
                let end = batch.ends[0];
                let first = Batch::new(batch.first, &batch.bytes[..end], &batch.ends[..1], &batch.leaves[..1], true);
                self.memory.append(expected, &first, deadline)?;
                Err(failure(Way::TornUnknown, "append"))
            }
            way => Err(failure(way, "append")),
        }
    }

    fn read(&mut self, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
        self.memory.read(range, deadline)
    }

    fn reader(&mut self) -> Result<Box<dyn Reader>, BackendError> {
        self.memory.reader()
    }

    fn synchronizer(&mut self) -> Result<Box<dyn Synchronizer>, BackendError> {
        Ok(Box::new(ValvedHalf { half: self.memory.synchronizer()?, valve: Arc::clone(&self.valve) }))
    }
}

#[derive(Debug)]
struct ValvedHalf {
    half: Box<dyn Synchronizer>,
    valve: Arc<Valve>,
}

impl Synchronizer for ValvedHalf {
    fn sync(&mut self, deadline: Instant) -> Result<Durability, BackendError> {
        match self.valve.pass(|state| state.syncs) {
            Way::Open => self.half.sync(deadline),
            way => Err(failure(way, "sync")),
        }
    }

    fn publish(&mut self, note: &[u8], range: &CompactRange, deadline: Instant) -> Result<(), BackendError> {
        self.half.publish(note, range, deadline)
    }
}
