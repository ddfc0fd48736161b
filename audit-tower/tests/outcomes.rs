//! Every way a call can end leaves exactly one outcome.

#![allow(clippy::unwrap_used)] // a test ends at the first surprise

mod support;

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use audit_core::log::CurrentActivity;
use audit_core::{Actor, Policy};
use audit_tower::AuditLayer;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use support::{Recorder, Script, Step, drain, get, respond};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

const EXCLUDED: &str = "[[rule]]\nname = \"probes\"\npaths = [\"/healthz\"]\nlevel = \"none\"\n";

/// A timeout that no intent misses, however busy the machine is.
const LONG_ENOUGH: Duration = Duration::from_secs(2);

type Call = Request<Full<Bytes>>;

#[tokio::test]
async fn the_intent_is_stored_before_the_handler_runs() {
    let recorder = Recorder::new();
    let inside = recorder.clone();
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(move |_: Call| {
        let kinds: Vec<_> = inside.records().iter().map(|record| record["kind"].clone()).collect();
        async move {
            assert_eq!(kinds, ["intent"]);
            Ok::<_, Infallible>(respond(200, Full::<Bytes>::from("done")))
        }
    }));
    let response = service.oneshot(get("/a")).await.unwrap();
    drain(response.into_body()).await;
    assert_eq!(recorder.outcome().await["result"], "success");
}

#[tokio::test]
async fn a_body_read_to_its_end_is_a_success_with_its_bytes_counted() {
    let recorder = Recorder::new();
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(|_: Call| async {
        Ok::<_, Infallible>(respond(201, Script::new([Step::Data("four"), Step::Data("eleven more")])))
    }));
    let request = Request::post("/v1/refunds/42?secret=1")
        .header("content-length", "9")
        .header("host", "pay.example")
        .header("user-agent", "settler/3")
        .body(Full::from("123456789"))
        .unwrap();
    let response = service.oneshot(request).await.unwrap();
    drain(response.into_body()).await;
    let (intent, outcome) = recorder.pair().await;
    assert_eq!(intent["action"], "POST /v1/refunds/42");
    assert_eq!(intent["resource"], "/v1/refunds/42");
    assert_eq!(intent["http"]["version"], "1.1");
    assert_eq!(intent["http"]["host"], "pay.example");
    assert_eq!(intent["http"]["user_agent"], "settler/3");
    assert_eq!(intent["actor"]["type"], "unauthenticated");
    assert!(!intent.to_string().contains("secret"), "the query is not recorded");
    assert_eq!(outcome["result"], "success");
    assert_eq!(outcome["status"], 201);
    assert_eq!(outcome["request_bytes"], 9);
    assert_eq!(outcome["response_bytes"], 15);
}

#[tokio::test]
async fn statuses_become_results() {
    for (status, result) in [
        (200, "success"),
        (302, "success"),
        (400, "failure"),
        (401, "denied"),
        (403, "denied"),
        (404, "failure"),
        (500, "error"),
        (503, "error"),
    ] {
        let recorder = Recorder::new();
        let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(move |_: Call| async move {
            Ok::<_, Infallible>(respond(status, Full::<Bytes>::from("x")))
        }));
        drain(service.oneshot(get("/")).await.unwrap().into_body()).await;
        let outcome = recorder.outcome().await;
        assert_eq!((&outcome["status"], &outcome["result"]), (&status.into(), &result.into()));
    }
}

#[tokio::test]
async fn an_empty_body_ends_the_call_with_the_head() {
    let recorder = Recorder::new();
    let service = AuditLayer::new(recorder.log.clone())
        .layer(service_fn(|_: Call| async { Ok::<_, Infallible>(respond(200, Empty::<Bytes>::new())) }));
    let response = service.oneshot(get("/")).await.unwrap();
    recorder.outcomes(1).await;
    drop(response);
    let outcome = recorder.outcome().await;
    assert_eq!((&outcome["result"], &outcome["response_bytes"]), (&"success".into(), &0.into()));
}

#[tokio::test]
async fn responses_that_have_no_body_by_their_nature_end_with_the_head() {
    for (method, status) in [(Method::HEAD, 200), (Method::GET, 204), (Method::GET, 304)] {
        let recorder = Recorder::new();
        let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(move |_: Call| async move {
            // A body that a server would never ask for.
            Ok::<_, Infallible>(respond(status, Script::new([Step::Data("unsent")]).sized(6)))
        }));
        let request = Request::builder().method(&method).body(Full::default()).unwrap();
        drop(service.oneshot(request).await.unwrap());
        let outcome = recorder.outcome().await;
        assert_eq!(outcome["result"], "success", "{method} {status}");
        assert_eq!(outcome["response_bytes"], 0);
    }
}

