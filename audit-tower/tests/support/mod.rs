//! A log in memory and scripted response bodies.
#![allow(dead_code)] // each test binary uses another part

pub(crate) mod server;

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use audit_core::backend::{Backend, Capabilities, Fencing, Memory};
use audit_core::capture::BodyCapture;
use audit_core::log::CloseError;
use audit_core::testing::{Faults, FaultyBackend};
use audit_core::{AuditLog, Durability, Key, Policy};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
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
        Self::with_policy(Policy::default())
    }

    pub(crate) fn with_policy(policy: Policy) -> Self {
        let memory = Memory::promising(Durability::Synced);
        let log = open(memory.clone(), policy);
        Self { log, reached: Arc::default(), memory }
    }

    /// A log that captures the bodies its policy asks for.
    pub(crate) fn capturing(policy: &str) -> Self {
        let memory = Memory::promising(Durability::Synced);
        let log = AuditLog::builder("payments.example.com/test")
            .key(Key::generate("payments.example.com/test").unwrap())
            .backend(memory.clone())
            .policy(Policy::from_toml(policy).unwrap())
            .capture_bodies(BodyCapture::new())
            .open()
            .unwrap();
        Self { log, reached: Arc::default(), memory }
    }

    /// A log whose store can be made to fail.
    pub(crate) fn with_faults(policy: &str) -> (Self, Faults) {
        // Stable storage is another step, so that it can fail by itself.
        let steps = Capabilities::new(Durability::Written, Durability::Synced, Fencing::Enforced);
        let memory = Memory::with_capabilities(steps);
        let (backend, faults) = FaultyBackend::new(memory.clone());
        let log = open(backend, Policy::from_toml(policy).unwrap());
        (Self { log, reached: Arc::default(), memory }, faults)
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

    /// The outcome of the only call there was.
    pub(crate) async fn outcome(&self) -> Value {
        self.pair().await.1
    }

    /// Waits until `count` intents are stored.
    pub(crate) async fn intents(&self, count: usize) {
        self.stored("intent", count).await;
    }

    /// Waits until `count` outcomes are stored.
    pub(crate) async fn outcomes(&self, count: usize) {
        self.stored("outcome", count).await;
    }

    async fn stored(&self, kind: &str, count: usize) {
        let start = Instant::now();
        while start.elapsed() < DEADLINE {
            let records = self.records();
            if records.iter().filter(|record| record["kind"] == kind).count() >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("not {count} of {kind} in time: {:#?}", self.records());
    }
}

fn open(backend: impl Backend + 'static, policy: Policy) -> AuditLog {
    AuditLog::builder("payments.example.com/test")
        .key(Key::generate("payments.example.com/test").unwrap())
        .backend(backend)
        .policy(policy)
        .open()
        .unwrap()
}

/// One thing a [`Script`] body does.
pub(crate) enum Step {
    Data(&'static str),
    Trailers(HeaderMap),
    Error,
    Panic,
    Pending,
}

/// A body that does as told.
pub(crate) struct Script {
    steps: VecDeque<Step>,
    size: Option<u64>,
}

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), size: None }
    }

    /// Announces a length, whatever the steps are.
    pub(crate) fn sized(mut self, size: u64) -> Self {
        self.size = Some(size);
        self
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.steps.pop_front() {
            None => Poll::Ready(None),
            Some(Step::Data(text)) => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(text.as_bytes()))))),
            Some(Step::Trailers(trailers)) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            Some(Step::Error) => Poll::Ready(Some(Err(io::Error::other("scripted")))),
            Some(Step::Panic) => panic!("scripted panic of a body"),
            Some(Step::Pending) => Poll::Pending,
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.size.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// A `GET` of `path` without a body.
pub(crate) fn get(path: &str) -> Request<Full<Bytes>> {
    Request::get(path).body(Full::default()).unwrap()
}

/// A response with `status` and `body`.
pub(crate) fn respond<B>(status: u16, body: B) -> Response<B> {
    Response::builder().status(status).body(body).unwrap()
}

/// Reads a body to its end.
pub(crate) async fn drain<B: Body<Error: std::fmt::Debug>>(body: B) -> Bytes {
    body.collect().await.unwrap().to_bytes()
}
