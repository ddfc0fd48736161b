//! However a call goes, its intent has exactly one outcome.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test ends at the first surprise

mod support;

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use audit_tower::AuditLayer;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body::Body;
use http_body_util::Full;
use proptest::prelude::*;
use support::{Recorder, Script, Step, get, respond};
use tower::{Layer, Service, ServiceExt, service_fn};

type Call = Request<Full<Bytes>>;

/// What one frame of a body is, in a form that can be made twice.
#[derive(Clone, Copy, Debug)]
enum Frame {
    Data(&'static str),
    Trailers,
    Error,
    Panic,
}

fn frames() -> impl Strategy<Value = Vec<Frame>> {
    let frame = prop_oneof![
        6 => prop::sample::select(vec!["", "1", "four", "twelve bytes"]).prop_map(Frame::Data),
        1 => Just(Frame::Trailers),
        1 => Just(Frame::Error),
        1 => Just(Frame::Panic),
    ];
    prop::collection::vec(frame, 0..5)
}

/// The result and byte count that a body read for `polls` frames has to leave.
fn expected(frames: &[Frame], polls: usize, announced: Option<u64>) -> (&'static str, u64) {
    let mut delivered = 0;
    for poll in 0..polls {
        match frames.get(poll) {
            Some(Frame::Data(text)) => delivered += text.len() as u64,
            Some(Frame::Trailers) | None => return ("success", delivered),
            Some(Frame::Error) => return ("error", delivered),
            Some(Frame::Panic) => return ("panicked", delivered),
        }
    }
    let complete = announced.is_some_and(|announced| delivered >= announced);
    (if complete { "success" } else { "cancelled" }, delivered)
}

/// Reads `polls` frames and drops the body; a panic of the body stays here.
async fn read<B: Body>(body: B, polls: usize) {
    let mut body = Box::pin(body);
    for _ in 0..polls {
        let polled = poll_fn(|cx| Poll::Ready(catch_unwind(AssertUnwindSafe(|| body.as_mut().poll_frame(cx))))).await;
        if !matches!(polled, Ok(Poll::Ready(Some(Ok(_))))) {
            return;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_body_read_any_way(frames in frames(), polls in 0_usize..6, announced in prop::option::of(0_u64..20), head in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let recorder = Recorder::new();
            let body = frames.clone();
            let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(move |_: Call| {
                let steps = body.clone().into_iter().map(|frame| match frame {
                    Frame::Data(text) => Step::Data(text),
                    Frame::Trailers => Step::Trailers(HeaderMap::new()),
                    Frame::Error => Step::Error,
                    Frame::Panic => Step::Panic,
                });
                let body = Script::new(steps);
                let body = match announced {
                    Some(size) => body.sized(size),
                    None => body,
                };
                async { Ok::<_, Infallible>(respond(200, body)) }
            }));
            let mut request = get("/");
            if head {
                *request.method_mut() = Method::HEAD;
            }
            let response = service.oneshot(request).await.unwrap();
            read(response.into_body(), polls).await;
            let outcome = recorder.outcome().await;
            let (result, bytes) = if head { ("success", 0) } else { expected(&frames, polls, announced) };
            prop_assert_eq!(outcome["result"].as_str(), Some(result));
            prop_assert_eq!(outcome["response_bytes"].as_u64(), Some(bytes));
            Ok(())
        })?;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_aborted_at_any_moment_leave_no_more_runs_than_intents_and_one_outcome_each() {
    const CALLS: usize = 400;

    let recorder = Recorder::new();
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&runs);
    let service = AuditLayer::new(recorder.log.clone()).layer(service_fn(move |_: Call| {
        counter.fetch_add(1, Ordering::SeqCst);
        async {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("ran")))
        }
    }));
    let mut calls = Vec::new();
    for number in 0..CALLS {
        let mut service = service.clone();
        calls.push(tokio::spawn(async move {
            let mut call = pin!(service.ready().await.unwrap().call(get("/")));
            // Each call is given up after another number of polls, some of them never.
            for _ in 0..number % 7 {
                if let Some(response) = poll_once(call.as_mut()).await {
                    read(response.unwrap().into_body(), number % 3).await;
                    return;
                }
                tokio::time::sleep(Duration::from_micros(number as u64 * 3)).await;
            }
            if number % 7 == 6 {
                read(call.await.unwrap().into_body(), 2).await;
            }
        }));
    }
    for call in calls {
        call.await.unwrap();
    }
    let mut outcomes = HashMap::new();
    let mut intents = 0;
    for record in recorder.settled().await {
        let id = record["id"].as_str().unwrap().to_owned();
        if record["kind"] == "intent" {
            intents += 1;
            outcomes.insert(id, 0);
        } else {
            *outcomes.get_mut(&id).expect("no outcome comes before its intent") += 1;
        }
    }
    let runs = runs.load(Ordering::SeqCst);
    assert!(runs > 0 && runs <= intents, "{runs} runs, {intents} intents");
    assert!(outcomes.values().all(|count| *count == 1), "{outcomes:?}");
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
