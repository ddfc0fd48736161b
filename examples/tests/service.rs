//! What the payments service does, whoever records it.

#![expect(clippy::unwrap_used, reason = "also in the function that all tests here call")]

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use examples::axum_router;
use examples::payments::Payments;
use http_body_util::BodyExt;
use tower::ServiceExt;

async fn call(payments: &Payments, method: &str, path: &str, body: &str) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(path).body(Body::from(body.to_owned())).unwrap();
    let app = axum_router::payments(payments.clone());
    let response = app.oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_refund_is_counted_and_answered_with_201() {
    let payments = Payments::new();
    let (status, body) = call(&payments, "POST", "/v1/refunds/42", r#"{"cents":100}"#).await;
    assert_eq!((status, body.as_str()), (StatusCode::CREATED, "{}"));
    let (status, body) = call(&payments, "GET", "/v1/refunds", "").await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "1"));
}

#[tokio::test]
async fn a_body_that_is_not_json_makes_no_refund() {
    let payments = Payments::new();
    let (status, _) = call(&payments, "POST", "/v1/refunds/42", "{cents").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(payments.refunds(), 0);
}

#[tokio::test]
async fn every_run_of_a_handler_is_one_byte_in_the_file_beside_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("log.handled");
    let payments = Payments::counting_in(&file).unwrap();
    for (method, path) in [
        ("POST", "/v1/refunds/1"),
        ("GET", "/v1/refunds"),
        ("GET", "/v1/fail"),
        ("GET", "/v1/denied"),
        ("GET", "/v1/stream?chunks=1"),
        ("GET", "/v1/slow?ms=1"),
    ] {
        call(&payments, method, path, "").await;
    }
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 6);

    call(&payments, "GET", "/healthz", "").await;
    call(&payments, "GET", "/nowhere", "").await;
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 6);
}

#[tokio::test]
async fn the_failing_routes_fail_as_named() {
    let payments = Payments::new();
    let (status, _) = call(&payments, "GET", "/v1/fail", "").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    let (status, _) = call(&payments, "GET", "/v1/denied", "").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_panicking_handler_was_counted_before_it_panicked() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("log.handled");
    let payments = Payments::counting_in(&file).unwrap();
    let run = tokio::spawn(async move { call(&payments, "GET", "/v1/panic", "").await });
    assert!(run.await.unwrap_err().is_panic());
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_takes_the_time_asked_for_and_a_stream_its_chunks() {
    let payments = Payments::new();
    let before = tokio::time::Instant::now();
    call(&payments, "GET", "/v1/slow?ms=1500", "").await;
    assert!(before.elapsed() >= Duration::from_millis(1500));

    let (_, body) = call(&payments, "GET", "/v1/stream?chunks=3", "").await;
    assert_eq!(body, "chunk\nchunk\nchunk\n");
}
