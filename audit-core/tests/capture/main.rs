//! What is kept of bodies, and what is not.

#![allow(clippy::unwrap_used, reason = "what is shared between tests may fail them")]

mod correlation;
mod digests;
mod forms;
mod json;
mod messages;
mod properties;
mod record;
mod settings;
mod support;
