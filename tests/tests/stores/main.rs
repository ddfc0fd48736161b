//! The example service on real stores that are killed, frozen and started again under load.
//!
//! After each of these days: no more handler runs than intents, every call that was answered with
//! success is in the log, no answer came later than the rule's deadline allows, and the verifier calls
//! every copy of the log intact.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod bucket;
mod evidence;
mod inside_a_runtime;
mod jetstream;
mod load;
mod postgres;
mod replicas;
mod s3;
mod service;
