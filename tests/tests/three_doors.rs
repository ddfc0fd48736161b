//! One call through each of the three doors, in one log on disk.

#![allow(clippy::unwrap_used)] // a test ends at the first surprise

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use audit_actix::Audit;
use audit_core::backend::FileReader;
use audit_core::verify::{Judgement, Verifier};
use audit_core::{AuditLog, CurrentActivity, File, Key};
use audit_tower::AuditLayer;
use audit_tracing::AuditSpans;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Extension, Router};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tracing_subscriber::layer::SubscriberExt as _;

const ORIGIN: &str = "payments.example.com/three-doors";

#[tokio::test]
async fn every_door_leaves_an_intent_before_and_an_outcome_after_in_one_chained_file() {
    let dir = tempfile::tempdir().unwrap();
    let log =
        AuditLog::builder(ORIGIN).key(Key::generate(ORIGIN).unwrap()).backend(File::new(dir.path())).open().unwrap();

    let seen = through_axum(&log, dir.path()).await;
    assert_eq!(seen, ["POST /axum/{id}"], "what the handler found on disk");
    let seen = through_actix(&log, dir.path()).await;
    assert_eq!(seen, ["POST /axum/{id}", "POST /actix/{id}"]);
    through_a_span(&log);
    log.close(Duration::from_secs(10)).await.unwrap();

    let reader = FileReader::open(dir.path()).unwrap();
    let verdict = Verifier::new().key(log.verifier_key().clone()).run(&reader);
    assert_eq!(verdict.judgement(), Judgement::Intact, "{verdict:?}");
    assert_eq!(verdict.signed, verdict.records);
    let records = records(dir.path());
    for action in ["POST /axum/{id}", "POST /actix/{id}", "ledger.rotate"] {
        let intent = the_one(&records, |record| record["kind"] == "intent" && record["action"] == action);
        let outcome = the_one(&records, |record| record["kind"] == "outcome" && record["id"] == intent["id"]);
        assert!(intent["seq"].as_u64() < outcome["seq"].as_u64(), "{action}");
        assert_eq!(outcome["result"], "success", "{action}");
        assert_eq!(outcome["attrs"]["amount"], 42, "{action}");
    }
}

/// Serves one call with axum; returns the intents that its handler found on disk.
async fn through_axum(log: &AuditLog, dir: &Path) -> Vec<String> {
    let (tell, told) = mpsc::channel();
    let dir = dir.to_owned();
    let handler = move |Extension(activity): Extension<CurrentActivity>| {
        activity.attribute("amount", 42).unwrap();
        tell.send(intents(&dir)).unwrap();
        async { StatusCode::CREATED }
    };
    let app = Router::new().route("/axum/{id}", post(handler)).layer(AuditLayer::for_axum(log.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async { axum::serve(listener, app).await });
    call(address, "/axum/7").await;
    server.abort();
    told.recv().unwrap()
}

/// Serves one call with Actix Web; returns the intents that its handler found on disk.
async fn through_actix(log: &AuditLog, dir: &Path) -> Vec<String> {
    let (tell, told) = mpsc::channel();
    let (started, start) = tokio::sync::oneshot::channel();
    let audit = Audit::new(log.clone());
    let dir = dir.to_owned();
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(move || {
                let (tell, dir) = (tell.clone(), dir.clone());
                let handler = move |activity: web::ReqData<CurrentActivity>| {
                    activity.attribute("amount", 42).unwrap();
                    tell.send(intents(&dir)).unwrap();
                    async { HttpResponse::Created().finish() }
                };
                App::new().route("/actix/{id}", web::post().to(handler)).wrap(audit.clone())
            })
            .workers(1)
            .disable_signals()
            .bind(("127.0.0.1", 0))
            .unwrap();
            let address = server.addrs()[0];
            let server = server.run();
            started.send((address, server.handle())).unwrap();
            server.await.unwrap();
        });
    });
    let (address, server) = start.await.unwrap();
    call(address, "/actix/7").await;
    server.stop(true).await;
    thread.join().unwrap();
    told.recv().unwrap()
}

/// Runs one annotated function.
fn through_a_span(log: &AuditLog) {
    #[tracing::instrument(fields(audit.action = "ledger.rotate", audit.amount, audit.result))]
    fn rotate() {
        tracing::Span::current().record("audit.amount", 42);
        tracing::Span::current().record("audit.result", "success");
    }

    let subscriber = tracing_subscriber::registry().with(AuditSpans::new(log.clone()).unwrap());
    tracing::subscriber::with_default(subscriber, rotate);
}

async fn call(address: SocketAddr, path: &str) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("POST {path} HTTP/1.1\r\nhost: pay.example\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

/// The records on disk, in order.
fn records(dir: &Path) -> Vec<Value> {
    let mut segments: Vec<PathBuf> =
        fs::read_dir(dir.join("segments")).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.sort();
    segments
        .iter()
        .flat_map(|segment| fs::read_to_string(segment).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
        .map(|line| serde_json::from_str(&line).unwrap())
        .collect()
}

/// The actions of all intents on disk.
fn intents(dir: &Path) -> Vec<String> {
    records(dir)
        .iter()
        .filter(|record| record["kind"] == "intent")
        .map(|record| record["action"].as_str().unwrap().to_owned())
        .collect()
}

fn the_one(records: &[Value], wanted: impl Fn(&Value) -> bool) -> &Value {
    let mut found = records.iter().filter(|record| wanted(record));
    let record = found.next().unwrap_or_else(|| panic!("not found in {records:#?}"));
    assert!(found.next().is_none(), "more than one in {records:#?}");
    record
}
