//! Over real sockets, with hyper alone.

#![allow(clippy::unwrap_used)] // a test ends at the first surprise

mod support;

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use audit_tower::AuditLayer;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use support::server::{begin, exchange, serve};
use support::{Recorder, Script, Step};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tower::{Layer, ServiceBuilder, service_fn};
use tower_http::catch_panic::CatchPanicLayer;

type Answer = Response<BoxBody<Bytes, std::io::Error>>;

fn whole(text: &'static str) -> BoxBody<Bytes, std::io::Error> {
    Full::from(text).map_err(|never| match never {}).boxed()
}

/// A body that sends a chunk every few milliseconds and never ends.
struct Endless(tokio::time::Interval);

impl Body for Endless {
    type Data = Bytes;
    type Error = std::io::Error;
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.0.poll_tick(cx).map(|_| Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 1_024])))))
    }
}

async fn handler(mut request: Request<Incoming>, reached: Arc<Notify>) -> Result<Answer, Infallible> {
    let path = request.uri().path().to_owned();
    let body = match path.as_str() {
        "/whole" => whole("hello"),
        "/echo" => {
            let bytes = request.body_mut().collect().await.unwrap().to_bytes();
            Full::from(bytes).map_err(|never| match never {}).boxed()
        }
        "/stream" => Script::new([Step::Data("one"), Step::Data("two")]).boxed(),
        "/endless" => Endless(tokio::time::interval(Duration::from_millis(2))).boxed(),
        "/broken" => Script::new([Step::Data("one"), Step::Error]).boxed(),
        "/body-panic" => Script::new([Step::Data("one"), Step::Panic]).boxed(),
        "/never" => {
            reached.notify_one();
            pending().await
        }
        "/panic" => panic!("scripted panic of a handler"),
        "/upgrade" => {
            tokio::spawn(async move {
                let upgraded = hyper::upgrade::on(&mut request).await.unwrap();
                TokioIo::new(upgraded).write_all(b"tunnelled").await.unwrap();
            });
            let response = Response::builder()
                .status(StatusCode::SWITCHING_PROTOCOLS)
                .header("connection", "upgrade")
                .header("upgrade", "echo");
            let body = Empty::new().map_err(|never| match never {}).boxed();
            return Ok(response.body(body).unwrap());
        }
        "/none" => return Ok(Response::builder().status(204).body(whole("")).unwrap()),
        "/not-modified" => return Ok(Response::builder().status(304).body(whole("")).unwrap()),
        _ => return Ok(Response::builder().status(404).body(whole("no")).unwrap()),
    };
    Ok(Response::new(body))
}

async fn server() -> (Recorder, SocketAddr) {
    let recorder = Recorder::new();
    let layer = AuditLayer::new(recorder.log.clone());
    let reached = Arc::clone(&recorder.reached);
    let service = service_fn(move |request| handler(request, Arc::clone(&reached)));
    let address = serve(layer.layer(service)).await;
    (recorder, address)
}

