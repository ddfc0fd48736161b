//! Records that a log has really written, held against the schema.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::{Ipv6Addr, SocketAddr};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use audit_core::backend::{
    Backend, BackendError, Batch, Capabilities, Concern, File, Head, Opened, Reader, Synchronizer,
};
use audit_core::capture::{BodyCapture, BodyFormat, CapturedBody};
use audit_core::log::Replica;
use audit_core::record::{Actor, ActorType, Event, Http, Kind, Outcome, OutcomeResult, Principal, Protocol};
use audit_core::record::{Record, Rpc, Span};
use audit_core::testing::{Call, Fault, Faults, FaultyBackend};
use audit_core::{AuditLog, Durability, Key, Memory};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::schema::Schema;

/// A store that can be full: it then takes only outcomes and the log's own records.
#[derive(Debug)]
struct Fillable {
    file: File,
    full: Arc<AtomicBool>,
}

impl Backend for Fillable {
    fn name(&self) -> &'static str {
        "fillable"
    }

    fn capabilities(&self) -> Capabilities {
        self.file.capabilities()
    }

    fn open(&mut self, deadline: Instant) -> Result<Opened, BackendError> {
        self.file.open(deadline)
    }

    fn create(&mut self, verifier_key: &str, deadline: Instant) -> Result<(), BackendError> {
        self.file.create(verifier_key, deadline)
    }

    fn head(&mut self, deadline: Instant) -> Result<Head, BackendError> {
        self.file.head(deadline)
    }

    fn append(&mut self, expected: Head, batch: &Batch<'_>, deadline: Instant) -> Result<Durability, BackendError> {
        if self.full.load(Ordering::Relaxed) && !batch.may_use_reserve {
            return Err(BackendError::Full { detail: "made to be full".to_owned() });
        }
        self.file.append(expected, batch, deadline)
    }

    fn read(&mut self, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
        self.file.read(range, deadline)
    }

    fn reader(&mut self) -> Result<Box<dyn Reader>, BackendError> {
        self.file.reader()
    }

    fn synchronizer(&mut self) -> Result<Box<dyn Synchronizer>, BackendError> {
        self.file.synchronizer()
    }
}

fn full_actor() -> Actor {
    let mut actor = Actor::new(ActorType::ServiceAccount);
    actor.id = Some("system:serviceaccount:payments:settler".to_owned());
    actor.issuer = Some("https://kubernetes.default.svc".to_owned());
    actor.auth = Some("jwt".to_owned());
    actor.credential = Some("5f1a".to_owned());
    actor.reason = Some("expired".to_owned());
    actor.on_behalf_of = vec![Principal::new(ActorType::User, "ada").issuer("https://id.example")];
    actor
}

fn pairs(name: &'static str) -> Vec<(std::borrow::Cow<'static, str>, std::borrow::Cow<'static, str>)> {
    vec![(name.into(), "va\"lue\u{1}".into())]
}

/// One event for each door, with every member that an event can have.
fn events() -> [Event<'static>; 3] {
    let mut http = Http::default();
    http.version = Some("1.1");
    http.host = Some("pay.example".into());
    http.user_agent = Some("settler/3".into());
    http.headers = pairs("x-request-id");
    http.query = pairs("page");
    let mut rpc = Rpc::default();
    rpc.system = "grpc";
    rpc.host = Some("pay.example".into());
    rpc.user_agent = Some("tonic".into());
    rpc.metadata = pairs("x-tenant");
    let mut span = Span::default();
    span.name = "rotate";
    span.target = "ledger";
    span.file = Some("src/ledger.rs");
    span.line = Some(7);
    [Protocol::Http(http), Protocol::Rpc(rpc), Protocol::Span(span)].map(|protocol| {
        Event::action("POST /v1/refunds/{id}")
            .actor(full_actor())
            .resource("r".repeat(9_000))
            .source(SocketAddr::from((Ipv6Addr::LOCALHOST, 51_234)))
            .protocol(protocol)
            .trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
            .attribute("text", "\u{0} and \u{1f980}")
            .attribute("large", u64::MAX)
            .attribute("negative", -7_i64)
            .attribute("fraction", 0.25)
            .attribute("none", f64::NAN)
            .attribute("yes", true)
    })
}

/// A body with text.
fn json_body() -> CapturedBody {
    let settings = BodyCapture::new().prefix(20).unwrap();
    let mut recorder = settings.recorder(Some(b"application/json"), None, BodyFormat::Http);
    recorder.update(b"{\"pin\":1,\"amount\":2000}");
    recorder.end();
    recorder.finish()
}

/// A body with messages, of which the end was not seen.
fn grpc_body() -> CapturedBody {
    let mut recorder = BodyCapture::new().recorder(Some(b"application/grpc"), Some(b"gzip"), BodyFormat::Grpc);
    recorder.update(&[1, 0, 0, 0, 1, 7, 0]);
    recorder.finish()
}

