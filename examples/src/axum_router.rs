//! The routes on axum.

use std::convert::Infallible;

use audit_core::{AuditLog, CurrentActivity};
use audit_tower::AuditLayer;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Extension, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use tokio_stream::StreamExt;

use crate::chunks::chunks;
use crate::payments::Payments;
use crate::requests::{Message, Slow, Stream, well_formed};
use crate::{limits, readiness};

/// The routes of the service, with `/healthz` and without `/readyz`, which asks the log.
pub fn payments(state: Payments) -> Router {
    Router::new()
        .route("/v1/refunds/{id}", post(refund))
        .route("/v1/refunds", get(refunds))
        .route("/v1/slow", get(slow))
        .route("/v1/stream", get(stream))
        .route("/v1/fail", get(fail))
        .route("/v1/denied", get(denied))
        .route("/v1/unauthenticated", get(unauthenticated))
        .route("/v1/panic", get(panic))
        .with_state(state)
        .route("/healthz", get(|| async { "ok" }))
        .layer(DefaultBodyLimit::max(limits::BODY_BYTES))
}

/// The routes of the service behind the audit layer, and `/readyz`, which asks the log.
pub fn audited(state: Payments, log: &AuditLog) -> Router {
    let asked = log.clone();
    let router = payments(state).route("/readyz", get(move || async move { ready(&asked) }));
    let audit = AuditLayer::for_axum(log.clone());
    // A request body that is watched is wrapped, which costs a little even where no rule asks for it.
    match log.body_capture() {
        Some(_) => router.layer(audit.capture_bodies()),
        None => router.layer(audit),
    }
}

fn ready(log: &AuditLog) -> (StatusCode, String) {
    match readiness::reason_against(log) {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")),
    }
}

/// `activity` is there when an audit layer is: the same routes serve as the bare comparison.
async fn refund(
    State(payments): State<Payments>,
    activity: Option<Extension<CurrentActivity>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    payments.handled();
    if let Some(Extension(activity)) = activity {
        // Lands in the outcome; an activity that is over, or full, does not stop the refund.
        activity.resource(&id).ok();
    }
    if !well_formed(&body) {
        return (StatusCode::BAD_REQUEST, "the body is not JSON\n").into_response();
    }
    payments.refund();
    let json = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::CREATED, json, "{}").into_response()
}

async fn refunds(State(payments): State<Payments>) -> Json<u64> {
    payments.handled();
    Json(payments.refunds())
}

async fn slow(State(payments): State<Payments>, Query(slow): Query<Slow>) -> &'static str {
    payments.handled();
    tokio::time::sleep(slow.wait()).await;
    "done\n"
}

async fn stream(State(payments): State<Payments>, Query(stream): Query<Stream>) -> Body {
    payments.handled();
    Body::from_stream(chunks(stream.chunks).map(Ok::<_, Infallible>))
}

async fn fail(State(payments): State<Payments>, Query(fail): Query<Message>) -> (StatusCode, String) {
    payments.handled();
    (StatusCode::INTERNAL_SERVER_ERROR, fail.message)
}

async fn denied(State(payments): State<Payments>) -> StatusCode {
    payments.handled();
    StatusCode::FORBIDDEN
}

async fn unauthenticated(State(payments): State<Payments>) -> Response {
    payments.handled();
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")]).into_response()
}

async fn panic(State(payments): State<Payments>, Query(panic): Query<Message>) -> StatusCode {
    payments.handled();
    panic!("this handler panics: {}", panic.message)
}
