#![doc = include_str!("../README.md")]

mod activity;
mod check;
mod entered;
mod error;
mod fields;
mod filter;
mod instrument;
mod layer;

pub use audit_core::log::{Audited, AuditedError, audited, audited_blocking};
pub use check::check;
pub use error::SilencedError;
pub use filter::AuditFilter;
pub use layer::AuditSpans;
