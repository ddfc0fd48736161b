//! What `docs/` says of the record format, held against the code and against real logs.

#![allow(clippy::unwrap_used, reason = "what is shared between tests may fail them")]

mod chain_script;
mod example;
mod schema;
mod written;

use std::path::PathBuf;

/// A file below `docs/`.
fn docs(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "docs", name].iter().collect()
}
