use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, RwLock, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

use super::alerts::Watch;
use super::completion::Completion;
use super::coverage::Counters;
use super::deadlines::keep_deadlines;
use super::inflight::Inflight;
use super::losses::Losses;
use super::open_replicas::{Candidate, Healed, adopt_checkpoint, open_all, reconcile};
use super::policy_file::{PolicyFile, watch};
use super::queue::{Entry, Queue};
use super::requirements::check_policy;
use super::sequencer::{Sequencer, far};
use super::shared::{NewestCheckpoint, Progress, Shared};
use super::shipping::Shipper;
use super::stores::Stores;
use super::synchronizer::{Landed, SynchronizerThread};
use super::{AuditLog, Builder, LogLimits, OpenError, Refused, life};
use crate::backend::{Backend, BackendError, Durability, Fencing, Head, Opened};
use crate::capture::BodyCapture;
use crate::evidence::{Checkpoint, CompactRange, SignedCheckpoint, leaf_hash};
use crate::key::{Key, VerifierKey};
use crate::policy::Policy;

/// Opens the log that `builder` describes, on a thread of the log's own: a store may block there in
/// ways that are not allowed on a thread of an async runtime.
pub(crate) fn open(builder: Builder) -> Result<AuditLog, OpenError> {
    let opening = spawn("audit-opening", move || open_here(builder))?;
    opening.join().unwrap_or_else(|_| {
        Err(OpenError::Backend(BackendError::Poisoned { detail: "the store or the signer panicked".into() }))
    })
}

fn open_here(builder: Builder) -> Result<AuditLog, OpenError> {
    let Builder { origin, key, backend, policy, policy_file, limits, body_capture, replicas, stop_when_weakened } =
        builder;
    let limits = limits.bounded();
    let key = key.ok_or_else(|| {
        configuration("no signing key: give the builder one with `.key(..)`; `audit keygen` makes one")
    })?;
    let mut backend = backend.ok_or_else(|| configuration("no backend: give the builder one with `.backend(..)`"))?;
    check_origin(&origin)?;
    check_limits(&limits)?;
    let (policy_file, policy) = match policy_file {
        Some(path) => PolicyFile::load(path).map(|(file, policy)| (Some(file), policy))?,
        None => (None, policy),
    };
    if replicas.is_empty() && !backend.capabilities().remote {
        // What can be told beforehand leaves no trace in the store.
        let stores = Stores::new(backend.capabilities(), Vec::new(), 0, 0);
        check_policy(&policy, &stores, body_capture.is_some())?;
    }

    let mut opened = backend.open(far(Instant::now(), limits.open_timeout))?;
    check_primary(backend.as_ref(), !replicas.is_empty())?;
    let mut candidates = open_all(replicas, &limits)?;
    let states = candidates.iter().map(Candidate::state).collect();
    check_policy(&policy, &Stores::new(backend.capabilities(), states, 0, 0), body_capture.is_some())?;
    let elsewhere = candidates.iter().find_map(Candidate::verifier_key);
    let key = match opened.verifier_key.as_deref().or(elsewhere) {
        Some(text) => known_key(&origin, &key, text)?,
        None => key.with_name(&format!("{origin}/{}", new_log_id()?))?,
    };
    if opened.verifier_key.is_none() {
        backend.create(&key.verifier().to_string(), limits.backend_deadline())?;
    }
    let verifier_key = key.verifier().clone();
    let healed = reconcile(backend.as_mut(), &mut opened, &mut candidates, &verifier_key, &limits)?;
    let adopted_checkpoint = adopt_checkpoint(&mut opened, &candidates);
    let trees = trees(&opened, &verifier_key, backend.as_mut(), &limits)?;
    let log = Opening {
        origin,
        key,
        backend,
        policy,
        policy_file,
        body_capture,
        limits,
        stop_when_weakened,
        opened,
        healed,
        adopted_checkpoint,
        candidates,
        trees,
    };
    start(log)
}

/// All that has been established about a log before its threads start.
struct Opening {
    origin: String,
    key: Key,
    backend: Box<dyn Backend>,
    policy: Policy,
    policy_file: Option<PolicyFile>,
    body_capture: Option<BodyCapture>,
    limits: LogLimits,
    stop_when_weakened: bool,
    opened: Opened,
    healed: Option<Healed>,
    /// Whether the newest checkpoint is one that only a replica had.
    adopted_checkpoint: bool,
    candidates: Vec<Candidate>,
    trees: Trees,
}

/// The tree of a log at two of its sizes.
struct Trees {
    /// At the newest checkpoint.
    signed: CompactRange,
    /// At the end.
    head: CompactRange,
}

