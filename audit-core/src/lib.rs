//! Tamper-evident audit log: see the crate README for the tour.
pub mod backend;
pub mod evidence;
pub mod identity;
pub mod policy;
pub mod record;
pub mod redaction;