#[tokio::test]
async fn an_upgrade_ends_with_the_head_and_counts_no_bytes() {
    for (method, status) in [(Method::GET, 101), (Method::CONNECT, 200)] {
        let recorder = Recorder::new();
        let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(move |_: Call| async move {
            Ok::<_, Infallible>(respond(status, Script::new([Step::Pending])))
        }));
        let request = Request::builder().method(&method).uri("db.example:5432").body(Full::default()).unwrap();
        drop(service.oneshot(request).await.unwrap());
        let (intent, outcome) = recorder.pair().await;
        assert_eq!(intent["resource"], "db.example:5432");
        assert_eq!(outcome["result"], "success", "{method} {status}");
        assert!(outcome.get("response_bytes").is_none());
    }
}

#[tokio::test]
async fn an_error_of_the_inner_service_is_an_error_and_keeps_its_type() {
    #[derive(Debug, PartialEq)]
    struct Broken(u8);

    let recorder = Recorder::new();
    let service = AuditLayer::new(recorder.log.clone())
        .layer(service_fn(|_: Call| async { Err::<Response<Full<Bytes>>, _>(Broken(7)) }));
    assert_eq!(service.oneshot(get("/")).await.unwrap_err(), Broken(7));
    let outcome = recorder.outcome().await;
    assert_eq!(outcome["result"], "error");
    assert!(outcome.get("status").is_none());
}

#[tokio::test]
async fn a_caller_gone_before_the_response_is_cancelled() {
    let recorder = Recorder::new();
    let service = AuditLayer::new(recorder.log.clone()).layer(never(&recorder));
    tokio::select! {
        _ = service.oneshot(get("/")) => panic!("a call that never ends has ended"),
        () = recorder.reached.notified() => {}
    }
    assert_eq!(recorder.outcome().await["result"], "cancelled");
}

#[tokio::test]
async fn a_caller_gone_before_the_intent_leaves_no_handler_run() {
    let recorder = Recorder::new();
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(|_: Call| async {
        panic!("the handler ran");
        #[allow(unreachable_code)] // gives the block its type
        Ok::<Response<Full<Bytes>>, Infallible>(Response::default())
    }));
    drop(service.oneshot(get("/")));
    assert!(recorder.settled().await.is_empty());
}

#[tokio::test]
async fn a_caller_gone_during_the_body_is_cancelled_with_what_was_sent() {
    let recorder = Recorder::new();
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(|_: Call| async {
        Ok::<_, Infallible>(respond(200, Script::new([Step::Data("12345"), Step::Data("6789")])))
    }));
    let mut body = service.oneshot(get("/")).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    let outcome = recorder.outcome().await;
    assert_eq!(outcome["result"], "cancelled");
    assert_eq!(outcome["status"], 200);
    assert_eq!(outcome["response_bytes"], 5);
}

#[tokio::test]
async fn a_body_of_known_length_is_complete_after_its_last_byte() {
    for (sent, result) in [(2, "success"), (1, "cancelled")] {
        let recorder = Recorder::new();
        let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(|_: Call| async {
            Ok::<_, Infallible>(respond(200, Script::new([Step::Data("12345"), Step::Data("6789")]).sized(9)))
        }));
        let mut body = service.oneshot(get("/")).await.unwrap().into_body();
        for _ in 0..sent {
            body.frame().await.unwrap().unwrap();
        }
        drop(body);
        assert_eq!(recorder.outcome().await["result"], result);
    }
}

#[tokio::test]
async fn a_content_length_announces_the_length_of_a_stream() {
    let recorder = Recorder::new();
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(|_: Call| async {
        let mut response = respond(200, Script::new([Step::Data("12345"), Step::Pending]));
        response.headers_mut().insert("content-length", 5.into());
        Ok::<_, Infallible>(response)
    }));
    let mut body = service.oneshot(get("/")).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(recorder.outcome().await["result"], "success");
}

#[tokio::test]
async fn a_body_that_fails_is_an_error_with_the_status_that_was_sent() {
    let recorder = Recorder::new();
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(|_: Call| async {
        Ok::<_, Infallible>(respond(200, Script::new([Step::Data("12345"), Step::Error])))
    }));
    let body = service.oneshot(get("/")).await.unwrap().into_body();
    body.collect().await.map(drop).unwrap_err();
    let outcome = recorder.outcome().await;
    assert_eq!(outcome["result"], "error");
    assert_eq!(outcome["status"], 200);
    assert_eq!(outcome["response_bytes"], 5);
}

#[tokio::test]
async fn trailers_end_a_body() {
    let recorder = Recorder::new();
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(|_: Call| async {
        let steps = [Step::Data("12345"), Step::Trailers(HeaderMap::new())];
        Ok::<_, Infallible>(respond(200, Script::new(steps)))
    }));
    let mut body = service.oneshot(get("/")).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    assert!(body.frame().await.unwrap().unwrap().is_trailers());
    drop(body);
    assert_eq!(recorder.outcome().await["result"], "success");
}

