//! The file backend on disks that are full, that fail, and under processes that are killed.
//!
//! Needs the right to mount a loop device and to trace processes: `cargo xtask test` runs it.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod append_only;
mod disk;
mod failing_sync;
mod full_disk;
mod killed;
mod traced;
