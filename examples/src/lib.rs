//! The payments service: the same small behaviour behind every web framework.
//!
//! | HTTP | gRPC | does |
//! |---|---|---|
//! | `POST /v1/refunds/{id}` | `Refund` | adds one to a counter, answers 201 |
//! | `GET /v1/refunds` | `CountRefunds` | the counter |
//! | `GET /v1/slow?ms=N` | `Slow` | answers after N milliseconds |
//! | `GET /v1/stream?chunks=N` | `Stream` | answers in N chunks |
//! | | `RefundAll`, `RefundEach` | refunds in a stream, answered once or each |
//! | `GET /v1/fail` | `Fail` | 500, `INTERNAL` |
//! | `GET /v1/denied` | `Denied` | 403, `PERMISSION_DENIED` |
//! | `GET /v1/unauthenticated` | `Unauthenticated` | 401, `UNAUTHENTICATED` |
//! | `GET /v1/panic` | `Panic` | a panic |
//! | `GET /healthz`, `GET /readyz` | `grpc.health.v1.Health/Check` | probes, excluded by the policy |
//!
//! Every run of a payments handler appends one byte to the file `DIR.handled` beside the log `DIR`,
//! so that anyone can check from outside what the log promises: **handler runs ≤ intents**.
//!
//! What the servers share: [`options`], [`log`], [`payments`], [`requests`], [`chunks`],
//! [`limits`], [`readiness`] and [`stop`]. Each framework has its routes and its server.

use std::process::ExitCode;

pub mod actix_routes;
pub mod actix_server;
pub mod axum_router;
pub mod axum_server;
pub mod chunks;
pub mod grpc;
pub mod limits;
pub mod log;
pub mod options;
pub mod payments;
pub mod readiness;
pub mod requests;
pub mod stop;
pub mod tonic_server;
pub mod tonic_service;

/// What the programs here fail with: a sentence for the person who started them.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Ends a program: says on standard error what went wrong and why, and turns it into an exit code.
#[must_use]
pub fn end(result: Result<(), Failure>) -> ExitCode {
    let Err(failure) = result else {
        return ExitCode::SUCCESS;
    };
    let mut said = failure.to_string();
    let mut cause = failure.source();
    while let Some(deeper) = cause {
        // Many messages end with their cause already.
        let deeper_said = deeper.to_string();
        if !said.contains(&deeper_said) {
            said.push_str(": ");
            said.push_str(&deeper_said);
        }
        cause = deeper.source();
    }
    eprintln!("{said}");
    ExitCode::FAILURE
}