/// A body without either.
fn compressed_body() -> CapturedBody {
    let mut recorder = BodyCapture::new().recorder(Some(b"application/json"), Some(b"gzip"), BodyFormat::Http);
    recorder.update(b"\x1f\x8b");
    recorder.end();
    recorder.finish()
}

/// Opens the log with one replica, which can be made to fail.
fn open(directory: &Path, full: &Arc<AtomicBool>, replica: &Memory) -> (AuditLog, Faults) {
    let store = Fillable { file: File::new(directory).min_free(0), full: Arc::clone(full) };
    let (backend, faults) = FaultyBackend::new(replica.clone());
    let log = AuditLog::builder("docs.example/log")
        .key(Key::from_text(PRIVATE).unwrap())
        .backend(store)
        .replica(Replica::new(backend).lag_records(1))
        .policy_file(policy_file(directory))
        .tune(|limits| {
            limits.heartbeat = Duration::from_millis(50);
            limits.inspect_interval = Duration::from_millis(50);
            limits.replica_backoff = Duration::from_millis(50);
        })
        .open()
        .unwrap();
    (log, faults)
}

/// As many rules that record nothing as are told apart, and one more.
fn excluding() -> String {
    let rule = |rule| format!("[[rule]]\nname = \"quiet {rule}\"\nactions = [\"quiet.{rule}\"]\nlevel = \"none\"\n");
    (0..17).map(rule).collect()
}

const PRIVATE: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

fn lines(directory: &Path) -> Vec<Vec<u8>> {
    let segment = fs::read(directory.join("segments/00000000000000000000.jsonl")).unwrap();
    let lines = segment.strip_suffix(b"\n").unwrap().split(|byte| *byte == b'\n');
    lines.map(<[u8]>::to_vec).collect()
}

fn of_kind(directory: &Path, kind: Kind) -> usize {
    let lines = lines(directory);
    lines.iter().filter(|line| Record::parse(line).is_ok_and(|record| record.kind() == Some(kind))).count()
}

fn policy_file(directory: &Path) -> PathBuf {
    directory.with_file_name("policy.toml")
}

/// Rules under names that no other policy here has, and one for the settler, at the end or first.
fn write_policy(directory: &Path, version: u8, settler_is_first: bool) {
    let settler = "[[rule]]\nname = \"settler\"\nactor_ids = [\"system:*\"]\nawait_outcome = true\n";
    let others = format!(
        "[[rule]]\nname = \"same\"\nmethods = [\"PUT\"]\ndeadline = \"{version}s\"\n\
         [[rule]]\nname = \"only {version}\"\nmethods = [\"GET\"]\n"
    );
    let rules = if settler_is_first { [settler, &others] } else { [&others, settler] };
    fs::write(policy_file(directory), rules.concat() + &excluding()).unwrap();
}

