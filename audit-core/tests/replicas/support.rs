use std::path::Path;
use std::time::{Duration, Instant};

use audit_core::backend::{Capabilities, Durability, Fencing};
use audit_core::log::{Builder, LogLimits, OpenError, Replica};
use audit_core::testing::{Faults, FaultyBackend};
use audit_core::{AuditLog, Event, File, Key, Memory, Outcome, OutcomeResult, Policy};
use serde_json::Value;

/// A key that every log of a test is opened with.
pub(crate) fn key() -> Key {
    Key::generate("test.example/log").unwrap()
}

/// A primary on this host, as durable as a disk.
pub(crate) fn primary() -> Memory {
    Memory::with_capabilities(Capabilities::new(Durability::Written, Durability::Synced, Fencing::Enforced))
}

/// A store on another machine that is as durable as `class` when an append returns.
pub(crate) fn elsewhere(class: Durability) -> Memory {
    Memory::with_capabilities(Capabilities::new(class, class, Fencing::Enforced).remote())
}

/// A replica in `memory` that fails when told to.
pub(crate) fn faulty(memory: &Memory) -> (Replica, Faults) {
    let (backend, faults) = FaultyBackend::new(memory.clone());
    (Replica::new(backend), faults)
}

/// A builder that tries again soon.
pub(crate) fn builder(key: &Key) -> Builder {
    AuditLog::builder("test.example/log").key(key.clone()).tune(hasty)
}

/// Limits under which nothing takes long.
pub(crate) fn hasty(limits: &mut LogLimits) {
    limits.replica_backoff = Duration::from_millis(100);
    limits.replica_open_timeout = Duration::from_millis(500);
    limits.checkpoint_interval = Duration::from_millis(20);
    limits.checkpoint_rest = Duration::from_millis(1);
}

pub(crate) fn policy(rule: &str) -> Policy {
    Policy::from_toml(&format!("[[rule]]\nname = \"test\"\n{rule}\n")).unwrap()
}

/// Records `count` events, each once the one before is durable.
pub(crate) async fn record(log: &AuditLog, count: usize) {
    for number in 0..count {
        log.record(&Event::action("ledger.rotate").resource(format!("ledger/{number}"))).await.unwrap();
    }
}

/// Begins and ends one call.
pub(crate) async fn call(log: &AuditLog) {
    log.begin(&Event::action("ledger.rotate")).await.unwrap().finish(Outcome::new(OutcomeResult::Success));
}

pub(crate) async fn close(log: &AuditLog) {
    let closed = log.close(Duration::from_secs(10)).await.unwrap();
    assert_eq!(closed.replicas_lack, 0);
}

/// Waits until `condition` holds, for at most ten seconds.
pub(crate) async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(10), "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The records of one kind.
pub(crate) fn of_kind(memory: &Memory, kind: &str) -> Vec<Value> {
    let records = memory.lines().into_iter().map(|line| serde_json::from_slice::<Value>(&line).unwrap());
    records.filter(|record| record["kind"] == kind).collect()
}

/// All lines of the log in `directory`.
pub(crate) fn lines_on_disk(directory: &Path) -> Vec<Value> {
    let mut segments: Vec<_> =
        std::fs::read_dir(directory.join("segments")).unwrap().map(|it| it.unwrap().path()).collect();
    segments.sort();
    let text: String = segments.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The bytes of all segments of the log in `directory`.
pub(crate) fn bytes_on_disk(directory: &Path) -> Vec<u8> {
    let mut segments: Vec<_> =
        std::fs::read_dir(directory.join("segments")).unwrap().map(|it| it.unwrap().path()).collect();
    segments.sort();
    segments.iter().flat_map(|path| std::fs::read(path).unwrap()).collect()
}

/// Copies a directory with all that is below it.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Opens a log on disk, records `count` events, and closes it.
pub(crate) async fn write_on_disk(
    key: &Key,
    directory: &Path,
    replica: Option<Replica>,
    count: usize,
) -> Result<(), OpenError> {
    let mut opening = builder(key).backend(File::new(directory));
    if let Some(replica) = replica {
        opening = opening.replica(replica);
    }
    let log = opening.open()?;
    record(&log, count).await;
    close(&log).await;
    Ok(())
}
