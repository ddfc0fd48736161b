//! Makes code that compiles of the code on two pages, so that it works as it stands there.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const README: &str = "../README.md";
const TESTING: &str = "../docs/testing.md";

/// What a reader of the README adds without being told: lines that documentation hides.
const BEFORE: &str = "\
# use std::time::Duration;
# use audit_core::{AuditLog, CurrentActivity, File, Key};
# use audit_tower::AuditLayer;
# use axum::{Extension, Router, extract::Path, http::StatusCode, routing::post};
# async fn stop() {}
# async fn run(listener: tokio::net::TcpListener) -> Result<(), Box<dyn std::error::Error>> {
";

/// The same, behind the code.
const AFTER: &str = "\
# Ok(()) }
";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={README}");
    println!("cargo::rerun-if-changed={TESTING}");
    let variable = env::var("OUT_DIR")?;
    let compiled = Path::new(&variable);
    fs::write(compiled.join("readme.md"), with_scaffolding(&fs::read_to_string(README)?))?;
    fs::write(compiled.join("testing.rs"), as_modules(&fs::read_to_string(TESTING)?)?)?;
    Ok(())
}

/// The page, with scaffolding in the block that is a part of a program.
fn with_scaffolding(page: &str) -> String {
    let mut compiled = String::new();
    let mut in_part = false;
    for line in page.split_inclusive('\n') {
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

/// Each block of the page as a module.
fn as_modules(page: &str) -> Result<String, std::fmt::Error> {
    let mut modules = String::new();
    let blocks = page.split("\n```rust\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    for (number, block) in blocks.enumerate() {
        writeln!(modules, "mod block_{number} {{\n{block}\n}}")?;
    }
    Ok(modules)
}
