//! The programs that measure, all built in one go: most of what they are made of is the same.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::command::{self, Result, cargo};

/// Where they are.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) nats: PathBuf,
    pub(crate) postgres: PathBuf,
    pub(crate) s3: PathBuf,
    pub(crate) measure: PathBuf,
    pub(crate) servers: PathBuf,
}

impl Programs {
    pub(crate) fn build() -> Result<Self> {
        let mut build = cargo();
        build.args(["build", "--release", "--message-format", "json", "--bench", "append"]);
        build.args(["--bin", "measure", "--bin", "servers"]);
        for package in ["audit-nats", "audit-postgres", "audit-s3", "xtask"] {
            build.args(["--package", package]);
        }
        build.args(["--features", "xtask/backends,xtask/servers"]);
        eprintln!("$ {}", command::show(&build));
        let messages = command::output(&mut build)?;
        let built: Vec<Value> = messages.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let find = |package: &str, name: &str| {
            let found = built.iter().find_map(|message| program(message, package, name));
            found.ok_or_else(|| format!("cargo built no {name} of {package}"))
        };
        Ok(Self {
            nats: find("audit-nats", "append")?,
            postgres: find("audit-postgres", "append")?,
            s3: find("audit-s3", "append")?,
            measure: find("xtask", "measure")?,
            servers: find("xtask", "servers")?,
        })
    }
}

/// The program that a message of cargo names, if it is the one of this name and package.
fn program(message: &Value, package: &str, name: &str) -> Option<PathBuf> {
    let manifest = message["manifest_path"].as_str()?;
    let of_package = manifest.ends_with(&format!("/{package}/Cargo.toml"));
    let wanted = of_package && message["target"]["name"] == name;
    message["executable"].as_str().filter(|_| wanted).map(PathBuf::from)
}

/// Runs a program that prints one JSON object a line, and gives those.
pub(crate) fn figures(command: &mut Command) -> Result<Vec<Value>> {
    let printed = command::output(command)?;
    let figures: Vec<Value> = printed.lines().map(serde_json::from_str).collect::<std::result::Result<_, _>>()?;
    match figures.iter().find(|figures| !figures["skipped"].is_null()) {
        None if !figures.is_empty() => Ok(figures),
        _ => Err(format!("`{}` measured nothing: {}", command::show(command), printed.trim()).into()),
    }
}

/// A figure by its name; not a number when it is not there, which no floor forgives.
pub(crate) fn figure(figures: &Value, name: &str) -> f64 {
    figures[name].as_f64().unwrap_or(f64::NAN)
}