/// Refuses a store that must not be the first place of a log.
fn check_primary(backend: &dyn Backend, has_replicas: bool) -> Result<(), OpenError> {
    let (capabilities, name) = (backend.capabilities(), backend.name());
    if capabilities.fencing == Fencing::Detected {
        return Err(configuration(format!(
            "the `{name}` store notices a second writer only afterwards: it can be a replica, and not the primary"
        )));
    }
    if has_replicas && !capabilities.can_reach(Durability::Synced) {
        return Err(configuration(format!(
            "the `{name}` store reaches `{}` and cannot have replicas: a primary with replicas has to reach `synced`",
            capabilities.sync
        )));
    }
    Ok(())
}

fn configuration(detail: impl Into<String>) -> OpenError {
    OpenError::Configuration { detail: detail.into() }
}

fn check_origin(origin: &str) -> Result<(), OpenError> {
    let bad = origin.is_empty()
        || origin.len() > 200
        || origin.contains('+')
        || origin.chars().any(|character| character.is_whitespace() || character.is_control());
    if bad {
        return Err(configuration(format!(
            "origin {origin:?}: use 1 to 200 bytes without spaces and `+`, like `payments.example.com/prod-1`"
        )));
    }
    Ok(())
}

fn check_limits(limits: &LogLimits) -> Result<(), OpenError> {
    let counts = [
        ("queue_records", limits.queue_records),
        ("queue_bytes", limits.queue_bytes),
        ("activities", limits.activities),
        ("batch_records", limits.batch_records),
        ("batch_bytes", limits.batch_bytes),
        ("unsynced_records", limits.unsynced_records),
        ("policy_changes", limits.policy_changes),
    ];
    if let Some((name, _)) = counts.into_iter().find(|(_, value)| *value == 0) {
        return Err(configuration(format!("limit `{name}` is 0: nothing could ever be recorded")));
    }
    let times = [
        ("sync_interval", limits.sync_interval),
        ("checkpoint_interval", limits.checkpoint_interval),
        ("outcome_patience", limits.outcome_patience),
        ("heartbeat", limits.heartbeat),
        ("backend_timeout", limits.backend_timeout),
        ("policy_interval", limits.policy_interval),
        ("inspect_interval", limits.inspect_interval),
        ("replica_open_timeout", limits.replica_open_timeout),
    ];
    if let Some((name, _)) = times.into_iter().find(|(_, value)| value.is_zero()) {
        return Err(configuration(format!("limit `{name}` is 0: give it a time")));
    }
    if limits.checkpoint_records == 0 {
        return Err(configuration("limit `checkpoint_records` is 0: nothing could ever be signed"));
    }
    if limits.outcome_bytes < 1_024 {
        return Err(configuration(format!(
            "limit `outcome_bytes` is {}: an outcome needs 1,024",
            limits.outcome_bytes
        )));
    }
    if !(4_096..=65_535).contains(&limits.record.line) {
        return Err(configuration(format!(
            "limit `record.line` is {}: a line has 4,096 to 65,535 bytes (C2SP tlog-tiles)",
            limits.record.line
        )));
    }
    Ok(())
}

fn new_log_id() -> Result<uuid::Uuid, OpenError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|error| configuration(format!("no random bytes for the log's id: {error}")))?;
    Ok(uuid::Builder::from_random_bytes(random).into_uuid())
}

/// The given key under the name of the log that exists, if it is that log's key.
fn known_key(origin: &str, key: &Key, text: &str) -> Result<Key, OpenError> {
    let known: VerifierKey = VerifierKey::parse(text.trim_end())?;
    let log_origin = known.name().rsplit_once('/').map_or("", |(origin, _)| origin);
    if log_origin != origin {
        return Err(OpenError::WrongKey {
            detail: format!(
                "the log's origin is `{log_origin}`, not `{origin}`: open it under its own, or use another place"
            ),
        });
    }
    let key = key.with_name(known.name())?;
    if key.verifier().public_key() != known.public_key() {
        return Err(OpenError::WrongKey {
            detail: format!("the log `{}` was made with another key; its verifier key is {known}", known.name()),
        });
    }
    Ok(key)
}

