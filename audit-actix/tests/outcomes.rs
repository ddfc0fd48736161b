//! Every way a call can end leaves exactly one outcome.

#![allow(clippy::unwrap_used)] // a test ends at the first surprise

mod support;

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::Service;
use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::{self, Bytes};
use actix_web::{App, Error, HttpResponse, error};
use audit_actix::Audit;
use audit_core::log::AmendError;
use audit_core::{Actor, CurrentActivity};
use support::Recorder;

/// A body that gives chunks and then ends, fails, panics or hangs.
struct Script(Vec<&'static str>, End);

#[derive(Clone, Copy)]
enum End {
    InOrder,
    Error,
    Panic,
    Never,
}

impl MessageBody for Script {
    type Error = Error;
    fn size(&self) -> BodySize {
        BodySize::Stream
    }
    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if !self.0.is_empty() {
            return Poll::Ready(Some(Ok(Bytes::from_static(self.0.remove(0).as_bytes()))));
        }
        match self.1 {
            End::InOrder => Poll::Ready(None),
            End::Error => Poll::Ready(Some(Err(error::ErrorInternalServerError("scripted")))),
            End::Panic => panic!("scripted panic of a body"),
            End::Never => Poll::Pending,
        }
    }
}

/// An app with one of everything, under the middleware.
macro_rules! service {
    ($recorder:expr) => {{
        let reached = Arc::clone(&$recorder.reached);
        init_service(
            App::new()
                .route("/v1/refunds/{id}", web::post().to(refund))
                .route("/ok", web::to(|| async { "hello" }))
                .route("/none", web::get().to(|| async { HttpResponse::NoContent().finish() }))
                .route("/denied", web::get().to(|| async { HttpResponse::Forbidden().finish() }))
                .route("/error", web::get().to(|| async { Err::<String, _>(error::ErrorBadGateway("hush")) }))
                .route(
                    "/never",
                    web::get().to(move || {
                        reached.notify_one();
                        pending::<String>()
                    }),
                )
                .route("/panic", web::get().to(|| async { panic!("scripted panic of a handler") as String }))
                .route("/stream", web::get().to(|| async { script(End::InOrder) }))
                .route("/broken", web::get().to(|| async { script(End::Error) }))
                .route("/body-panic", web::get().to(|| async { script(End::Panic) }))
                .route("/endless", web::get().to(|| async { script(End::Never) }))
                .wrap(Audit::new($recorder.log.clone())),
        )
        .await
    }};
}

fn script(end: End) -> HttpResponse {
    HttpResponse::Ok().body(Script(vec!["one", "two"], end))
}

async fn refund(activity: web::ReqData<CurrentActivity>, id: web::Path<String>) -> HttpResponse {
    activity.resource(&*id).unwrap();
    activity.actor(Actor::service_account("settler").verified()).unwrap();
    assert_eq!(CurrentActivity::get().unwrap().id(), activity.id());
    HttpResponse::Created().body("done")
}

fn get(path: &str) -> actix_http::Request {
    TestRequest::get().uri(path).to_request()
}

#[actix_web::test]
async fn a_call_is_recorded_with_route_path_caller_and_what_the_handler_adds() {
    let recorder = Recorder::new();
    let service = service!(recorder);
    let request = TestRequest::post()
        .uri("/v1/refunds/42?card=4111")
        .peer_addr("192.0.2.7:5123".parse().unwrap())
        .insert_header(("host", "pay.example"))
        .insert_header(("user-agent", "settler/3"))
        .insert_header(("content-length", "0"))
        .to_request();
    let response = call_service(&service, request).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(read_body(response).await, "done");
    let (intent, outcome) = recorder.pair().await;
    assert_eq!(intent["action"], "POST /v1/refunds/{id}");
    assert_eq!(intent["resource"], "/v1/refunds/42");
    assert_eq!(intent["source"]["ip"], "192.0.2.7");
    assert_eq!(intent["http"]["host"], "pay.example");
    assert_eq!(intent["http"]["user_agent"], "settler/3");
    assert_eq!(intent["actor"]["type"], "unauthenticated");
    assert_eq!(outcome["resource"], "42");
    assert_eq!(outcome["actor"]["id"], "settler");
    assert_eq!((&outcome["result"], &outcome["status"]), (&"success".into(), &201.into()));
    assert_eq!((&outcome["request_bytes"], &outcome["response_bytes"]), (&0.into(), &4.into()));
}

