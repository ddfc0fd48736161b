//! `cargo deny check`, which needs the network for the advisories only.

use std::process::Stdio;

use crate::ci::Verdict;
use crate::command::{self, Result, cargo};

/// Runs all of `deny.toml`; without the advisories, and saying so, where they cannot be fetched.
pub(crate) fn check() -> Result<Verdict> {
    if command::output(cargo().args(["deny", "--version"])).is_err() {
        let version = ["--version", VERSION];
        command::run(cargo().args(["install", "--locked", "cargo-deny"]).args(version))?;
    }
    let mut all = cargo();
    all.args(["deny", "check", "--hide-inclusion-graph"]);
    println!("$ {}", command::show(&all));
    let output = all.stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(Verdict::Held);
    }
    if !said.contains("failed to fetch advisory database") {
        return Err(format!("cargo deny found:\n{said}").into());
    }
    let rest = ["deny", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"];
    command::run(cargo().args(rest))?;
    println!("WARNING: the advisory database cannot be fetched from here.");
    println!("WARNING: known vulnerabilities in dependencies were NOT looked for.");
    Ok(Verdict::Partly("advisories NOT checked, their database is out of reach"))
}

const VERSION: &str = "0.20.2";
