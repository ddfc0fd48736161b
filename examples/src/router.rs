//! The routes on axum.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use audit_core::{AuditLog, CurrentActivity};
use audit_tower::AuditLayer;
use axum::body::Body;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http_body::Frame;
use serde::Deserialize;
use tokio::time::{Interval, MissedTickBehavior};

use crate::payments::Payments;

/// The routes of the service, with `/healthz` and without `/readyz`, which asks the log.
pub fn payments(state: Payments) -> Router {
    Router::new()
        .route("/v1/refunds/{id}", post(refund))
        .route("/v1/refunds", get(refunds))
        .route("/v1/slow", get(slow))
        .route("/v1/stream", get(stream))
        .route("/v1/fail", get(fail))
        .route("/v1/denied", get(denied))
        .route("/v1/panic", get(panic))
        .with_state(state)
        .route("/healthz", get(|| async { "ok" }))
}

/// The routes of the service behind the audit layer, and `/readyz`, which asks the log.
pub fn audited(state: Payments, log: &AuditLog) -> Router {
    let asked = log.clone();
    payments(state)
        .route("/readyz", get(move || async move { readiness(&asked) }))
        .layer(AuditLayer::for_axum(log.clone()))
}

fn readiness(log: &AuditLog) -> (StatusCode, String) {
    let health = log.health();
    if health.writable {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    let reason = health.last_error.unwrap_or_else(|| "closed".to_owned());
    (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n"))
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
    let well_formed = body.is_empty() || serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok();
    if !well_formed {
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

#[derive(Deserialize)]
struct Slow {
    #[serde(default)]
    ms: u64,
}

async fn slow(State(payments): State<Payments>, Query(slow): Query<Slow>) -> &'static str {
    payments.handled();
    tokio::time::sleep(Duration::from_millis(slow.ms.min(SLOW_MS_MAX))).await;
    "done\n"
}

#[derive(Deserialize)]
struct Stream {
    #[serde(default)]
    chunks: u64,
}

async fn stream(State(payments): State<Payments>, Query(stream): Query<Stream>) -> Body {
    payments.handled();
    let mut ticks = tokio::time::interval(CHUNK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Body::new(Chunks { left: stream.chunks, ticks })
}

async fn fail(State(payments): State<Payments>) -> StatusCode {
    payments.handled();
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn denied(State(payments): State<Payments>) -> StatusCode {
    payments.handled();
    StatusCode::FORBIDDEN
}

async fn panic(State(payments): State<Payments>) -> StatusCode {
    payments.handled();
    panic!("this handler panics, as asked")
}

/// A body that trickles, so that a client can leave in the middle of it.
struct Chunks {
    left: u64,
    ticks: Interval,
}

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        std::task::ready!(self.ticks.poll_tick(context));
        self.left -= 1;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"chunk\n")))))
    }
}

const SLOW_MS_MAX: u64 = 10 * 60 * 1000;
const CHUNK_INTERVAL: Duration = Duration::from_millis(10);
