//! Tamper-evident audit log: see the crate README for the tour.
pub mod backend;
pub mod evidence;
pub mod record;
pub mod identity;
pub mod log;
pub mod redaction;
