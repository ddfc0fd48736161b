//! Under `await_outcome`, an answer is not complete before its outcome is on stable storage.

#![allow(clippy::unwrap_used)] // a test ends at the first surprise

mod support;

use std::convert::Infallible;
use std::time::{Duration, Instant};

use audit_core::testing::{Call as StoreCall, Fault, Faults};
use audit_tower::{AuditLayer, AuditService};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Empty, Full};
use support::{Recorder, Script, Step, get, respond};
use tower::{Layer, Service, ServiceExt, service_fn};

type Call = Request<Full<Bytes>>;

const POLICY: &str = "[[rule]]\nname = \"money\"\nawait_outcome = true\ndeadline = \"30s\"\n";
/// Long enough for an answer that waits for nothing, whatever else the machine does.
const A_WHILE: Duration = Duration::from_millis(300);

/// A service that answers as told, and whose store hangs from the moment the handler runs.
fn hanging<B: Body + Send + 'static>(
    policy: &str,
    layer: fn(audit_core::AuditLog) -> AuditLayer,
    answer: impl Fn() -> Response<B> + Clone + Send,
) -> (Recorder, Faults, AuditService<impl Service<Call, Response = Response<B>, Error = Infallible> + Clone>) {
    let (recorder, faults) = Recorder::with_faults(policy);
    let store = faults.clone();
    let service = layer(recorder.log.clone()).layer(service_fn(move |_: Call| {
        store.until_healed(StoreCall::Sync, Fault::Hang);
        std::future::ready(Ok::<_, Infallible>(answer()))
    }));
    (recorder, faults, service)
}

async fn is_held<F: Future + Unpin>(future: &mut F, faults: &Faults) -> bool {
    let held = tokio::time::timeout(A_WHILE, future).await.is_err();
    held && faults.hanging() > 0
}

#[tokio::test]
async fn an_answer_without_a_body_waits_with_its_head() {
    for status in [200, 204, 404] {
        let (recorder, faults, service) =
            hanging(POLICY, AuditLayer::new, move || respond(status, Empty::<Bytes>::new()));
        let mut answer = Box::pin(service.oneshot(get("/")));
        assert!(is_held(&mut answer, &faults).await, "{status}");
        faults.heal();
        assert_eq!(answer.await.unwrap().status(), status);
        assert_eq!(recorder.records().len(), 2, "the outcome is stored before the answer goes out");
        recorder.pair().await;
    }
}

#[tokio::test]
async fn an_error_of_the_service_waits_too() {
    let (recorder, faults) = Recorder::with_faults(POLICY);
    let store = faults.clone();
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(move |_: Call| {
        store.until_healed(StoreCall::Sync, Fault::Hang);
        std::future::ready(Err::<Response<Full<Bytes>>, _>("broken"))
    }));
    let mut answer = Box::pin(service.oneshot(get("/")));
    assert!(is_held(&mut answer, &faults).await);
    faults.heal();
    assert_eq!(answer.await.unwrap_err(), "broken");
    assert_eq!(recorder.outcome().await["result"], "error");
}

#[tokio::test]
async fn the_only_frame_of_a_body_waits_and_its_size_is_still_announced() {
    let (recorder, faults, service) = hanging(POLICY, AuditLayer::new, || respond(200, Full::<Bytes>::from("done")));
    let mut body = service.oneshot(get("/")).await.unwrap().into_body();
    assert_eq!(body.size_hint().exact(), Some(4));
    assert!(is_held(&mut body.frame(), &faults).await);
    assert_eq!(body.size_hint().exact(), Some(4), "what is held is still to come");
    assert!(!body.is_end_stream());
    faults.heal();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "done");
    assert_eq!(recorder.records().len(), 2);
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
    assert!(body.frame().await.is_none());
    assert_eq!(recorder.outcome().await["response_bytes"], 4);
}