/// A log with a record of every kind that this software writes.
async fn written(directory: &Path) {
    let full = Arc::new(AtomicBool::new(false));
    write_policy(directory, 1, false);
    let replica = Memory::promising(Durability::Synced);
    let (log, faults) = open(directory, &full, &replica);
    faults.find([Concern::new("retention", "it was shortened")]);
    faults.times(Call::Append, Fault::Unavailable, 3);
    write_policy(directory, 2, true);
    log.reload_policy().unwrap().unwrap();
    fs::write(policy_file(directory), "rules = []").unwrap();
    log.reload_policy().unwrap_err();
    write_policy(directory, 2, true);
    let outcomes = [
        Outcome::http(201).request_bytes(10).response_bytes(u64::MAX).request_sha256(audit_core::evidence::Hash::ZERO),
        Outcome::grpc(7).error("not yours\n").request_body(grpc_body()).response_body(compressed_body()),
        Outcome::new(OutcomeResult::Failure).request_body(json_body()),
    ];
    for (event, outcome) in events().iter().zip(outcomes) {
        let activity = log.begin(event).await.unwrap();
        let current = activity.current();
        current.actor(full_actor().verified()).unwrap();
        current.resource("refund 42").unwrap();
        current.attribute("lines", 3_i64).unwrap();
        let inner = event.clone().parent(activity.id().unwrap());
        log.record(&inner).await.unwrap();
        activity.finish_durably(outcome).await.unwrap();
    }
    for rule in 0..17 {
        drop(log.begin(&Event::action(format!("quiet.{rule}"))));
    }
    let undecided = log.begin(&events()[0]);
    let beats = of_kind(directory, Kind::Heartbeat);
    full.store(true, Ordering::Relaxed);
    log.begin(&events()[0]).await.unwrap_err();
    let start = Instant::now();
    while of_kind(directory, Kind::Heartbeat) < beats + 2
        || of_kind(directory, Kind::Gap) == 0
        || of_kind(directory, Kind::Alert) < 3
    {
        assert!(start.elapsed() < Duration::from_secs(10), "no heartbeat, no gap, or not every alert");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(undecided);
    full.store(false, Ordering::Relaxed);
    log.close(Duration::from_secs(5)).await.unwrap();
    let mut segment =
        OpenOptions::new().append(true).open(directory.join("segments/00000000000000000000.jsonl")).unwrap();
    segment.write_all(b"{\"v\":1,\"se").unwrap();
    let (log, _) = open(directory, &full, &replica);
    log.close(Duration::from_secs(5)).await.unwrap();
    fs::remove_dir_all(directory).unwrap();
    let (log, _) = open(directory, &full, &replica);
    log.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn every_record_that_a_log_writes_is_as_the_schema_says() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path().join("log");
    written(&directory).await;
    let schema = Schema::load();
    let mut kinds = BTreeSet::new();
    let mut members = BTreeSet::new();
    for line in lines(&directory) {
        Record::parse(&line).unwrap();
        let record: Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(schema.faults(&record), Vec::<String>::new(), "{record}");
        kinds.insert(record["kind"].as_str().unwrap().to_owned());
        members.extend(record.as_object().unwrap().keys().cloned());
        let kind = record["kind"].as_str().unwrap();
        members.extend(record.as_object().unwrap().keys().map(|name| format!("{kind}.{name}")));
        for body in ["request_body", "response_body"] {
            let described = record.get(body).and_then(Value::as_object).into_iter().flatten();
            members.extend(described.map(|(name, _)| format!("body.{name}")));
        }
        let counted = record.get("coverage").and_then(Value::as_object).into_iter().flatten();
        members.extend(counted.map(|(name, _)| format!("coverage.{name}")));
    }
    let reserved = ["key.rotated", "log.pruned", "data.erased", "log.read", "drill"];
    let expected = Kind::ALL.iter().map(|kind| kind.as_str()).filter(|kind| !reserved.contains(kind));
    assert_eq!(kinds, expected.map(str::to_owned).collect());
    for member in
        ["parent", "http", "rpc", "span", "trace", "attrs", "truncated", "request_sha256", "response_sha256", "code"]
    {
        assert!(members.contains(member), "no record has {member}: this test no longer covers it");
    }
    for (name, kind) in [
        ("policy_changed", "policy.changed"),
        ("alert", "alert"),
        ("outcome", "outcome"),
        ("recovered", "log.recovered"),
    ] {
        for member in schema.members_of(name) {
            assert!(members.contains(&format!("{kind}.{member}")), "no {kind} has {member}");
        }
    }
    for member in schema.members_of("body") {
        assert!(members.contains(&format!("body.{member}")), "no body has {member}");
    }
    for member in schema.members_of("coverage") {
        assert!(members.contains(&format!("coverage.{member}")), "nothing counts {member}");
    }
}

#[test]
fn the_schema_knows_every_kind() {
    let schema = Schema::load();
    let mut known = schema.kinds();
    let mut all: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    known.sort_unstable();
    all.sort_unstable();
    assert_eq!(known, all);
}

#[test]
fn the_schema_refuses_what_is_no_record() {
    let schema = Schema::load();
    let outcome = json!({
        "v": 1, "seq": 0, "prev": "0", "time": "", "kind": "outcome", "id": "", "result": "success",
    });
    assert_eq!(schema.faults(&outcome), Vec::<String>::new());
    let changes = [
        ("v", json!(2)),
        ("seq", json!(-1)),
        ("seq", json!(9_007_199_254_740_992_u64)),
        ("seq", json!("0")),
        ("prev", json!(0)),
        ("kind", json!(1)),
        ("result", json!("fine")),
        ("status", json!(70_000)),
        ("latency_us", json!(0.5)),
        ("actor", json!({"type": "service_account"})),
        ("actor", json!({"type": "robot", "verified": true})),
        ("actor", json!({"type": "user", "verified": true, "name": "ada"})),
        ("attrs", json!({"list": []})),
        ("truncated", json!([])),
        ("request_body", json!({"text": 1})),
        ("request_body", json!({"unread": false})),
        ("response_body", json!({"withheld": "mood"})),
        ("response_body", json!({"messages": []})),
        ("unheard_of", json!(1)),
    ];
    for (name, value) in changes {
        let mut changed = outcome.clone();
        changed[name] = value;
        assert!(!schema.faults(&changed).is_empty(), "{changed}");
    }
    for name in ["v", "seq", "prev", "time", "kind", "id", "result"] {
        let mut changed = outcome.clone();
        changed.as_object_mut().unwrap().remove(name);
        assert!(!schema.faults(&changed).is_empty(), "without {name}");
    }
}
