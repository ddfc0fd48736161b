//! Puts around the code of the README what its reader adds without being told, so that it compiles
//! as documentation tests as it stands there.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

const README: &str = "../README.md";

/// Before code that is no whole program; the lines are hidden in documentation.
const BEFORE: &str = "\
# use std::time::Duration;
# use audit_core::{AuditLog, CurrentActivity, File, Key};
# use audit_tower::AuditLayer;
# use axum::{Extension, Router, extract::Path, http::StatusCode, routing::post};
# async fn stop() {}
# async fn run(listener: tokio::net::TcpListener) -> Result<(), Box<dyn std::error::Error>> {
";

/// Behind it.
const AFTER: &str = "\
# Ok(()) }
";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={README}");
    let readme = fs::read_to_string(README)?;
    let compiled = Path::new(&env::var("OUT_DIR")?).join("readme.md");
    fs::write(compiled, with_scaffolding(&readme))?;
    Ok(())
}

fn with_scaffolding(readme: &str) -> String {
    let mut compiled = String::new();
    let mut in_part = false;
    for line in readme.split_inclusive('\n') {
        match line.trim_end() {
            "```rust" => {
                in_part = true;
                compiled.push_str("```rust,no_run\n");
                compiled.push_str(BEFORE);
            }
            "```" if in_part => {
                in_part = false;
                compiled.push_str(AFTER);
                compiled.push_str(line);
            }
            _ => compiled.push_str(line),
        }
    }
    compiled
}
