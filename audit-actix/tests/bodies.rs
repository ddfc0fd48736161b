//! Bodies, under rules that ask for them.

#![allow(clippy::unwrap_used)] // a test ends at the first surprise

mod support;

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::{self, Bytes, JsonConfig, Payload};
use actix_web::{App, HttpResponse};
use audit_actix::Audit;
use audit_core::evidence::Hash;
use serde_json::{Value, json};
use support::Recorder;
use tokio_stream::StreamExt;

const REQUEST: &str = "[[rule]]\nname = \"money\"\nlevel = \"request\"\n";
const BOTH: &str = "[[rule]]\nname = \"money\"\nlevel = \"request_response\"\n";

fn sha256(bytes: &[u8]) -> String {
    Hash::digest(bytes).to_string()
}

async fn echo(body: Bytes) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(body)
}

async fn first_chunk(mut payload: Payload) -> HttpResponse {
    payload.next().await.unwrap().unwrap();
    HttpResponse::Ok().finish()
}

async fn outcome_of(policy: &str, request: TestRequest) -> (StatusCode, Value) {
    let recorder = Recorder::with_policy(policy);
    let app = App::new()
        .app_data(JsonConfig::default().limit(16))
        .route("/echo", web::post().to(echo))
        .route("/json", web::post().to(|_: web::Json<Value>| async { "read" }))
        .route("/ignored", web::to(|| async { "not read" }))
        .route("/first", web::post().to(first_chunk))
        .wrap(Audit::new(recorder.log.clone()));
    let service = init_service(app).await;
    let response = call_service(&service, request.to_request()).await;
    let status = response.status();
    read_body(response).await;
    (status, recorder.pair().await.1)
}

#[actix_web::test]
async fn what_the_handler_reads_is_hashed_and_its_beginning_kept_without_secrets() {
    let text = r#"{"amount":7,"password":"hush"}"#;
    let request =
        || TestRequest::post().uri("/echo").insert_header(("content-type", "application/json")).set_payload(text);
    let (_, outcome) = outcome_of(REQUEST, request()).await;
    assert_eq!(outcome["request_sha256"], sha256(text.as_bytes()));
    assert_eq!(outcome["request_bytes"], text.len());
    assert_eq!(outcome["request_body"]["text"], r#"{"amount":7,"password":"[redacted]"}"#);
    assert!(outcome.get("response_sha256").is_none());
    let (_, outcome) = outcome_of(BOTH, request()).await;
    assert_eq!(outcome["response_sha256"], sha256(text.as_bytes()));
    assert!(!outcome.to_string().contains("hush"));
}

#[actix_web::test]
async fn what_nobody_reads_is_marked_unread() {
    let (_, outcome) = outcome_of(REQUEST, TestRequest::post().uri("/ignored").set_payload("unwanted")).await;
    assert!(outcome.get("request_sha256").is_none());
    assert_eq!(outcome["request_body"]["unread"], true);
    assert_eq!(outcome["request_body"]["seen_bytes"], 0);
}

#[actix_web::test]
async fn a_payload_beyond_the_limit_is_a_413_and_unread() {
    let payload = json!({"text": "longer than the limit of the extractor"});
    let (status, outcome) = outcome_of(REQUEST, TestRequest::post().uri("/json").set_json(payload)).await;
    assert_eq!(status, 413);
    assert_eq!((&outcome["status"], &outcome["result"]), (&413.into(), &"failure".into()));
    assert_eq!(outcome["request_body"]["unread"], true);
}

#[actix_web::test]
async fn rules_that_ask_for_no_bodies_take_none() {
    let policy = REQUEST.replace("\"request\"", "\"metadata\"");
    let (_, outcome) = outcome_of(&policy, TestRequest::post().uri("/echo").set_payload("{}")).await;
    assert!(outcome.get("request_sha256").is_none() && outcome.get("request_body").is_none(), "{outcome}");
}
