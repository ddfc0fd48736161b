//! What spans leave in the log.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod endings;
mod fields;
mod filters;
mod panics;
mod parents;
mod spans;
mod subscribers;
mod support;
