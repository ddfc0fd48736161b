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

pub mod log;
pub mod options;
pub mod payments;
pub mod router;
pub mod serve;

/// What the programs here fail with: a sentence for the person who started them.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
