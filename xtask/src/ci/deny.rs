//! `cargo deny check`, which needs the network for the advisories only.

use std::process::Stdio;

use crate::ci::Verdict;
use crate::command::{self, Result, cargo};

/// Runs all of `deny.toml`. Where the advisories cannot be fetched, with those fetched earlier; where
/// there are none either, without them, and says so.
pub(crate) fn check() -> Result<Verdict> {
    if command::output(cargo().args(["deny", "--version"])).is_err() {
        let version = ["--version", VERSION];
        command::run(cargo().args(["install", "--locked", "cargo-deny"]).args(version))?;
    }
    let said = match deny(&[], &[])? {
        Ok(()) => return Ok(Verdict::Held),
        Err(said) => said,
    };
    if !said.contains("failed to fetch advisory database") {
        return Err(format!("cargo deny found:\n{said}").into());
    }
    println!("WARNING: the advisory database cannot be fetched from here.");
    if deny(&["--offline"], &["advisories"])?.is_ok() {
        deny(&[], &WITHOUT_ADVISORIES)??;
        return Ok(Verdict::Partly("advisories as of the last time they could be fetched"));
    }
    deny(&[], &WITHOUT_ADVISORIES)??;
    println!("WARNING: known vulnerabilities in dependencies were NOT looked for.");
    Ok(Verdict::Partly("advisories NOT checked, their database is out of reach"))
}

/// Runs `cargo deny`; what it said, if it found something wrong.
fn deny(options: &[&str], checks: &[&str]) -> Result<std::result::Result<(), String>> {
    let mut command = cargo();
    command.arg("deny").args(options).args(["check", "--hide-inclusion-graph"]).args(checks);
    println!("$ {}", command::show(&command));
    let output = command.stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(if output.status.success() { Ok(()) } else { Err(said) })
}

const WITHOUT_ADVISORIES: [&str; 3] = ["bans", "licenses", "sources"];
const VERSION: &str = "0.20.2";
