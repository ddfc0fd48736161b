//! The tests on the page about tests, as they stand there.
#![allow(clippy::unwrap_used, reason = "a page shows what its readers would write")]

include!(concat!(env!("OUT_DIR"), "/testing.rs"));
