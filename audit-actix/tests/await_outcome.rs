//! Under `await_outcome`, an answer is not complete before its outcome is on stable storage.

#![allow(clippy::unwrap_used)] // a test ends at the first surprise

mod support;

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::Service;
use actix_web::http::Method;
use actix_web::rt::time::timeout;
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, error};
use audit_actix::Audit;
use audit_core::testing::{Call, Fault, Faults};
use support::Recorder;

const POLICY: &str = "[[rule]]\nname = \"money\"\nawait_outcome = true\ndeadline = \"30s\"\n";
/// Long enough for an answer that waits for nothing, whatever else the machine does.
const A_WHILE: Duration = Duration::from_millis(300);

/// A body of two chunks, after which it ends or fails. Its worker's own: not `Send`.
struct Script {
    chunks: Vec<&'static str>,
    size: BodySize,
    fails: bool,
    _of_this_worker: Rc<()>,
}

fn script(size: BodySize, fails: bool) -> HttpResponse {
    HttpResponse::Ok().body(Script { chunks: vec!["12345", "6789"], size, fails, _of_this_worker: Rc::default() })
}

impl MessageBody for Script {
    type Error = error::Error;
    fn size(&self) -> BodySize {
        self.size
    }
    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.chunks.is_empty() {
            return Poll::Ready(self.fails.then(|| Err(error::ErrorInternalServerError("scripted"))));
        }
        Poll::Ready(Some(Ok(Bytes::from_static(self.chunks.remove(0).as_bytes()))))
    }
}

/// An app whose store hangs from the moment a handler runs.
macro_rules! service {
    ($recorder:expr, $faults:expr) => {{
        let store = $faults.clone();
        let hang = move || store.until_healed(Call::Sync, Fault::Hang);
        let (none, whole, stream, sized, broken) = (hang.clone(), hang.clone(), hang.clone(), hang.clone(), hang);
        init_service(
            App::new()
                .route("/none", web::to(move || std::future::ready((none(), HttpResponse::NoContent().finish()).1)))
                .route("/whole", web::to(move || std::future::ready((whole(), "done").1)))
                .route("/stream", web::to(move || std::future::ready((stream(), script(BodySize::Stream, false)).1)))
                .route("/sized", web::to(move || std::future::ready((sized(), script(BodySize::Sized(9), false)).1)))
                .route("/broken", web::to(move || std::future::ready((broken(), script(BodySize::Stream, true)).1)))
                .wrap(Audit::new($recorder.log.clone())),
        )
        .await
    }};
}

async fn is_held<F: Future>(future: Pin<&mut F>, faults: &Faults) -> bool {
    timeout(A_WHILE, future).await.is_err() && faults.hanging() > 0
}

#[actix_web::test]
async fn an_answer_without_a_body_waits_with_its_head() {
    for (method, path) in [(Method::GET, "/none"), (Method::HEAD, "/whole")] {
        let (recorder, faults) = Recorder::with_faults(POLICY);
        let service = service!(recorder, faults);
        let request = TestRequest::default().method(method).uri(path).to_request();
        let mut answer = Box::pin(service.call(request));
        assert!(is_held(answer.as_mut(), &faults).await, "{path}");
        faults.heal();
        assert!(answer.await.unwrap().status().is_success());
        assert_eq!(recorder.records().len(), 2, "the outcome is stored before the answer goes out");
        recorder.pair().await;
    }
}

#[actix_web::test]
async fn only_the_last_chunk_waits() {
    for (path, chunks) in
        [("/whole", vec!["done"]), ("/stream", vec!["12345", "6789"]), ("/sized", vec!["12345", "6789"])]
    {
        let (recorder, faults) = Recorder::with_faults(POLICY);
        let service = service!(recorder, faults);
        let answer = service.call(TestRequest::get().uri(path).to_request()).await.unwrap();
        let mut body = Box::pin(answer.into_body());
        let (last, before) = chunks.split_last().unwrap();
        for chunk in before {
            assert_eq!(poll_fn(|cx| body.as_mut().poll_next(cx)).await.unwrap().unwrap(), chunk);
        }
        assert!(is_held(Box::pin(poll_fn(|cx| body.as_mut().poll_next(cx))).as_mut(), &faults).await, "{path}");
        faults.heal();
        assert_eq!(poll_fn(|cx| body.as_mut().poll_next(cx)).await.unwrap().unwrap(), last);
        assert_eq!(recorder.records().len(), 2);
        assert!(poll_fn(|cx| body.as_mut().poll_next(cx)).await.is_none());
        assert_eq!(recorder.pair().await.1["result"], "success");
    }
}

#[actix_web::test]
async fn chunks_before_an_error_keep_their_order_and_the_error_waits() {
    let (recorder, faults) = Recorder::with_faults(POLICY);
    let service = service!(recorder, faults);
    let answer = service.call(TestRequest::get().uri("/broken").to_request()).await.unwrap();
    let mut body = Box::pin(answer.into_body());
    for chunk in ["12345", "6789"] {
        assert_eq!(poll_fn(|cx| body.as_mut().poll_next(cx)).await.unwrap().unwrap(), chunk);
    }
    assert!(is_held(Box::pin(poll_fn(|cx| body.as_mut().poll_next(cx))).as_mut(), &faults).await);
    faults.heal();
    poll_fn(|cx| body.as_mut().poll_next(cx)).await.unwrap().unwrap_err();
    assert_eq!(recorder.pair().await.1["result"], "error");
}

#[actix_web::test]
async fn at_the_deadline_the_answer_goes_out_and_the_outcome_lands_later() {
    let (recorder, faults) = Recorder::with_faults(&POLICY.replace("30s", "400ms"));
    let service = service!(recorder, faults);
    let start = Instant::now();
    let answer = service.call(TestRequest::get().uri("/whole").to_request()).await.unwrap();
    assert_eq!(actix_web::body::to_bytes(answer.into_body()).await.unwrap(), "done");
    assert!(start.elapsed() >= Duration::from_millis(400), "{:?}", start.elapsed());
    faults.heal();
    assert_eq!(recorder.pair().await.1["result"], "success");
}