/// The tree at the newest checkpoint, checked against that, and at the head of the log.
fn trees(
    opened: &Opened,
    key: &VerifierKey,
    backend: &mut dyn Backend,
    limits: &LogLimits,
) -> Result<Trees, OpenError> {
    let tampered = |detail: String| OpenError::Tampered { detail };
    let newest = match &opened.checkpoint {
        None => None,
        Some(bytes) => {
            let signed = SignedCheckpoint::parse(bytes)
                .map_err(|error| tampered(format!("the newest checkpoint cannot be read: {error}")))?;
            signed
                .verify(key)
                .map_err(|error| tampered(format!("the newest checkpoint is not signed by the log's key: {error}")))?;
            Some(signed)
        }
    };
    if newest.is_none() && opened.head.size > 0 {
        // A log is signed before its first record: only by other hands can it have lost that.
        return Err(tampered(format!(
            "the store holds {} records and no checkpoint; keep it as evidence and start a new log elsewhere",
            opened.head.size
        )));
    }
    let checkpoint = newest.as_ref().map(SignedCheckpoint::checkpoint);
    let size = checkpoint.map_or(0, |checkpoint| checkpoint.size);
    if let Some(checkpoint) = checkpoint {
        if checkpoint.origin != key.name() {
            return Err(tampered(format!(
                "the newest checkpoint is of log `{}`, not `{}`",
                checkpoint.origin,
                key.name()
            )));
        }
        if size > opened.head.size {
            return Err(tampered(format!(
                "the newest checkpoint covers {size} records, the store holds {}",
                opened.head.size
            )));
        }
    }
    // What the store derived is a beginning; the rest is read, so that copied lines are checked too.
    let known = opened.signed_range.clone().filter(|range| range.size() <= size);
    let signed = grow(known.unwrap_or_default(), size, backend, limits)?;
    if checkpoint.is_some_and(|checkpoint| checkpoint.root != signed.root()) {
        return Err(tampered(format!(
            "the first {size} records do not have the root that was signed; keep the log as evidence, see `audit verify`"
        )));
    }
    let head = grow(signed.clone(), opened.head.size, backend, limits)?;
    Ok(Trees { signed, head })
}

/// Reads lines until the tree has `size` leaves.
fn grow(
    mut range: CompactRange,
    size: u64,
    backend: &mut dyn Backend,
    limits: &LogLimits,
) -> Result<CompactRange, OpenError> {
    while range.size() < size {
        let deadline = limits.backend_deadline();
        let before = range.size();
        let bytes = backend.read(before..size, deadline)?;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            range.push(leaf_hash(line));
        }
        if range.size() == before || range.size() > size {
            return Err(OpenError::Tampered {
                detail: format!("the store says it holds {size} records and gives {}", range.size()),
            });
        }
    }
    Ok(range)
}

fn start(opening: Opening) -> Result<AuditLog, OpenError> {
    let Opening { origin, key, mut backend, policy, policy_file, body_capture, limits, opened, healed, .. } = opening;
    let Trees { signed: signed_range, head: range } = opening.trees;
    let signed = signed_range.size();
    let mut half = backend.synchronizer()?;
    if healed.is_some() {
        // What was copied has to be there for good before anything is signed over it.
        half.sync(limits.backend_deadline())?;
    }
    let note = match &opened.checkpoint {
        Some(checkpoint) => {
            if opening.adopted_checkpoint {
                half.publish(checkpoint, &signed_range, limits.backend_deadline())?;
            }
            checkpoint.clone()
        }
        None => {
            let note = key.sign_note(&Checkpoint::new(key.name(), 0, signed_range.root()).to_text())?;
            half.publish(&note, &signed_range, limits.backend_deadline())?;
            note
        }
    };
    let head = opened.head;
    let capabilities = backend.capabilities();
    let states = opening.candidates.iter().map(Candidate::state).collect();
    let shared = Arc::new(Shared {
        queue: Queue::new(limits, backend.batching()),
        inflight: Inflight::default(),
        losses: Mutex::new(Losses::default()),
        coverage: Counters::default(),
        policy: RwLock::new(Arc::new(policy)),
        changing_policy: Mutex::new(()),
        policy_file,
        stores: Stores::new(capabilities, states, head.size, signed),
        primary_name: backend.name(),
        primary_place: backend.place(),
        stop_when_weakened: opening.stop_when_weakened,
        stopped_itself: AtomicBool::new(false),
        stopped_because: OnceLock::new(),
        body_capture: body_capture.map(Arc::new),
        limits,
        verifier_key: key.verifier().clone(),
        progress: Progress::new(head.size, signed),
        closing: Completion::new(),
        checkpoint_requests: Mutex::new(Vec::new()),
        newest_checkpoint: Mutex::new(Arc::new(NewestCheckpoint { note, range: signed_range })),
        process: std::process::id(),
    });
    if let Some(uncompared) = shared.stores.uncompared() {
        shared.progress.hold_signing(&uncompared.name);
    }
    if let Some(recovery) = &opened.recovery {
        let recovered = life::recovered(&shared, recovery, healed.as_ref());
        shared.queue.push_reserved(Entry::own(recovered));
    }
    let policy = shared.policy();
    shared.queue.push_reserved(Entry::own(life::opened(&shared, &origin, &policy, capabilities)));

    let landed = Arc::new(Landed::new(limits.unsynced_records));
    let shippers = shippers(opening.candidates, backend.as_mut(), &shared, &landed)?;
    let synchronizer = SynchronizerThread {
        unsigned_since: (signed < range.size()).then(Instant::now),
        retry_at: None,
        rests_until: Instant::now(),
        store_rests_until: Instant::now(),
        watch: Watch::new(limits.inspect_interval),
        in_doubt: None,
        shared: Arc::clone(&shared),
        landed: Arc::clone(&landed),
        half,
        key,
        range,
        signed,
    };
    // A thread that is there already, and the stores with it, must not outlive a failure here.
    let undo = |error| {
        shared.poison("the log was not opened");
        shared.stores.abandon();
        landed.abandon();
        error
    };
    let shippers = shippers.into_iter().map(|shipper| spawn("audit-replica", move || shipper.run()));
    let shippers = shippers.collect::<Result<Vec<_>, _>>().map_err(undo)?;
    let synchronizer = spawn("audit-synchronizer", move || synchronizer.run()).map_err(undo)?;
    let sequencer = Sequencer::new(Arc::clone(&shared), Arc::clone(&landed), backend, synchronizer, shippers, head);
    spawn("audit-sequencer", move || sequencer.run()).map_err(undo)?;
    let timer = Arc::clone(&shared);
    spawn("audit-deadlines", move || keep_deadlines(&timer)).map_err(undo)?;
    if let Some(file) = &shared.policy_file {
        let (keep, end) = mpsc::channel();
        file.keep(keep);
        let shared = Arc::clone(&shared);
        spawn("audit-policy", move || watch(&shared, &end)).map_err(undo)?;
    }
    let log = AuditLog::new(Arc::clone(&shared), landed);
    await_opened(&log, head, &shared)?;
    Ok(log)
}