fn closing(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: pay.example\r\nconnection: close\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn bodies_that_arrive_whole_are_successes() {
    for (path, body) in
        [("/whole", "hello"), ("/stream", "two"), ("/none", "204"), ("/not-modified", "304"), ("/missing", "no")]
    {
        let (recorder, address) = server().await;
        let answer = exchange(address, &closing(path)).await;
        assert!(answer.contains(body), "{answer}");
        let outcome = recorder.outcome().await;
        let expected = if path == "/missing" { "failure" } else { "success" };
        assert_eq!(outcome["result"], expected, "{path}");
    }
}

#[tokio::test]
async fn head_is_answered_without_a_body_and_is_a_success() {
    let (recorder, address) = server().await;
    let answer = exchange(address, b"HEAD /whole HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(answer.contains("content-length: 5") && answer.ends_with("\r\n\r\n"), "{answer}");
    let (intent, outcome) = recorder.pair().await;
    assert_eq!(intent["action"], "HEAD /whole");
    assert_eq!((&outcome["result"], &outcome["response_bytes"]), (&"success".into(), &0.into()));
}

#[tokio::test]
async fn calls_on_one_connection_are_recorded_one_by_one() {
    let (recorder, address) = server().await;
    let mut three =
        b"GET /whole HTTP/1.1\r\nhost: a\r\n\r\nPOST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc"
            .to_vec();
    three.extend(closing("/stream"));
    exchange(address, &three).await;
    let records = recorder.settled().await;
    let actions: Vec<_> = records.iter().filter_map(|record| record["action"].as_str()).collect();
    assert_eq!(actions, ["GET /whole", "POST /echo", "GET /stream"]);
    let bytes: Vec<_> = records.iter().filter_map(|record| record["request_bytes"].as_u64()).collect();
    assert_eq!((records.len(), bytes), (6, vec![3]));
}

#[tokio::test]
async fn a_client_gone_before_the_response_is_cancelled() {
    let (recorder, address) = server().await;
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /never HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    recorder.reached.notified().await;
    drop(stream);
    recorder.outcomes(1).await;
    let outcome = recorder.outcome().await;
    assert_eq!(outcome["result"], "cancelled");
    assert!(outcome.get("status").is_none());
}

#[tokio::test]
async fn a_client_gone_during_the_body_is_cancelled_with_the_status_it_got() {
    let (recorder, address) = server().await;
    let stream = begin(address, b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n", "xxx").await;
    drop(stream);
    recorder.outcomes(1).await;
    let outcome = recorder.outcome().await;
    assert_eq!((&outcome["result"], &outcome["status"]), (&"cancelled".into(), &200.into()));
    assert!(outcome["response_bytes"].as_u64().unwrap() >= 1_024);
}

#[tokio::test]
async fn a_body_that_fails_or_panics_says_so() {
    for (path, result) in [("/broken", "error"), ("/body-panic", "panicked")] {
        let (recorder, address) = server().await;
        exchange(address, &closing(path)).await;
        let outcome = recorder.outcome().await;
        assert_eq!((&outcome["result"], &outcome["status"]), (&result.into(), &200.into()));
        assert_eq!(outcome["response_bytes"], 3);
    }
}

#[tokio::test]
async fn a_panic_that_nobody_catches_takes_the_connection_and_is_recorded() {
    let (recorder, address) = server().await;
    assert_eq!(exchange(address, &closing("/panic")).await, "");
    assert_eq!(recorder.outcome().await["result"], "panicked");
}

#[tokio::test]
async fn a_panic_caught_inside_is_answered_and_recorded_as_500() {
    let recorder = Recorder::new();
    let service = ServiceBuilder::new()
        .layer(AuditLayer::new(recorder.log.clone()))
        .layer(CatchPanicLayer::new())
        .service(service_fn(|request| handler(request, Arc::default())));
    let address = serve(service).await;
    let answer = exchange(address, &closing("/panic")).await;
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    assert_eq!(recorder.outcome().await["status"], 500);
}

#[tokio::test]
async fn an_upgrade_is_a_success_and_its_tunnel_works() {
    let (recorder, address) = server().await;
    let request = b"GET /upgrade HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    let mut stream = begin(address, request, "tunnelled").await;
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    let outcome = recorder.outcome().await;
    assert_eq!((&outcome["result"], &outcome["status"]), (&"success".into(), &101.into()));
    assert!(outcome.get("response_bytes").is_none());
}

fn http2() -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).http2_only(true).build_http()
}

fn at(address: SocketAddr, path: &str) -> Request<Full<Bytes>> {
    Request::get(format!("http://{address}{path}")).body(Full::default()).unwrap()
}

#[tokio::test]
async fn http2_calls_are_recorded_with_their_authority() {
    let (recorder, address) = server().await;
    let client = http2();
    for request in [at(address, "/whole"), at(address, "/stream"), at(address, "/none")] {
        client.request(request).await.unwrap().collect().await.unwrap();
    }
    recorder.outcomes(3).await;
    let records = recorder.settled().await;
    assert_eq!(records.len(), 6);
    for record in records {
        match record["kind"].as_str().unwrap() {
            "intent" => {
                assert_eq!(record["http"]["version"], "2");
                assert_eq!(record["http"]["host"], address.to_string());
            }
            _ => assert_eq!(record["result"], "success"),
        }
    }
}

#[tokio::test]
async fn http2_streams_that_are_reset_are_cancelled() {
    let (recorder, address) = server().await;
    let client = http2();
    let unanswered = tokio::spawn(client.request(at(address, "/never")));
    recorder.reached.notified().await;
    unanswered.abort();
    recorder.outcomes(1).await;
    let mut body = client.request(at(address, "/endless")).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    recorder.outcomes(2).await;
    let records = recorder.settled().await;
    let results: Vec<_> = records.iter().filter_map(|record| record["result"].as_str()).collect();
    assert_eq!(results, ["cancelled", "cancelled"]);
}
