//! Replicas: filled in order, caught up after an outage, compared when the log opens, and counted
//! as copies.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod batches;
mod copies;
mod following;
mod opening;
mod outages;
mod support;
mod weakened;
