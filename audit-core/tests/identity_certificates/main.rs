//! Callers known by the client certificate of a TLS connection that really took place.

#![allow(clippy::unwrap_used, reason = "what is shared between tests may fail them")]

mod authority;
mod others;
#[path = "../identity_support/request.rs"]
mod request;
mod workloads;
