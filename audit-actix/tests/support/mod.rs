//! A log in memory.
#![allow(dead_code)] // each test binary uses another part

use std::sync::Arc;
use std::time::{Duration, Instant};

use audit_core::backend::Memory;
use audit_core::log::CloseError;
use audit_core::{AuditLog, Durability, Key};
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
        let memory = Memory::promising(Durability::Synced);
        let log = AuditLog::builder("payments.example.com/test")
            .key(Key::generate("payments.example.com/test").unwrap())
            .backend(memory.clone())
            .open()
            .unwrap();
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
