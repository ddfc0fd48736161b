//! What a caller gets when the log cannot take the call.

#![allow(clippy::unwrap_used)] // a test ends at the first surprise

mod support;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use audit_core::testing::{Call as StoreCall, Fault};
use audit_tower::AuditLayer;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use support::{Recorder, drain, get, respond};
use tower::{Layer, Service, ServiceExt, service_fn};

type Call = Request<Full<Bytes>>;

/// A service that counts how often its handler runs.
fn counting()
-> (Arc<AtomicUsize>, impl Service<Call, Response = Response<Full<Bytes>>, Error = Infallible, Future: Send> + Clone) {
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&runs);
    let service = service_fn(move |_: Call| {
        counter.fetch_add(1, Ordering::SeqCst);
        async { Ok(respond(200, Full::from("ran"))) }
    });
    (runs, service)
}

#[tokio::test]
async fn a_refused_call_gets_503_with_retry_after_and_its_handler_never_runs() {
    let recorder = Recorder::refusing().await;
    let (runs, service) = counting();
    let service = AuditLayer::new(recorder.log.clone()).layer(service);
    let response = service.oneshot(get("/v1/refunds")).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["content-length"], "0");
    let seconds: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(seconds >= 1);
    assert!(response.body().is_end_stream());
    assert_eq!(response.body().size_hint().exact(), Some(0));
    assert!(drain(response.into_body()).await.is_empty());
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    assert!(recorder.records().is_empty());
}

#[tokio::test]
async fn a_refused_grpc_call_gets_unavailable_in_the_head() {
    let recorder = Recorder::refusing().await;
    for content_type in ["application/grpc", "application/grpc+proto", "Application/GRPC; x=1"] {
        let (runs, service) = counting();
        let service = AuditLayer::new(recorder.log.clone()).layer(service);
        let mut request = get("/pay.Refunds/Create");
        request.headers_mut().insert("content-type", content_type.parse().unwrap());
        let response = service.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "application/grpc");
        assert_eq!(response.headers()["grpc-status"], "14");
        assert!(response.body().is_end_stream());
        assert_eq!(runs.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn content_types_that_only_begin_like_grpc_get_503() {
    let recorder = Recorder::refusing().await;
    for content_type in ["application/grpcish", "application/json", "text/application/grpc"] {
        let (_, service) = counting();
        let service = AuditLayer::new(recorder.log.clone()).layer(service);
        let mut request = get("/");
        request.headers_mut().insert("content-type", content_type.parse().unwrap());
        let response = service.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}

#[tokio::test]
async fn the_users_own_response_sees_reason_and_request() {
    let recorder = Recorder::refusing().await;
    let (runs, service) = counting();
    let service = AuditLayer::new(recorder.log.clone())
        .on_refused(|refused, request| {
            let text = format!("{} {}", refused.reason(), request.uri.path());
            Response::builder().status(507).body(Full::from(text)).unwrap()
        })
        .layer(service);
    let response = service.oneshot(get("/v1/refunds")).await.unwrap();
    assert_eq!(response.status(), StatusCode::INSUFFICIENT_STORAGE);
    assert_eq!(drain(response.into_body()).await, "closed /v1/refunds");
    assert_eq!(runs.load(Ordering::SeqCst), 0);
}

fn rule(on_failure: &str) -> String {
    format!("[[rule]]\nname = \"all\"\non_failure = \"{on_failure}\"\ndeadline = \"50ms\"\n")
}

#[tokio::test]
async fn a_store_that_hangs_costs_the_deadline_and_the_handler_never_runs() {
    let (recorder, faults) = Recorder::with_faults(&rule("deny"));
    faults.until_healed(StoreCall::Append, Fault::Hang);
    let (runs, service) = counting();
    let service = AuditLayer::new(recorder.log.clone()).layer(service);
    let response = service.oneshot(get("/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    faults.heal();
    // The intent may land after all: it then ends as refused.
    let records = recorder.settled().await;
    assert!(records.iter().filter_map(|record| record["result"].as_str()).all(|result| result == "refused"));
    assert_eq!(runs.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_store_that_is_full_refuses_calls_and_takes_them_again_when_there_is_room() {
    let (recorder, faults) = Recorder::with_faults(&rule("deny"));
    faults.until_healed(StoreCall::Append, Fault::FullForIntents);
    let (runs, service) = counting();
    let service = AuditLayer::new(recorder.log.clone()).layer(service);
    let response = service.clone().oneshot(get("/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    faults.heal();
    for _ in 0..1_000 {
        let response = service.clone().oneshot(get("/")).await.unwrap();
        if response.status() == StatusCode::OK {
            drain(response.into_body()).await;
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    let records = recorder.settled().await;
    assert!(records.iter().any(|record| record["result"] == "success"), "{records:#?}");
}

#[tokio::test]
async fn a_rule_that_allows_failure_lets_the_call_go_on() {
    let (recorder, faults) = Recorder::with_faults(&rule("allow"));
    faults.until_healed(StoreCall::Append, Fault::Unavailable);
    let (runs, service) = counting();
    let service = AuditLayer::new(recorder.log.clone()).layer(service);
    let response = service.oneshot(get("/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(drain(response.into_body()).await, "ran");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    faults.heal();
    recorder.settled().await;
    assert_eq!(recorder.log.coverage().lost + recorder.log.coverage().recorded, 1);
}
