//! Bodies, under rules that ask for them.

#![allow(clippy::unwrap_used)] // a test ends at the first surprise

mod support;

use std::collections::VecDeque;
use std::convert::Infallible;

use audit_core::evidence::Hash;
use audit_core::{Actor, CurrentActivity, Policy};
use audit_tower::{AuditLayer, RequestBody};
use bytes::{Buf, Bytes};
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use support::{Recorder, Script, Step, drain, respond};
use tower::{Layer, ServiceExt, service_fn};

const REQUEST: &str = "[[rule]]\nname = \"money\"\nlevel = \"request\"\n";
const BOTH: &str = "[[rule]]\nname = \"money\"\nlevel = \"request_response\"\n";

type Call<B = Full<Bytes>> = Request<RequestBody<B>>;

fn sha256(bytes: &[u8]) -> String {
    Hash::digest(bytes).to_string()
}

fn post<B>(body: B) -> Request<B> {
    Request::post("/v1/refunds").header("content-type", "application/json").body(body).unwrap()
}

/// Reads the request to its end and answers with nothing.
async fn reading<B: Body<Data: Send, Error: std::fmt::Debug>>(
    request: Call<B>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    drain(request.into_body()).await;
    Ok(respond(201, Empty::new()))
}

#[tokio::test]
async fn what_the_handler_reads_is_hashed_and_its_beginning_kept_without_secrets() {
    let recorder = Recorder::capturing(REQUEST);
    let service = AuditLayer::new(recorder.log.clone()).capture_bodies().layer(service_fn(reading));
    let text = r#"{"amount":7,"password":"hush"}"#;
    service.oneshot(post(Full::<Bytes>::from(text))).await.unwrap();
    let outcome = recorder.outcome().await;
    assert_eq!(outcome["request_sha256"], sha256(text.as_bytes()));
    assert_eq!(outcome["request_bytes"], text.len());
    assert_eq!(outcome["request_body"]["text"], r#"{"amount":7,"password":"[redacted]"}"#);
    assert!(outcome.get("response_sha256").is_none());
}

#[tokio::test]
async fn a_body_of_many_chunks_has_one_digest_even_where_a_chunk_is_in_pieces() {
    let recorder = Recorder::capturing(REQUEST);
    let service = AuditLayer::new(recorder.log.clone()).capture_bodies().layer(service_fn(reading));
    let frames = ["one", "two", "three"].map(|text| {
        let (start, end) = text.split_at(1);
        Ok::<_, Infallible>(Frame::data(Bytes::from(start).chain(Bytes::from(end))))
    });
    service.oneshot(post(StreamBody::new(tokio_stream::iter(frames)))).await.unwrap();
    let outcome = recorder.outcome().await;
    assert_eq!(outcome["request_sha256"], sha256(b"onetwothree"));
    assert_eq!(outcome["request_bytes"], 11);
}

/// A buffer that shows only its first piece.
struct Opaque(VecDeque<Bytes>);

impl Buf for Opaque {
    fn remaining(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }
    fn chunk(&self) -> &[u8] {
        self.0.front().map_or(&[], |piece| piece)
    }
    fn advance(&mut self, mut count: usize) {
        while let Some(piece) = self.0.front_mut() {
            let step = count.min(piece.len());
            piece.advance(step);
            count -= step;
            if piece.is_empty() {
                self.0.pop_front();
            }
            if count == 0 {
                return;
            }
        }
    }
}

#[tokio::test]
async fn bytes_that_cannot_be_looked_at_make_a_body_unread() {
    let recorder = Recorder::capturing(BOTH);
    let service = AuditLayer::new(recorder.log.clone()).capture_bodies().layer(service_fn(
        |request: Call<StreamBody<_>>| async {
            drain(request.into_body()).await;
            let frame = Ok::<_, Infallible>(Frame::data(Opaque(["an", "swer"].map(Bytes::from).into())));
            Ok::<_, Infallible>(respond(200, StreamBody::new(tokio_stream::iter([frame]))))
        },
    ));
    let frames = [Ok::<_, Infallible>(Frame::data(Opaque(["one", "two"].map(Bytes::from).into())))];
    let response = service.oneshot(post(StreamBody::new(tokio_stream::iter(frames)))).await.unwrap();
    assert_eq!(drain(response.into_body()).await, "answer");
    let outcome = recorder.outcome().await;
    assert!(outcome.get("request_sha256").is_none());
    assert!(outcome.get("response_sha256").is_none());
    assert_eq!(outcome["request_body"]["unread"], true);
    assert_eq!(outcome["request_body"]["seen_sha256"], sha256(b"one"));
    assert_eq!(outcome["response_body"]["unread"], true);
    assert_eq!(outcome["response_bytes"], 6);
}

#[tokio::test]
async fn what_the_handler_does_not_read_is_marked_unread() {
    let recorder = Recorder::capturing(REQUEST);
    let service =
        AuditLayer::new(recorder.log.clone()).capture_bodies().layer(service_fn(|request: Call<Script>| async {
            let mut body = request.into_body();
            body.frame().await.unwrap().unwrap();
            Ok::<_, Infallible>(respond(413, Empty::<Bytes>::new()))
        }));
    service.oneshot(post(Script::new([Step::Data("first"), Step::Data("second")]))).await.unwrap();
    let outcome = recorder.outcome().await;
    assert!(outcome.get("request_sha256").is_none());
    assert_eq!(outcome["request_body"]["unread"], true);
    assert_eq!(outcome["request_body"]["seen_bytes"], 5);
    assert_eq!(outcome["request_body"]["seen_sha256"], sha256(b"first"));
}

#[tokio::test]
async fn a_request_without_a_body_is_not_unread() {
    let recorder = Recorder::capturing(REQUEST);
    let service = AuditLayer::new(recorder.log.clone())
        .capture_bodies()
        .layer(service_fn(|_: Call| async { Ok::<_, Infallible>(respond(200, Empty::<Bytes>::new())) }));
    service.oneshot(Request::get("/").body(Full::default()).unwrap()).await.unwrap();
    assert_eq!(recorder.outcome().await["request_sha256"], sha256(b""));
}

#[tokio::test]
async fn a_body_of_announced_length_has_ended_with_its_last_byte() {
    let recorder = Recorder::capturing(REQUEST);
    let service =
        AuditLayer::new(recorder.log.clone()).capture_bodies().layer(service_fn(|request: Call<Script>| async {
            let mut body = request.into_body();
            body.frame().await.unwrap().unwrap();
            Ok::<_, Infallible>(respond(201, Empty::<Bytes>::new()))
        }));
    let mut request = post(Script::new([Step::Data("12345"), Step::Pending]));
    request.headers_mut().insert("content-length", 5.into());
    service.oneshot(request).await.unwrap();
    assert_eq!(recorder.outcome().await["request_sha256"], sha256(b"12345"));
}

#[tokio::test]
async fn a_response_is_captured_only_where_the_rule_asks_for_both() {
    for (policy, digest) in [(REQUEST, None), (BOTH, Some(sha256(br#"{"id":7,"token":"hush"}"#)))] {
        let recorder = Recorder::capturing(policy);
        let service = AuditLayer::new(recorder.log.clone()).capture_bodies().layer(service_fn(|_: Call| async {
            let mut response = respond(200, Script::new([Step::Data(r#"{"id":7,"#), Step::Data(r#""token":"hush"}"#)]));
            response.headers_mut().insert("content-type", "application/json".parse().unwrap());
            Ok::<_, Infallible>(response)
        }));
        drain(service.oneshot(post(Full::default())).await.unwrap().into_body()).await;
        let outcome = recorder.outcome().await;
        assert_eq!(outcome.get("response_sha256").and_then(|digest| digest.as_str()), digest.as_deref());
        assert!(!outcome.to_string().contains("hush"));
    }
}

#[tokio::test]
async fn a_response_that_breaks_off_has_no_digest_of_all_of_it() {
    let recorder = Recorder::capturing(BOTH);
    let service = AuditLayer::new(recorder.log.clone()).capture_bodies().layer(service_fn(|_: Call| async {
        Ok::<_, Infallible>(respond(200, Script::new([Step::Data("12345"), Step::Error])))
    }));
    service.oneshot(post(Full::default())).await.unwrap().into_body().collect().await.map(drop).unwrap_err();
    let outcome = recorder.outcome().await;
    assert_eq!((&outcome["result"], &outcome["response_body"]["unread"]), (&"error".into(), &true.into()));
    assert_eq!(outcome["response_body"]["seen_bytes"], 5);
}

#[tokio::test]
async fn a_layer_that_shows_no_bodies_is_refused_where_the_rule_asks_for_them() {
    let recorder = Recorder::capturing(REQUEST);
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(|_: Request<Full<Bytes>>| async {
        panic!("the handler ran");
        #[allow(unreachable_code)] // gives the block its type
        Ok::<Response<Full<Bytes>>, Infallible>(Response::default())
    }));
    let response = service.oneshot(post(Full::default())).await.unwrap();
    assert_eq!(response.status(), 503);
    let outcome = recorder.outcome().await;
    assert_eq!(outcome["result"], "refused");
    assert_eq!(outcome["error"], "the rule asks for bodies, and none were captured");
}

#[tokio::test]
async fn under_allow_it_goes_on_and_the_outcome_says_that_bodies_are_missing() {
    let recorder = Recorder::capturing(&format!("{REQUEST}on_failure = \"allow\"\n"));
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(respond(200, Empty::<Bytes>::new()))
    }));
    assert_eq!(service.oneshot(post(Full::default())).await.unwrap().status(), 200);
    let outcome = recorder.outcome().await;
    assert_eq!(outcome["result"], "success");
    assert_eq!(outcome["error"], "the rule asks for bodies, and none were captured");
}

#[tokio::test]
async fn rules_that_ask_for_no_bodies_take_none() {
    let recorder = Recorder::with_policy(Policy::default());
    let service = AuditLayer::new(recorder.log.clone()).capture_bodies().layer(service_fn(reading));
    service.oneshot(post(Full::<Bytes>::from("{}"))).await.unwrap();
    let outcome = recorder.outcome().await;
    assert!(outcome.get("request_sha256").is_none() && outcome.get("request_body").is_none(), "{outcome}");
    assert!(outcome.get("error").is_none());
}

#[tokio::test]
async fn a_response_that_is_made_further_out_is_said_to_be_unseen() {
    let recorder = Recorder::capturing(BOTH);
    let failing = service_fn(|request: Call| async move {
        drain(request.into_body()).await;
        Err::<Response<Empty<Bytes>>, _>("no")
    });
    let service = AuditLayer::new(recorder.log.clone()).capture_bodies().layer(failing);
    service.oneshot(post(Full::<Bytes>::from("{}"))).await.unwrap_err();
    let outcome = recorder.outcome().await;
    assert_eq!(outcome["request_sha256"], sha256(b"{}"));
    assert!(outcome["error"].as_str().unwrap().ends_with("and its body was not seen"));
}

#[tokio::test]
async fn a_stricter_rule_that_comes_too_late_for_the_body_is_said_to_be() {
    let policy = "[[rule]]\nname = \"machines\"\nactors = [\"service_account\"]\nlevel = \"request\"\n";
    let recorder = Recorder::capturing(policy);
    let establishing = service_fn(|request: Call| async move {
        let activity = request.extensions().get::<CurrentActivity>().unwrap().clone();
        drain(request.into_body()).await;
        activity.actor(Actor::service_account("settler").verified()).unwrap();
        Ok::<_, Infallible>(respond(201, Empty::<Bytes>::new()))
    });
    let service = AuditLayer::new(recorder.log.clone()).capture_bodies().layer(establishing);
    service.oneshot(post(Full::<Bytes>::from("{}"))).await.unwrap();
    let outcome = recorder.outcome().await;
    assert_eq!((&outcome["policy"], &outcome["result"]), (&"machines".into(), &"success".into()));
    assert!(outcome.get("request_sha256").is_none());
    assert!(outcome["error"].as_str().unwrap().contains("established"), "{outcome}");
}