#[tokio::test]
async fn only_the_last_frame_waits_whether_the_length_is_known_or_not() {
    for length in [None, Some(9)] {
        let (recorder, faults, service) = hanging(POLICY, AuditLayer::new, move || {
            let script = Script::new([Step::Data("12345"), Step::Data("6789")]);
            respond(200, if let Some(length) = length { script.sized(length) } else { script })
        });
        let mut body = service.oneshot(get("/")).await.unwrap().into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "12345");
        assert!(is_held(&mut body.frame(), &faults).await, "{length:?}");
        faults.heal();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "6789");
        assert_eq!(recorder.records().len(), 2);
        assert!(body.frame().await.is_none());
        assert_eq!(recorder.outcome().await["result"], "success");
    }
}

#[tokio::test]
async fn a_frame_that_is_known_not_to_be_the_last_does_not_wait_for_the_next() {
    let (_recorder, faults, service) =
        hanging(POLICY, AuditLayer::new, || respond(200, Script::new([Step::Data("12345"), Step::Pending]).sized(9)));
    let mut body = service.oneshot(get("/")).await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "12345");
    faults.heal();
}

#[tokio::test]
async fn a_body_that_has_given_all_it_announced_is_not_asked_for_more() {
    let (recorder, faults, service) = hanging(POLICY, AuditLayer::new, || {
        let mut response = respond(200, Script::new([Step::Data("12345"), Step::Pending]));
        response.headers_mut().insert("content-length", 5.into());
        response
    });
    let mut body = service.oneshot(get("/")).await.unwrap().into_body();
    assert!(is_held(&mut body.frame(), &faults).await);
    faults.heal();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "12345");
    assert_eq!(recorder.outcome().await["result"], "success");
}

#[tokio::test]
async fn trailers_wait_and_data_before_them_does_not() {
    let (recorder, faults, service) = hanging(POLICY, AuditLayer::for_grpc, || {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", "7".parse().unwrap());
        respond(200, Script::new([Step::Data("message"), Step::Trailers(trailers)]))
    });
    let mut body = service.oneshot(get("/pay.Refunds/Create")).await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "message");
    assert!(is_held(&mut body.frame(), &faults).await);
    faults.heal();
    let trailers = body.frame().await.unwrap().unwrap().into_trailers().unwrap();
    assert_eq!(trailers["grpc-status"], "7");
    assert_eq!(recorder.records().len(), 2);
    assert_eq!(recorder.outcome().await["code"], 7);
}

#[tokio::test]
async fn frames_before_an_error_keep_their_order_and_the_error_waits() {
    let (recorder, faults, service) =
        hanging(POLICY, AuditLayer::new, || respond(200, Script::new([Step::Data("12345"), Step::Error])));
    let mut body = service.oneshot(get("/")).await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "12345");
    assert!(is_held(&mut body.frame(), &faults).await);
    faults.heal();
    body.frame().await.unwrap().unwrap_err();
    assert_eq!(recorder.outcome().await["result"], "error");
}

#[tokio::test]
async fn at_the_deadline_the_answer_goes_out_and_the_outcome_lands_later() {
    let policy = POLICY.replace("30s", "400ms");
    let (recorder, faults, service) = hanging(&policy, AuditLayer::new, || respond(200, Full::<Bytes>::from("done")));
    let start = Instant::now();
    let answer = service.oneshot(get("/")).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(answer.to_bytes(), "done");
    assert!(start.elapsed() >= Duration::from_millis(400), "{:?}", start.elapsed());
    faults.heal();
    assert_eq!(recorder.outcome().await["result"], "success");
}

#[tokio::test]
async fn a_caller_who_goes_away_while_the_outcome_is_awaited_leaves_that_outcome() {
    let (recorder, faults, service) = hanging(POLICY, AuditLayer::new, || respond(200, Full::<Bytes>::from("done")));
    let mut body = service.oneshot(get("/")).await.unwrap().into_body();
    assert!(is_held(&mut body.frame(), &faults).await);
    drop(body);
    faults.heal();
    assert_eq!(recorder.outcome().await["result"], "success");
}

#[tokio::test]
async fn without_it_an_answer_waits_for_nothing() {
    let policy = POLICY.replace("await_outcome = true\n", "");
    let (recorder, faults, service) = hanging(&policy, AuditLayer::new, || respond(200, Full::<Bytes>::from("done")));
    let answer = service.oneshot(get("/")).await.unwrap().into_body().collect();
    assert_eq!(answer.await.unwrap().to_bytes(), "done");
    faults.heal();
    recorder.pair().await;
}
