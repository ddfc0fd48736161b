//! How gRPC calls end, without a transport.

#![allow(clippy::unwrap_used)] // a test ends at the first surprise

mod support;

use std::convert::Infallible;
use std::time::Duration;

use audit_tower::AuditLayer;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use support::{Recorder, Script, Step, get, respond};
use tower::{Layer, ServiceExt, service_fn};

fn call(timeout: &str) -> Request<Full<Bytes>> {
    let mut request = get("/pay.Refunds/Watch");
    request.headers_mut().insert("grpc-timeout", timeout.parse().unwrap());
    request
}

#[tokio::test]
async fn a_stream_cut_after_its_timeout_has_exceeded_its_deadline_and_one_cut_before_is_cancelled() {
    for (timeout, result, code) in [("60m", "error", 4), ("1M", "cancelled", 1)] {
        let recorder = Recorder::new();
        let service = AuditLayer::for_grpc(recorder.log.clone()).layer(service_fn(|_: Request<Full<Bytes>>| async {
            Ok::<_, Infallible>(respond(200, Script::new([Step::Data("message"), Step::Pending])))
        }));
        let mut body = service.oneshot(call(timeout)).await.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
        drop(body);
        let outcome = recorder.outcome().await;
        assert_eq!((&outcome["result"], &outcome["code"]), (&result.into(), &code.into()));
        assert_eq!(outcome["response_bytes"], 7);
    }
}

#[tokio::test]
async fn a_code_counts_wherever_it_stands_and_whatever_it_says() {
    for (in_head, in_trailers, code, result) in [
        (Some("0"), None, 0, "success"),
        (Some("16"), None, 16, "denied"),
        (None, Some("5"), 5, "failure"),
        (Some("0"), Some("13"), 13, "error"),
        (None, Some("many"), 2, "error"),
        (None, Some("-1"), 2, "error"),
        (None, Some("99999999999"), 2, "error"),
        (None, None, 2, "error"),
    ] {
        let recorder = Recorder::new();
        let service =
            AuditLayer::for_grpc(recorder.log.clone()).layer(service_fn(move |_: Request<Full<Bytes>>| async move {
                let mut trailers = HeaderMap::new();
                if let Some(code) = in_trailers {
                    trailers.insert("grpc-status", code.parse().unwrap());
                }
                let mut response = respond(200, Script::new([Step::Data("message"), Step::Trailers(trailers)]));
                if let Some(code) = in_head {
                    response.headers_mut().insert("grpc-status", code.parse().unwrap());
                }
                Ok::<_, Infallible>(response)
            }));
        service.oneshot(call("1S")).await.unwrap().into_body().collect().await.unwrap();
        let outcome = recorder.outcome().await;
        assert_eq!(
            (&outcome["code"], &outcome["result"]),
            (&code.into(), &result.into()),
            "{in_head:?} {in_trailers:?}"
        );
    }
}

#[tokio::test]
async fn a_reply_without_a_body_has_the_code_of_its_head_or_of_its_status() {
    for (status, header, code) in
        [(200, Some("8"), 8), (200, None, 2), (401, None, 16), (404, None, 12), (503, None, 14)]
    {
        let recorder = Recorder::new();
        let service =
            AuditLayer::for_grpc(recorder.log.clone()).layer(service_fn(move |_: Request<Full<Bytes>>| async move {
                let mut response = respond(status, Empty::<Bytes>::new());
                if let Some(header) = header {
                    response.headers_mut().insert("grpc-status", header.parse().unwrap());
                }
                Ok::<_, Infallible>(response)
            }));
        service.oneshot(call("1S")).await.unwrap();
        assert_eq!(recorder.outcome().await["code"], code);
    }
}

#[tokio::test]
async fn a_stream_that_breaks_is_internal_as_its_caller_sees_it() {
    let recorder = Recorder::new();
    let service = AuditLayer::for_grpc(recorder.log.clone()).layer(service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(respond(200, Script::new([Step::Data("message"), Step::Error])))
    }));
    service.oneshot(call("1S")).await.unwrap().into_body().collect().await.map(drop).unwrap_err();
    let outcome = recorder.outcome().await;
    assert_eq!((&outcome["result"], &outcome["code"]), (&"error".into(), &13.into()));
    assert_eq!(outcome["error"], "the response body failed");
}

#[tokio::test]
async fn a_panic_has_no_code() {
    let recorder = Recorder::new();
    let service = AuditLayer::for_grpc(recorder.log.clone()).layer(service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<Response<Script>, Infallible>(respond(200, Script::new([Step::Panic])))
    }));
    let body = service.oneshot(call("1S")).await.unwrap().into_body();
    assert!(tokio::spawn(async { body.collect().await.map(drop) }).await.unwrap_err().is_panic());
    let outcome = recorder.outcome().await;
    assert_eq!(outcome["result"], "panicked");
    assert!(outcome.get("code").is_none());
}
