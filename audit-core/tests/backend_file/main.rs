//! The file backend: what lies on disk, and what a new writer makes of what it finds there.

#![allow(clippy::unwrap_used, reason = "what is shared between tests may fail them")]

mod layout;
mod opening;
mod recovery;
mod scene;
mod tampering;
mod writing;
