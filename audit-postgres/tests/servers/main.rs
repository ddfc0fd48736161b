//! The store against real servers: PostgreSQL by itself, and behind a pooler.
//!
//! `cargo xtask test` installs what is needed; without it these tests fail.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod bad_days;
mod conformance;
mod fixture;
mod opening;
mod outbox;
mod outbox_put;
mod reading;
mod rights;
mod tampering;
mod tls;
mod under_load;
mod whole_log;
