use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

use super::completion::Completion;
use super::coverage::Counters;
use super::deadlines::keep_deadlines;
use super::inflight::Inflight;
use super::losses::Losses;
use super::policy_file::{PolicyFile, watch};
use super::queue::{Entry, Queue};
use super::requirements::check_policy;
use super::sequencer::{Sequencer, far};
use super::shared::{Progress, Shared};
use super::synchronizer::{Landed, SynchronizerThread};
use super::{AuditLog, Builder, LogLimits, OpenError, Refused, life};
use crate::backend::{Backend, BackendError, Head, Opened};
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
    let Builder { origin, key, backend, policy, policy_file, limits, body_capture } = builder;
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
    check_policy(&policy, backend.capabilities(), body_capture.is_some())?;

    let opened = backend.open(far(Instant::now(), limits.open_timeout))?;
    let key = match &opened.verifier_key {
        Some(text) => known_key(&origin, &key, text)?,
        None => {
            let key = key.with_name(&format!("{origin}/{}", new_log_id()?))?;
            backend.create(&key.verifier().to_string(), limits.backend_deadline())?;
            key
        }
    };
    let verifier_key = key.verifier().clone();
    let (range, signed) = tree(&opened, &verifier_key, backend.as_mut(), &limits)?;
    start(&origin, key, backend, policy, policy_file, body_capture, limits, &opened, range, signed)
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

/// The tree at the head of the log, checked against the newest checkpoint, and that one's size.
fn tree(
    opened: &Opened,
    key: &VerifierKey,
    backend: &mut dyn Backend,
    limits: &LogLimits,
) -> Result<(CompactRange, u64), OpenError> {
    let tampered = |detail: String| OpenError::Tampered { detail };
    let signed = match &opened.checkpoint {
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
    if signed.is_none() && opened.head.size > 0 {
        // A log is signed before its first record: only by other hands can it have lost that.
        return Err(tampered(format!(
            "the store holds {} records and no checkpoint; keep it as evidence and start a new log elsewhere",
            opened.head.size
        )));
    }
    let checkpoint = signed.as_ref().map(SignedCheckpoint::checkpoint);
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
    let known = opened.signed_range.clone().filter(|range| range.size() == size);
    let mut range = match known {
        Some(range) => range,
        None => grow(CompactRange::new(), size, backend, limits)?,
    };
    if checkpoint.is_some_and(|checkpoint| checkpoint.root != range.root()) {
        return Err(tampered(format!(
            "the first {size} records do not have the root that was signed; keep the log as evidence, see `audit verify`"
        )));
    }
    range = grow(range, opened.head.size, backend, limits)?;
    Ok((range, size))
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

#[expect(clippy::too_many_arguments, reason = "everything that has been established about the log, used once")]
fn start(
    origin: &str,
    key: Key,
    mut backend: Box<dyn Backend>,
    policy: Policy,
    policy_file: Option<PolicyFile>,
    body_capture: Option<BodyCapture>,
    limits: LogLimits,
    opened: &Opened,
    range: CompactRange,
    signed: u64,
) -> Result<AuditLog, OpenError> {
    let capabilities = backend.capabilities();
    let mut half = backend.synchronizer()?;
    let newest_checkpoint = match &opened.checkpoint {
        Some(checkpoint) => checkpoint.clone(),
        None => {
            let empty = CompactRange::new();
            let note = key.sign_note(&Checkpoint::new(key.name(), 0, empty.root()).to_text())?;
            half.publish(&note, &empty, limits.backend_deadline())?;
            note
        }
    };
    let head = opened.head;
    let shared = Arc::new(Shared {
        queue: Queue::new(limits),
        inflight: Inflight::default(),
        losses: Mutex::new(Losses::default()),
        coverage: Counters::default(),
        policy: RwLock::new(Arc::new(policy)),
        changing_policy: Mutex::new(()),
        policy_file,
        capabilities,
        body_capture: body_capture.map(Arc::new),
        limits,
        verifier_key: key.verifier().clone(),
        progress: Progress::new(head.size, signed),
        closing: Completion::new(),
        checkpoint_requests: Mutex::new(Vec::new()),
        newest_checkpoint: Mutex::new(newest_checkpoint),
        process: std::process::id(),
    });
    if let Some(recovery) = &opened.recovery {
        shared.queue.push_reserved(Entry::own(life::recovered(&shared, recovery)));
    }
    let policy = shared.policy();
    shared.queue.push_reserved(Entry::own(life::opened(&shared, origin, &policy, capabilities)));

    let landed = Arc::new(Landed::new(limits.unsynced_records));
    let synchronizer = SynchronizerThread {
        unsigned_since: (signed < range.size()).then(Instant::now),
        retry_at: None,
        rests_until: Instant::now(),
        shared: Arc::clone(&shared),
        landed: Arc::clone(&landed),
        half,
        key,
        range,
        signed,
    };
    let synchronizer = spawn("audit-synchronizer", move || synchronizer.run())?;
    let sequencer = Sequencer::new(Arc::clone(&shared), Arc::clone(&landed), backend, synchronizer, head);
    // A thread that is there already, and the store with it, must not outlive a failure here.
    let undo = |error| {
        shared.poison("the log was not opened");
        landed.abandon();
        error
    };
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