#[tokio::test]
async fn a_handler_that_panics_is_recorded_as_panicked() {
    let recorder = Recorder::new();
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(panicking));
    let joined = tokio::spawn(service.oneshot(get("/"))).await;
    assert!(joined.unwrap_err().is_panic());
    assert_eq!(recorder.outcome().await["result"], "panicked");
}

#[tokio::test]
async fn a_panic_before_the_handler_returns_its_future_is_recorded() {
    fn synchronous(_: Call) -> std::future::Ready<Result<Response<Full<Bytes>>, Infallible>> {
        panic!("scripted panic of a call")
    }

    let recorder = Recorder::new();
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(synchronous));
    let joined = tokio::spawn(service.oneshot(get("/"))).await;
    assert!(joined.unwrap_err().is_panic());
    assert_eq!(recorder.outcome().await["result"], "panicked");
}

#[tokio::test]
async fn a_panic_caught_outside_is_recorded_as_panicked() {
    let recorder = Recorder::new();
    let service = ServiceBuilder::new()
        .layer(CatchPanicLayer::new())
        .layer(AuditLayer::new(recorder.log.clone()))
        .service(service_fn(panicking));
    let response = service.oneshot(get("/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let outcome = recorder.outcome().await;
    assert_eq!(outcome["result"], "panicked");
    assert!(outcome.get("status").is_none());
}

#[tokio::test]
async fn a_panic_caught_inside_is_the_500_that_it_became() {
    let recorder = Recorder::new();
    let service = ServiceBuilder::new()
        .layer(AuditLayer::new(recorder.log.clone()))
        .layer(CatchPanicLayer::new())
        .service(service_fn(panicking));
    let response = service.oneshot(get("/")).await.unwrap();
    response.into_body().collect().await.map(drop).unwrap();
    let outcome = recorder.outcome().await;
    assert_eq!(outcome["result"], "error");
    assert_eq!(outcome["status"], 500);
}

#[tokio::test]
async fn a_body_that_panics_is_recorded_as_panicked_with_the_status_that_was_sent() {
    let recorder = Recorder::new();
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(|_: Call| async {
        Ok::<_, Infallible>(respond(200, Script::new([Step::Data("12345"), Step::Panic])))
    }));
    let body = service.oneshot(get("/")).await.unwrap().into_body();
    let joined = tokio::spawn(async { body.collect().await.map(drop) }).await;
    assert!(joined.unwrap_err().is_panic());
    let outcome = recorder.outcome().await;
    assert_eq!(outcome["result"], "panicked");
    assert_eq!(outcome["status"], 200);
    assert_eq!(outcome["response_bytes"], 5);
}

#[tokio::test]
async fn a_panic_elsewhere_during_a_pending_call_is_not_the_handlers() {
    let recorder = Recorder::new();
    let service = AuditLayer::new(recorder.log.clone()).layer(never(&recorder));
    let reached = Arc::clone(&recorder.reached);
    let joined = tokio::spawn(async move {
        let mut call = pin!(service.oneshot(get("/")));
        tokio::select! {
            _ = call.as_mut() => {}
            () = reached.notified() => {}
        }
        panic!("scripted panic beside the call");
    })
    .await;
    assert!(joined.unwrap_err().is_panic());
    assert_eq!(recorder.outcome().await["result"], "cancelled");
}

#[tokio::test]
async fn a_timeout_outside_is_cancelled() {
    let recorder = Recorder::new();
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, LONG_ENOUGH))
        .layer(AuditLayer::new(recorder.log.clone()))
        .service(service_fn(|_: Call| pending::<Result<Response<Full<Bytes>>, Infallible>>()));
    let response = service.oneshot(get("/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(recorder.outcome().await["result"], "cancelled");
}

#[tokio::test]
async fn a_timeout_inside_is_the_response_that_it_became() {
    let recorder = Recorder::new();
    let service = ServiceBuilder::new()
        .layer(AuditLayer::new(recorder.log.clone()))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_millis(20)))
        .service(service_fn(|_: Call| pending::<Result<Response<Full<Bytes>>, Infallible>>()));
    drain(service.oneshot(get("/")).await.unwrap().into_body()).await;
    let outcome = recorder.outcome().await;
    assert_eq!((&outcome["result"], &outcome["status"]), (&"failure".into(), &408.into()));
}

