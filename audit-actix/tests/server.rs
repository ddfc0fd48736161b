//! Over real sockets.
#![allow(clippy::unwrap_used)] // a test ends at the first surprise

mod support;

use std::future::pending;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::ServerHandle;
use actix_web::rt::time::{Interval, interval};
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};
use audit_actix::Audit;
use support::Recorder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A body that sends a chunk every few milliseconds and never ends.
struct Endless(Interval);

impl MessageBody for Endless {
    type Error = std::convert::Infallible;
    fn size(&self) -> BodySize {
        BodySize::Stream
    }
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.0.poll_tick(cx).map(|_| Some(Ok(Bytes::from_static(&[b'x'; 1_024]))))
    }
}

fn serve(recorder: &Recorder) -> (SocketAddr, ServerHandle) {
    let audit = Audit::new(recorder.log.clone());
    let reached = Arc::clone(&recorder.reached);
    let server = HttpServer::new(move || {
        let reached = Arc::clone(&reached);
        App::new()
            .route("/ok", web::to(|| async { "hello" }))
            .route(
                "/never",
                web::get().to(move || {
                    reached.notify_one();
                    pending::<String>()
                }),
            )
            .route("/panic", web::get().to(|| async { panic!("scripted panic of a handler") as String }))
            .route(
                "/endless",
                web::get().to(|| async { HttpResponse::Ok().body(Endless(interval(Duration::from_millis(2)))) }),
            )
            .wrap(audit.clone())
    })
    .workers(1)
    .disable_signals()
    // Without this, handlers run on when their client is gone.
    .h1_allow_half_closed(false)
    .bind(("127.0.0.1", 0))
    .unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    (address, handle)
}

async fn send(address: SocketAddr, method: &str, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

#[actix_web::test]
async fn calls_that_are_answered_whole_are_successes_head_included() {
    for (method, bytes) in [("GET", 5), ("HEAD", 0)] {
        let recorder = Recorder::new();
        let (address, server) = serve(&recorder);
        let mut answer = String::new();
        send(address, method, "/ok").await.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        server.stop(true).await;
        let (intent, outcome) = recorder.pair().await;
        assert_eq!(intent["source"]["ip"], "127.0.0.1");
        assert_eq!((&outcome["result"], &outcome["response_bytes"]), (&"success".into(), &bytes.into()));
    }
}

#[actix_web::test]
async fn a_client_gone_during_the_body_is_cancelled() {
    let recorder = Recorder::new();
    let (address, server) = serve(&recorder);
    let mut stream = send(address, "GET", "/endless").await;
    let mut head = [0; 2_048];
    stream.read_exact(&mut head).await.unwrap();
    drop(stream);
    recorder.stored("outcome", 1).await;
    server.stop(false).await;
    let (_, outcome) = recorder.pair().await;
    assert_eq!((&outcome["result"], &outcome["status"]), (&"cancelled".into(), &200.into()));
}

#[actix_web::test]
async fn a_client_gone_before_the_response_is_cancelled() {
    let recorder = Recorder::new();
    let (address, server) = serve(&recorder);
    let stream = send(address, "GET", "/never").await;
    recorder.reached.notified().await;
    drop(stream);
    recorder.stored("outcome", 1).await;
    server.stop(false).await;
    assert_eq!(recorder.pair().await.1["result"], "cancelled");
}

#[actix_web::test]
async fn a_panic_takes_the_connection_and_is_recorded() {
    let recorder = Recorder::new();
    let (address, server) = serve(&recorder);
    let mut answer = String::new();
    send(address, "GET", "/panic").await.read_to_string(&mut answer).await.ok();
    assert_eq!(answer, "");
    recorder.stored("outcome", 1).await;
    server.stop(false).await;
    assert_eq!(recorder.pair().await.1["result"], "panicked");
}

#[actix_web::test]
async fn a_request_without_a_body_is_not_unread() {
    let recorder = Recorder::with_policy("[[rule]]\nname = \"money\"\nlevel = \"request\"\n");
    let (address, server) = serve(&recorder);
    let mut answer = String::new();
    send(address, "GET", "/ok").await.read_to_string(&mut answer).await.unwrap();
    server.stop(true).await;
    let outcome = recorder.pair().await.1;
    assert_eq!(outcome["request_sha256"], audit_core::evidence::Hash::digest(b"").to_string(), "{outcome}");
}

#[actix_web::test]
async fn an_awaited_outcome_is_stored_when_the_client_has_its_answer() {
    let recorder = Recorder::with_policy("[[rule]]\nname = \"money\"\nawait_outcome = true\ndeadline = \"10s\"\n");
    let (address, server) = serve(&recorder);
    for (method, end) in [("GET", "hello"), ("HEAD", "\r\n\r\n")] {
        let mut answer = String::new();
        send(address, method, "/ok").await.read_to_string(&mut answer).await.unwrap();
        let outcomes = recorder.records().iter().filter(|record| record["kind"] == "outcome").count();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(end), "{answer}");
        assert_eq!(outcomes, if method == "GET" { 1 } else { 2 });
    }
    server.stop(true).await;
}
