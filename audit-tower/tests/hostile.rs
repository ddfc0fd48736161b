//! What a caller sends can neither fail a call nor lose its record.

#![allow(clippy::unwrap_used)] // a test ends at the first surprise

mod support;

use std::convert::Infallible;
use std::net::SocketAddr;

use audit_core::redaction::AllowList;
use audit_tower::AuditLayer;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::Value;
use support::Recorder;
use support::server::{exchange, serve};
use tower::{Layer, ServiceExt, service_fn};

async fn server() -> (Recorder, SocketAddr) {
    let recorder = Recorder::new();
    let list = AllowList::new(["x-note"], ["q"]).unwrap();
    let layer = AuditLayer::new(recorder.log.clone()).allow_list(list);
    let service = layer.layer(service_fn(|_: Request<Incoming>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("fine")))
    }));
    (recorder, serve(service).await)
}

/// Sends a request made of raw bytes; it has to be answered and recorded.
async fn survives(target: &[u8], headers: &[u8]) -> (Value, Value) {
    let (recorder, address) = server().await;
    let request = [b"GET ", target, b" HTTP/1.1\r\nhost: a\r\nconnection: close\r\n", headers, b"\r\n"].concat();
    let answer = exchange(address, &request).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (intent, outcome) = recorder.pair().await;
    assert_eq!(outcome["result"], "success");
    (intent, outcome)
}

#[tokio::test]
async fn header_values_that_are_not_utf8_are_recorded_as_far_as_they_are() {
    let (intent, _) = survives(b"/", b"user-agent: bad\xff\xfe agent\r\nx-note: \x80\r\n").await;
    assert_eq!(intent["http"]["user_agent"], "bad\u{fffd}\u{fffd} agent");
    assert_eq!(intent["http"]["headers"]["x-note"], "\u{fffd}");
}

#[tokio::test]
async fn a_header_of_64_kib_is_cut_and_the_record_says_so() {
    let agent = [b"user-agent: ", vec![b'a'; 64 << 10].as_slice(), b"\r\n"].concat();
    let (intent, _) = survives(b"/", &agent).await;
    assert!(intent["http"]["user_agent"].as_str().unwrap().len() <= 1_024);
    assert_eq!(intent["truncated"][0], "http.user_agent");
}

#[tokio::test]
async fn a_header_of_64_kib_that_is_not_utf8_is_cut_too() {
    let agent = [b"user-agent: ", vec![0xff; 64 << 10].as_slice(), b"\r\n"].concat();
    let (intent, _) = survives(b"/", &agent).await;
    assert!(intent["http"]["user_agent"].as_str().unwrap().len() <= 1_024);
}

#[tokio::test]
async fn a_path_of_60_kib_is_cut_and_the_record_says_so() {
    let path = [b"/", vec![b'p'; 60 << 10].as_slice()].concat();
    let (intent, _) = survives(&path, b"").await;
    let cut: Vec<_> = intent["truncated"].as_array().unwrap().iter().collect();
    assert!(cut.iter().any(|name| *name == "resource") && cut.iter().any(|name| *name == "action"));
}

#[tokio::test]
async fn odd_targets_are_recorded_as_they_came() {
    for target in ["/%00%0a%22", "//a//b/../c/./", "/a%2fb;c=d", "/\u{e9}", "*", "http://other.example/x", "/a\"b|c"] {
        let (intent, _) = survives(target.as_bytes(), b"").await;
        let path = target.strip_prefix("http://other.example").unwrap_or(target);
        assert_eq!(intent["resource"], path);
        assert_eq!(intent["action"], format!("GET {path}"));
    }
}

#[tokio::test]
async fn hosts_queries_and_traces_that_make_no_sense_are_no_reason_to_fail() {
    let headers = b"traceparent: 00-ffffffffffffffffffffffffffffffff-zzzz-00\r\ncontent-type: \xff\r\nauthorization: Bearer \xff.\xfe.x\r\n";
    let (intent, _) = survives(b"/?q=%zz&q&=&&q=%00", headers).await;
    assert!(intent.get("trace").is_none());
}

#[tokio::test]
async fn a_trace_is_recorded_when_there_is_one_and_well_formed() {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let header = format!("traceparent: {TRACE}\r\n");
    let (intent, _) = survives(b"/", header.as_bytes()).await;
    assert_eq!(intent["trace"], TRACE);
    let (intent, _) = survives(b"/", header.repeat(2).as_bytes()).await;
    assert!(intent.get("trace").is_none(), "two of them mean none");
}

#[tokio::test]
async fn a_method_of_the_callers_own_is_recorded() {
    let (recorder, address) = server().await;
    let request = b"BREW-COFFEE /pot HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    assert!(exchange(address, request).await.starts_with("HTTP/1.1 200"));
    assert_eq!(recorder.pair().await.0["action"], "BREW-COFFEE /pot");
}

#[tokio::test]
async fn lengths_that_are_no_lengths_are_not_recorded() {
    let (recorder, address) = server().await;
    let request = b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    exchange(address, request).await;
    assert!(recorder.outcome().await.get("request_bytes").is_none());
}

#[tokio::test]
async fn a_password_in_the_target_is_not_recorded() {
    let (intent, _) = survives(b"http://svc:hunter2@pay.example/v1/x", b"").await;
    assert_eq!(intent["http"]["host"], "pay.example");
    assert_eq!(intent["resource"], "/v1/x");
    assert!(!intent.to_string().contains("hunter2"));
}

#[tokio::test]
async fn a_password_in_the_host_or_in_the_target_of_a_tunnel_is_not_recorded() {
    let host = Request::get("/v1/x").header("host", "svc:hunter2@pay.example:80");
    let tunnel = Request::connect("svc:hunter2@pay.example:443");
    for (request, resource, host) in [(host, "/v1/x", "pay.example:80"), (tunnel, "pay.example:443", "pay.example:443")]
    {
        let recorder = Recorder::new();
        let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(|_: Request<()>| async {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("fine")))
        }));
        drop(service.oneshot(request.body(()).unwrap()).await.unwrap());
        let (intent, _) = recorder.pair().await;
        assert_eq!((&intent["resource"], &intent["http"]["host"]), (&resource.into(), &host.into()));
        assert!(!intent.to_string().contains("hunter2"), "{intent}");
    }
}