/// The threads that will fill the replicas.
fn shippers(
    candidates: Vec<Candidate>,
    primary: &mut dyn Backend,
    shared: &Arc<Shared>,
    landed: &Arc<Landed>,
) -> Result<Vec<Shipper>, OpenError> {
    let mut shippers = Vec::with_capacity(candidates.len());
    for (index, candidate) in candidates.into_iter().enumerate() {
        let name = candidate.state().name;
        let (backend, opened) = candidate.into_parts();
        let shipper = Shipper::new(Arc::clone(shared), Arc::clone(landed), index, backend, primary.reader()?);
        shippers.push(match opened {
            None => shipper,
            Some(opened) => shipper.connected(&opened).map_err(|source| OpenError::Replica { name, source })?,
        });
    }
    Ok(shippers)
}

fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<thread::JoinHandle<T>, OpenError> {
    thread::Builder::new().name(name.to_owned()).spawn(run).map_err(OpenError::Thread)
}

/// Waits until `log.opened` is written, synced and signed: a log that cannot record its own
/// beginning is not open.
fn await_opened(log: &AuditLog, before: Head, shared: &Shared) -> Result<(), OpenError> {
    let deadline = shared.limits.backend_deadline();
    // The count of records moves a moment before the synchronizer hears of them, so that the first
    // checkpoint may still be one of the time before.
    while Instant::now() < deadline {
        if shared.progress.records.load(Ordering::Relaxed) == before.size && shared.queue.status().open {
            thread::sleep(std::time::Duration::from_micros(100));
            continue;
        }
        if shared.stores.uncompared().is_some() && shared.queue.status().open {
            // Nothing is signed until every replica has been reached; that may take long.
            if progressed(&shared.progress.synced, before.size) {
                return Ok(());
            }
            thread::sleep(std::time::Duration::from_millis(1));
            continue;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        match block_on(log.checkpoint(left)) {
            Ok(_) if progressed(&shared.progress.signed, before.size) => return Ok(()),
            Ok(_) => {}
            Err(Refused::Deadline) => break,
            Err(refused) => return Err(OpenError::Backend(BackendError::Poisoned { detail: refused.to_string() })),
        }
    }
    Err(OpenError::Backend(BackendError::Unavailable {
        doing: "recording that the log was opened",
        source: log.health().last_error.unwrap_or_else(|| "the store did not answer in time".to_owned()).into(),
    }))
}

fn progressed(counter: &AtomicU64, before: u64) -> bool {
    counter.load(Ordering::Relaxed) > before
}

/// Polls a future on this thread until it is ready.
pub(super) fn block_on<F: Future + Unpin>(mut future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        if let std::task::Poll::Ready(output) = std::pin::Pin::new(&mut future).poll(&mut cx) {
            return output;
        }
        thread::park();
    }
}
