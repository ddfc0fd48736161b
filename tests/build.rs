//! Makes code that compiles of the code on two pages, so that it works as it stands there.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const README: &str = "../README.md";
const TESTING: &str = "../docs/testing.md";

/// What a reader of the README adds without being told, by a word in the code: lines that
/// documentation hides. The last fits whatever has none of the words.
const BEFORE: [(&str, &str); 4] = [
    (
        "HttpServer",
        "\
# use std::time::Duration;
# use actix_web::{App, HttpResponse, HttpServer, post, web};
# use audit_actix::Audit;
# use audit_core::{AuditLog, CurrentActivity};
# async fn run(log: AuditLog) -> Result<(), Box<dyn std::error::Error>> {
",
    ),
    (
        "PaymentsServer",
        "\
# use std::time::Duration;
# use audit_core::AuditLog;
# use audit_tower::AuditLayer;
# use examples::grpc::payments::payments_server::{Payments, PaymentsServer};
# use tonic::transport::Server;
# async fn stop() {}
# async fn run(log: AuditLog, payments: impl Payments, address: std::net::SocketAddr)
#     -> Result<(), Box<dyn std::error::Error>> {
",
    ),
    (
        "AuditSpans",
        "\
# use audit_core::{AuditLog, Event};
# use audit_tracing::{AuditSpans, audited};
# use tracing::instrument;
# use tracing_subscriber::{EnvFilter, fmt, prelude::*};
# type LedgerId = u32;
# type LedgerError = std::io::Error;
# async fn rotate_now(_: LedgerId) -> Result<(), LedgerError> { Ok(()) }
# async fn run(log: AuditLog, id: LedgerId) -> Result<(), Box<dyn std::error::Error>> {
",
    ),
    (
        "",
        "\
# use std::time::Duration;
# use audit_core::{AuditLog, CurrentActivity, File, Key};
# use audit_tower::AuditLayer;
# use axum::{Extension, Router, extract::Path, http::StatusCode, routing::post};
# async fn stop() {}
# async fn run(listener: tokio::net::TcpListener) -> Result<(), Box<dyn std::error::Error>> {
",
    ),
];

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

/// The page, with scaffolding in the blocks that are parts of a program.
fn with_scaffolding(page: &str) -> String {
    let mut compiled = String::new();
    let mut rest = page;
    while let Some((text, after)) = rest.split_once("```rust\n") {
        let (code, behind) = after.split_once("```\n").unwrap_or((after, ""));
        let before = BEFORE.iter().find(|(word, _)| code.contains(word)).map_or("", |(_, before)| before);
        compiled.extend([text, "```rust,no_run\n", before, code, AFTER, "```\n"]);
        rest = behind;
    }
    compiled.push_str(rest);
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