#[actix_web::test]
async fn statuses_become_results_also_those_of_errors_and_of_unknown_paths() {
    for (path, status, result) in [
        ("/ok", 200, "success"),
        ("/none", 204, "success"),
        ("/stream", 200, "success"),
        ("/denied", 403, "denied"),
        ("/nowhere", 404, "failure"),
        ("/error", 502, "error"),
    ] {
        let recorder = Recorder::new();
        let service = service!(recorder);
        match service.call(get(path)).await {
            Ok(response) => drop(read_body(response).await),
            Err(error) => assert_eq!(error.as_response_error().status_code(), status),
        }
        let (_, outcome) = recorder.pair().await;
        assert_eq!((&outcome["status"], &outcome["result"]), (&status.into(), &result.into()), "{path}");
        assert!(!outcome.to_string().contains("hush"));
    }
}

#[actix_web::test]
async fn head_ends_with_the_head() {
    let recorder = Recorder::new();
    let service = service!(recorder);
    let request = TestRequest::default().method(Method::HEAD).uri("/ok").to_request();
    drop(call_service(&service, request).await);
    let (_, outcome) = recorder.pair().await;
    assert_eq!((&outcome["result"], &outcome["response_bytes"]), (&"success".into(), &0.into()));
}

#[actix_web::test]
async fn a_caller_gone_before_the_response_is_cancelled() {
    let recorder = Recorder::new();
    let service = service!(recorder);
    tokio::select! {
        _ = service.call(get("/never")) => panic!("a call that never ends has ended"),
        () = recorder.reached.notified() => {}
    }
    assert_eq!(recorder.pair().await.1["result"], "cancelled");
}

#[actix_web::test]
async fn a_caller_gone_during_the_body_is_cancelled_with_what_was_sent() {
    let recorder = Recorder::new();
    let service = service!(recorder);
    let mut body = Box::pin(call_service(&service, get("/endless")).await.into_body());
    for _ in 0..2 {
        std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await.unwrap().unwrap();
    }
    drop(body);
    let (_, outcome) = recorder.pair().await;
    assert_eq!((&outcome["result"], &outcome["status"]), (&"cancelled".into(), &200.into()));
    assert_eq!(outcome["response_bytes"], 6);
}

#[actix_web::test]
async fn a_body_that_fails_is_an_error_with_the_status_that_was_sent() {
    let recorder = Recorder::new();
    let service = service!(recorder);
    let response = call_service(&service, get("/broken")).await;
    actix_web::body::to_bytes(response.into_body()).await.unwrap_err();
    let (_, outcome) = recorder.pair().await;
    assert_eq!((&outcome["result"], &outcome["status"]), (&"error".into(), &200.into()));
}

#[actix_web::test]
async fn panics_of_handlers_and_bodies_are_recorded() {
    for (path, status) in [("/panic", None), ("/body-panic", Some(200))] {
        let recorder = Recorder::new();
        let service = service!(recorder);
        let joined = actix_web::rt::spawn(async move {
            let response = call_service(&service, get(path)).await;
            actix_web::body::to_bytes(response.into_body()).await.ok();
        });
        assert!(joined.await.unwrap_err().is_panic());
        let (_, outcome) = recorder.pair().await;
        assert_eq!(outcome["result"], "panicked");
        assert_eq!(outcome["status"].as_u64(), status);
    }
}

#[actix_web::test]
async fn a_refused_call_gets_503_with_retry_after_and_its_handler_never_runs() {
    let recorder = Recorder::refusing().await;
    let service = service!(recorder);
    let response = call_service(&service, get("/panic")).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
    assert!(read_body(response).await.is_empty());
    assert!(recorder.records().is_empty());
}

#[actix_web::test]
async fn a_handle_kept_after_the_end_takes_nothing_more() {
    let recorder = Recorder::new();
    let (tell, told) = std::sync::mpsc::channel();
    let handler = move |activity: web::ReqData<CurrentActivity>| {
        tell.send(activity.into_inner()).unwrap();
        async { "hello" }
    };
    let app = App::new().route("/", web::get().to(handler)).wrap(Audit::new(recorder.log.clone()));
    let service = init_service(app).await;
    read_body(call_service(&service, get("/")).await).await;
    let late = told.recv().unwrap().resource("late");
    assert_eq!(late, Err(AmendError::Finished));
    recorder.pair().await;
}
