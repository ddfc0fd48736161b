//! `cargo xtask ci`: what can be said about the code without running it.

mod deny;
mod package;
mod rust_version;
mod tidy;

use std::time::Instant;

use crate::arguments::Arguments;
use crate::command::{self, Result, cargo};

/// One check: its name, what it looks for, and how.
struct Check {
    name: &'static str,
    purpose: &'static str,
    run: fn() -> Result<Verdict>,
}

/// How a check went that found nothing wrong.
pub(crate) enum Verdict {
    Held,
    /// Part of it could not be done; says what.
    Partly(&'static str),
}

pub(crate) fn run(options: &[String]) -> Result {
    let wanted = Arguments::new(options).words()?;
    if let Some(unknown) = wanted.iter().find(|name| find(name).is_none()) {
        let names: Vec<_> = CHECKS.iter().map(|check| check.name).collect();
        return Err(format!("no check {unknown:?}; these exist: {}", names.join(" ")).into());
    }
    let mut summary = Vec::new();
    let mut failed = Vec::new();
    for check in &CHECKS {
        if !wanted.is_empty() && !wanted.contains(&check.name) {
            continue;
        }
        println!("\n== {}: {}", check.name, check.purpose);
        let started = Instant::now();
        let verdict = match (check.run)() {
            Ok(Verdict::Held) => "ok".to_owned(),
            Ok(Verdict::Partly(missing)) => format!("PARTLY: {missing}"),
            Err(error) => {
                println!("{error}");
                failed.push(check.name);
                "FAILED".to_owned()
            }
        };
        let seconds = started.elapsed().as_secs();
        summary.push(format!("{:<13} {seconds:>4} s  {verdict}", check.name));
    }
    println!("\n{}", summary.join("\n"));
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
}

fn find(name: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|check| check.name == name)
}

fn format() -> Result<Verdict> {
    command::run(cargo().args(["fmt", "--all", "--check"]))?;
    Ok(Verdict::Held)
}

fn clippy() -> Result<Verdict> {
    let scope = ["clippy", "--workspace", "--all-targets", "--all-features"];
    command::run(cargo().args(scope).args(["--", "-D", "warnings"]))?;
    Ok(Verdict::Held)
}

fn documentation() -> Result<Verdict> {
    let mut doc = cargo();
    doc.args(["doc", "--workspace", "--no-deps", "--all-features"]);
    command::run(doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Verdict::Held)
}

const CHECKS: [Check; 7] = [
    Check { name: "fmt", purpose: "rustfmt agrees", run: format },
    Check { name: "tidy", purpose: "short files, sorted dependencies, no paths of one machine", run: tidy::check },
    Check { name: "clippy", purpose: "no warnings, and nothing newer than a crate's rust-version", run: clippy },
    Check { name: "doc", purpose: "the documentation builds without warnings", run: documentation },
    Check {
        name: "rust-version",
        purpose: "no crate depends on one that needs a newer compiler than it promises",
        run: rust_version::check,
    },
    Check {
        name: "deny",
        purpose: "licences, duplicates, sources and advisories of the dependencies",
        run: deny::check,
    },
    Check {
        name: "package",
        purpose: "every crate that is published can be packaged and built from its package",
        run: package::check,
    },
];
