//! The payments service: the same small behaviour behind every web framework.
//!
//! | call | does |
//! |---|---|
//! | `POST /v1/refunds/{id}` | adds one to a counter, answers 201 |
//! | `GET /v1/refunds` | the counter |
//! | `GET /v1/slow?ms=N` | answers after N milliseconds |
//! | `GET /v1/stream?chunks=N` | answers in N chunks |
//! | `GET /v1/fail`, `GET /v1/denied`, `GET /v1/panic` | 500, 403, a panic |
//! | `GET /healthz`, `GET /readyz` | probes, excluded by the policy |
//!
//! Every run of a `/v1` handler appends one byte to the file `DIR.handled` beside the log `DIR`, so
//! that anyone can check from outside what the log promises: **handler runs ≤ intents**.

use std::process::ExitCode;

pub mod log;
pub mod options;
pub mod payments;
pub mod router;
pub mod serve;

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
