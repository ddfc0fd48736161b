//! What the host tells the middleware, and what handlers find.

#![allow(clippy::unwrap_used)] // a test ends at the first surprise

mod support;

use std::borrow::Cow;
use std::rc::Rc;

use actix_web::dev::Service as _;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, HttpMessage, HttpResponse, web};
use audit_actix::Audit;
use audit_core::identity::{Metadata, TrustedProxies};
use audit_core::redaction::AllowList;
use audit_core::{Actor, CurrentActivity};
use serde_json::Value;
use support::Recorder;

/// What a host's own session middleware might leave.
struct Session(&'static str);

async fn intent_of(configure: impl Fn(Audit) -> Audit, prepare: fn(TestRequest) -> TestRequest) -> Value {
    let recorder = Recorder::new();
    let audit = configure(Audit::new(recorder.log.clone()));
    let service = init_service(App::new().route("/", web::get().to(|| async { "ok" })).wrap(audit)).await;
    let request = prepare(TestRequest::get().uri("/?page=2&token=hush")).to_request();
    read_body(call_service(&service, request).await).await;
    recorder.pair().await.0
}

fn by_session(audit: Audit) -> Audit {
    audit.actor_from_extension(|session: &Session| Actor::service_account(session.0).verified())
}

#[actix_web::test]
async fn a_source_of_the_host_names_the_caller_and_a_call_it_does_not_know_is_recorded_too() {
    let by_header = |audit: Audit| {
        by_session(audit).identify(|metadata: &dyn Metadata| {
            metadata.header("x-caller").map(|_| Actor::service_account("by header"))
        })
    };
    let intent = intent_of(by_header, |request| request.insert_header(("x-caller", "1"))).await;
    assert_eq!(intent["actor"]["id"], "by header");
    assert_ne!(intent["actor"]["verified"], true);
    let intent = intent_of(by_header, |request| request).await;
    assert_eq!(intent["actor"]["type"], "unauthenticated");
}

#[actix_web::test]
async fn a_session_or_an_actor_that_a_middleware_outside_left_names_the_caller() {
    for (leave_actor, id) in [(false, "by session"), (true, "by actor")] {
        let recorder = Recorder::new();
        let audit = by_session(Audit::new(recorder.log.clone()));
        let app = App::new().route("/", web::get().to(|| async { "ok" })).wrap(audit).wrap_fn(move |request, next| {
            request.extensions_mut().insert(Session("by session"));
            if leave_actor {
                request.extensions_mut().insert(Actor::service_account("by actor"));
            }
            next.call(request)
        });
        let service = init_service(app).await;
        read_body(call_service(&service, TestRequest::get().to_request()).await).await;
        let (intent, _) = recorder.pair().await;
        assert_eq!((&intent["actor"]["id"], &intent["actor"]["verified"]), (&id.into(), &true.into()));
    }
}

#[actix_web::test]
async fn an_actor_who_is_nobody_does_not_become_somebody() {
    let recorder = Recorder::new();
    let app = App::new().route("/", web::get().to(|| async { "ok" })).wrap(Audit::new(recorder.log.clone())).wrap_fn(
        |request, next| {
            request.extensions_mut().insert(Actor::unauthenticated().reason("expired"));
            next.call(request)
        },
    );
    let service = init_service(app).await;
    read_body(call_service(&service, TestRequest::get().to_request()).await).await;
    let (intent, _) = recorder.pair().await;
    assert_ne!(intent["actor"]["verified"], true, "{intent}");
    assert_eq!(intent["actor"]["reason"], "expired");
}

#[actix_web::test]
async fn proxies_headers_and_parameters_are_recorded_as_told() {
    let configure = |audit: Audit| {
        audit
            .trusted_proxies(TrustedProxies::new(["10.0.0.0/8"]).unwrap())
            .allow_list(AllowList::new(["x-request-id"], ["page"]).unwrap())
    };
    let intent = intent_of(configure, |request| {
        request
            .peer_addr("10.1.2.3:4000".parse().unwrap())
            .insert_header(("x-forwarded-for", "192.0.2.9"))
            .insert_header(("x-request-id", "r-1"))
            .insert_header(("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
    })
    .await;
    assert_eq!(intent["source"]["ip"], "192.0.2.9");
    assert_eq!(intent["http"]["headers"]["x-request-id"], "r-1");
    assert_eq!(intent["http"]["query"]["page"], "2");
    assert!(intent["trace"].is_string());
    assert!(!intent.to_string().contains("hush"));
}

#[actix_web::test]
async fn the_certificate_of_the_connection_reaches_identity_sources_and_headers_do_not() {
    let recorder = Recorder::new();
    let audit = Audit::new(recorder.log.clone())
        .peer_certificate(|request| Some(Cow::Borrowed(request.conn_data::<Vec<u8>>()?.as_slice())))
        .identify(|metadata: &dyn Metadata| {
            let certificate = metadata.peer_certificate()?;
            Some(Actor::service_account(format!("{certificate:?}")).verified())
        });
    let (address, server) = {
        let server = actix_web::HttpServer::new(move || {
            App::new().route("/", web::get().to(|| async { "ok" })).wrap(audit.clone())
        })
        .workers(1)
        .disable_signals()
        .on_connect(|_, data| {
            data.insert(vec![48_u8, 3]);
        })
        .bind(("127.0.0.1", 0))
        .unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        (address, handle)
    };
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    stream.read_to_end(&mut Vec::new()).await.unwrap();
    server.stop(true).await;
    let (intent, _) = recorder.pair().await;
    assert_eq!(intent["actor"]["id"], "[48, 3]");
}

#[actix_web::test]
async fn handlers_in_excluded_calls_find_an_activity_too() {
    let recorder = Recorder::with_policy("[[rule]]\nname = \"probes\"\npaths = [\"/healthz\"]\nlevel = \"none\"\n");
    let handler = |activity: web::ReqData<CurrentActivity>| async move {
        activity.resource("nowhere").unwrap();
        assert_eq!(activity.id(), None);
        "ok"
    };
    let app = App::new().route("/healthz", web::get().to(handler)).wrap(Audit::new(recorder.log.clone()));
    let service = init_service(app).await;
    let request = TestRequest::get().uri("/healthz").to_request();
    assert_eq!(read_body(call_service(&service, request).await).await, "ok");
    assert!(recorder.settled().await.is_empty());
}

#[actix_web::test]
async fn a_host_answers_refused_calls_in_its_own_words() {
    let recorder = Recorder::refusing().await;
    let audit = Audit::new(recorder.log.clone()).on_refused(|refused, request| {
        HttpResponse::ServiceUnavailable().body(format!("{} {}", refused.reason(), request.path()))
    });
    let app = App::new().route("/", web::get().to(|| async { panic!("the handler ran") as String })).wrap(audit);
    let service = init_service(app).await;
    let response = call_service(&service, TestRequest::get().to_request()).await;
    assert_eq!(response.status(), 503);
    assert_eq!(read_body(response).await, "closed /");
}

#[actix_web::test]
async fn a_wrong_method_is_recorded_with_its_405_and_a_scope_with_its_full_path() {
    let recorder = Recorder::new();
    let app = App::new()
        .service(web::scope("/v1").service(web::resource("/refunds/{id}").route(web::post().to(|| async { "ok" }))))
        .wrap(Audit::new(recorder.log.clone()));
    let service = init_service(app).await;
    let request = TestRequest::delete().uri("/v1/refunds/7").to_request();
    let response = call_service(&service, request).await;
    assert_eq!(response.status(), 405);
    read_body(response).await;
    let (intent, outcome) = recorder.pair().await;
    assert_eq!(intent["action"], "DELETE /v1/refunds/{id}");
    assert_eq!((&outcome["status"], &outcome["result"]), (&405.into(), &"failure".into()));
}

#[actix_web::test]
async fn futures_that_are_not_send_stay_where_they_are() {
    let recorder = Recorder::new();
    let handler = || async {
        let of_this_worker = Rc::new("kept");
        actix_web::rt::task::yield_now().await;
        *of_this_worker
    };
    let service =
        init_service(App::new().route("/", web::get().to(handler)).wrap(Audit::new(recorder.log.clone()))).await;
    assert_eq!(read_body(call_service(&service, TestRequest::get().to_request()).await).await, "kept");
    assert_eq!(recorder.pair().await.1["result"], "success");
}
