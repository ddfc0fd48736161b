#![doc = include_str!("../README.md")]

mod activity;
mod fields;
mod layer;
mod stack;

pub use layer::AuditSpans;
