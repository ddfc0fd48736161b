//! The layer calls only services that said they are ready.

#![allow(clippy::unwrap_used)] // a test ends at the first surprise

mod support;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};
use std::time::Duration;

use audit_tower::AuditLayer;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use support::{Recorder, get};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

type Call = Request<Full<Bytes>>;

/// Panics when it is called without having been polled ready; a clone is not ready.
struct Strict {
    ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self { ready: false }
    }
}

impl Service<Call> for Strict {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: Call) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called unready");
        ready(Ok(Response::default()))
    }
}

#[tokio::test]
async fn the_service_that_was_polled_ready_is_the_one_that_is_called() {
    let recorder = Recorder::new();
    let mut service = AuditLayer::new(recorder.log.clone()).layer(Strict { ready: false });
    for _ in 0..3 {
        let mut clone = service.clone();
        service.ready().await.unwrap().call(get("/")).await.unwrap();
        clone.ready().await.unwrap().call(get("/")).await.unwrap();
    }
    assert_eq!(recorder.settled().await.len(), 12);
}

#[tokio::test]
async fn a_permit_taken_by_poll_ready_is_used_and_given_back() {
    let recorder = Recorder::new();
    let (release, hold) = tokio::sync::watch::channel(false);
    let service = ServiceBuilder::new().layer(AuditLayer::new(recorder.log.clone())).concurrency_limit(1).service(
        service_fn(move |_: Call| {
            let mut hold = hold.clone();
            async move {
                hold.wait_for(|released| *released).await.unwrap();
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
            }
        }),
    );
    let first = tokio::spawn(service.clone().oneshot(get("/1")));
    recorder.intents(1).await;
    let mut other = service.clone();
    let waited = tokio::time::timeout(Duration::from_millis(50), other.ready()).await;
    assert!(waited.is_err(), "the only permit is with the first call");
    release.send(true).unwrap();
    first.await.unwrap().unwrap();
    other.ready().await.unwrap().call(get("/2")).await.unwrap();
    assert_eq!(recorder.settled().await.len(), 4);
}

#[tokio::test]
async fn an_error_of_poll_ready_is_passed_on_and_nothing_is_recorded() {
    #[derive(Clone)]
    struct Broken;
    impl Service<Call> for Broken {
        type Response = Response<Full<Bytes>>;
        type Error = &'static str;
        type Future = Ready<Result<Self::Response, Self::Error>>;
        fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Err("broken"))
        }
        fn call(&mut self, _request: Call) -> Self::Future {
            ready(Ok(Response::default()))
        }
    }

    let recorder = Recorder::new();
    let service = AuditLayer::new(recorder.log.clone()).layer(Broken);
    assert_eq!(service.oneshot(get("/")).await.unwrap_err(), "broken");
    assert!(recorder.settled().await.is_empty());
}