#[tokio::test]
async fn what_a_handler_adds_lands_in_the_outcome_and_only_until_the_end() {
    let recorder = Recorder::new();
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(|request: Call| async move {
        let activity = request.extensions().get::<CurrentActivity>().unwrap().clone();
        activity.resource("refund/42").unwrap();
        activity.attribute("amount", 1_999).unwrap();
        activity.actor(Actor::service_account("settler").verified()).unwrap();
        let mut response = respond(200, Full::<Bytes>::from("x"));
        response.extensions_mut().insert(activity);
        Ok::<_, Infallible>(response)
    }));
    let (parts, body) = service.oneshot(get("/")).await.unwrap().into_parts();
    drain(body).await;
    let activity = parts.extensions.get::<CurrentActivity>().unwrap();
    assert!(activity.resource("too late").is_err());
    let outcome = recorder.outcome().await;
    assert_eq!(outcome["resource"], "refund/42");
    assert_eq!(outcome["attrs"]["amount"], 1_999);
    assert_eq!(outcome["actor"]["id"], "settler");
    assert_eq!(outcome["actor"]["verified"], true);
}

#[tokio::test]
async fn the_activity_is_current_in_every_poll_of_handler_and_body_and_nowhere_else() {
    let recorder = Recorder::new();
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(|_: Call| async {
        let before = CurrentActivity::get().unwrap().id();
        tokio::task::yield_now().await;
        assert_eq!(CurrentActivity::get().unwrap().id(), before);
        assert!(tokio::spawn(async { CurrentActivity::get().is_none() }).await.unwrap());
        let frames = poll_fn(move |_| {
            assert_eq!(CurrentActivity::get().unwrap().id(), before);
            Poll::Ready(())
        });
        let once = futures_body(frames);
        Ok::<_, Infallible>(respond(200, once))
    }));
    let mut call = pin!(service.oneshot(get("/")));
    let response = loop {
        let polled = poll_once(call.as_mut()).await;
        assert!(CurrentActivity::get().is_none());
        match polled {
            Some(response) => break response.unwrap(),
            None => tokio::task::yield_now().await,
        }
    };
    drain(response.into_body()).await;
    assert!(CurrentActivity::get().is_none());
    assert_eq!(recorder.outcome().await["result"], "success");
}

#[tokio::test]
async fn a_call_inside_a_call_names_its_parent() {
    let recorder = Recorder::new();
    let layer = AuditLayer::new(recorder.log.clone());
    let service = ServiceBuilder::new()
        .layer(layer.clone())
        .layer(layer)
        .service(service_fn(|_: Call| async { Ok::<_, Infallible>(respond(200, Full::<Bytes>::default())) }));
    drain(service.oneshot(get("/")).await.unwrap().into_body()).await;
    let records = recorder.settled().await;
    assert_eq!(records.len(), 4);
    assert!(records[0].get("parent").is_none());
    assert_eq!(records[1]["parent"], records[0]["id"]);
}

#[tokio::test]
async fn an_excluded_call_leaves_no_record_and_still_has_a_handle() {
    let recorder = Recorder::with_policy(Policy::from_toml(EXCLUDED).unwrap());
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(|request: Call| async move {
        let activity = request.extensions().get::<CurrentActivity>().unwrap();
        activity.resource("nowhere").ok();
        Ok::<_, Infallible>(respond(200, Full::<Bytes>::from("x")))
    }));
    drain(service.oneshot(get("/healthz")).await.unwrap().into_body()).await;
    assert!(recorder.settled().await.is_empty());
}

#[tokio::test]
async fn the_future_polled_again_after_its_end_stays_pending() {
    let recorder = Recorder::new();
    let mut service = AuditLayer::new(recorder.log.clone())
        .layer(service_fn(|_: Call| async { Ok::<_, Infallible>(respond(200, Full::<Bytes>::default())) }));
    let mut call = pin!(service.ready().await.unwrap().call(get("/")));
    call.as_mut().await.unwrap();
    assert!(poll_once(call.as_mut()).await.is_none());
    assert_eq!(recorder.outcome().await["result"], "success");
}

/// A service that never answers, and says when it was reached.
fn never(
    recorder: &Recorder,
) -> impl Service<Call, Response = Response<Full<Bytes>>, Error = Infallible, Future: Send> + Clone + Send + use<> {
    let reached = Arc::clone(&recorder.reached);
    service_fn(move |_: Call| {
        reached.notify_one();
        pending()
    })
}

async fn panicking(_: Call) -> Result<Response<Full<Bytes>>, Infallible> {
    tokio::task::yield_now().await;
    panic!("scripted panic of a handler")
}

async fn poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// A body without frames that first waits for `before`.
fn futures_body(before: impl Future<Output = ()>) -> impl http_body::Body<Data = Bytes, Error = Infallible> {
    struct Waiting<F>(std::pin::Pin<Box<F>>);
    impl<F: Future<Output = ()>> http_body::Body for Waiting<F> {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
            self.0.as_mut().poll(cx).map(|()| None)
        }
    }
    Waiting(Box::pin(before))
}
