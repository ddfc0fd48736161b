//! The payments service on axum, every call recorded before its handler runs.

use audit_core::AuditLog;
use audit_tower::AuditLayer;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use examples::options::Options;
use examples::payments::Payments;
use examples::{Failure, log, router, serve};

fn main() -> Result<(), Failure> {
    let options = Options::from_arguments()?;
    let log = log::open(&options)?;
    let payments =
        if options.count_handled { Payments::counting_in(&log::handled(options.log()?))? } else { Payments::new() };
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let served = serve::until_stopped(app(payments, &log), options.listen).await;
        log::close(&log).await?;
        served
    })
}

fn app(payments: Payments, log: &AuditLog) -> Router {
    let asked = log.clone();
    router::payments(payments)
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
