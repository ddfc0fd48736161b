//! A log in memory.
#![allow(dead_code)] // each test binary uses another part

use std::sync::Arc;
use std::time::{Duration, Instant};

use audit_core::backend::{Capabilities, Fencing, Memory};
use audit_core::capture::BodyCapture;
use audit_core::log::{Builder, CloseError};
use audit_core::testing::{Faults, FaultyBackend};
use audit_core::{AuditLog, Durability, Key, Policy};
use serde_json::Value;
use tokio::sync::Notify;

/// How long anything may take before a test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// A log in memory whose records can be read back.
#[derive(Clone)]
pub(crate) struct Recorder {
    pub(crate) log: AuditLog,
    /// Where a handler that never answers says that it was reached.
    pub(crate) reached: Arc<Notify>,
    memory: Memory,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self::with(Builder::backend)
    }

    /// A log under a policy, which captures the bodies that this asks for.
    pub(crate) fn with_policy(policy: &str) -> Self {
        let policy = Policy::from_toml(policy).unwrap();
        Self::with(|builder, memory| builder.backend(memory).policy(policy).capture_bodies(BodyCapture::new()))
    }

    /// A log whose store can be made to fail.
    pub(crate) fn with_faults(policy: &str) -> (Self, Faults) {
        let policy = Policy::from_toml(policy).unwrap();
        let mut faults = Faults::new();
        let recorder = Self::with(|builder, memory| {
            let (backend, shared) = FaultyBackend::new(memory);
            faults = shared;
            builder.backend(backend).policy(policy)
        });
        (recorder, faults)
    }

    fn with(describe: impl FnOnce(Builder, Memory) -> Builder) -> Self {
        // Stable storage is another step, so that it can fail by itself.
        let steps = Capabilities::new(Durability::Written, Durability::Synced, Fencing::Enforced);
        let memory = Memory::with_capabilities(steps);
        let builder =
            AuditLog::builder("payments.example.com/test").key(Key::generate("payments.example.com/test").unwrap());
        let log = describe(builder, memory.clone()).open().unwrap();
        Self { log, reached: Arc::default(), memory }
    }

    /// A log that refuses every call.
    pub(crate) async fn refusing() -> Self {
        let recorder = Self::new();
        recorder.log.close(DEADLINE).await.unwrap();
        recorder
    }

    /// The intents and outcomes that are stored now.
    pub(crate) fn records(&self) -> Vec<Value> {
        self.memory
            .lines()
            .iter()
            .map(|line| serde_json::from_slice(line).unwrap())
            .filter(|record: &Value| record["kind"] == "intent" || record["kind"] == "outcome")
            .collect()
    }

    /// Closes the log, so that nothing more can come, and returns all intents and outcomes.
    pub(crate) async fn settled(&self) -> Vec<Value> {
        match self.log.close(DEADLINE).await {
            Ok(_) | Err(CloseError::AlreadyClosed) => self.records(),
            Err(error) => panic!("{error}: {:#?}", self.records()),
        }
    }

    /// The one intent and the one outcome of the only call there was.
    pub(crate) async fn pair(&self) -> (Value, Value) {
        let mut records = self.settled().await;
        assert_eq!(records.len(), 2, "one intent and one outcome: {records:#?}");
        let (outcome, intent) = (records.pop().unwrap(), records.pop().unwrap());
        assert_eq!(intent["kind"], "intent");
        assert_eq!(outcome["kind"], "outcome");
        assert_eq!(intent["id"], outcome["id"]);
        (intent, outcome)
    }

    /// Waits until `count` records of `kind` are stored.
    pub(crate) async fn stored(&self, kind: &str, count: usize) {
        let start = Instant::now();
        while start.elapsed() < DEADLINE {
            let records = self.records();
            if records.iter().filter(|record| record["kind"] == kind).count() >= count {
                return;
            }
            actix_web::rt::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("not {count} of {kind} in time: {:#?}", self.records());
    }
}
