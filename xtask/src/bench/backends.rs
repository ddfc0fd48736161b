//! `cargo xtask bench --backends`: the stores on real servers, beside plain clients of the same servers.

mod nats;
mod postgres;
mod programs;
mod replication;
mod requests;
mod s3;

use std::fs;
use std::path::PathBuf;
use std::process::Child;

use serde_json::Value;

use crate::bench::row::Table;
use crate::bench::say;
use crate::command::{Result, Scratch};
use crate::install;
use crate::servers::Keeper;

use programs::Programs;

/// Measures all parts, or the one that is named.
pub(crate) fn measure(quick: bool, only: Option<&str>, table: &mut Table) -> Result {
    install::install_servers(&[])?;
    let programs = Programs::build()?;
    say("starting the servers");
    let bench = Bench::start(quick, programs)?;
    for (name, part) in PARTS {
        if only.is_none_or(|only| only == name) {
            part(&bench, table).map_err(|error| format!("{name}: {error}"))?;
        }
    }
    Ok(())
}

type Part = fn(&Bench, &mut Table) -> Result;

const PARTS: [(&str, Part); 5] = [
    ("postgres", postgres::measure),
    ("nats", nats::measure),
    ("s3", s3::measure),
    ("replication", replication::measure),
    ("dead-replica", requests::measure),
];

/// The programs, and the servers that they measure.
#[derive(Debug)]
struct Bench {
    quick: bool,
    programs: Programs,
    keeper: Keeper,
    holder: Child,
    kept: Value,
    /// On a real disk; gone with what is in it.
    scratch: Scratch,
}

impl Bench {
    fn start(quick: bool, programs: Programs) -> Result<Self> {
        let scratch = Scratch::new("bench-backends")?;
        let keeper = Keeper::at(&scratch.path().join("servers"))?;
        let holder = keeper.start_measuring(&programs.servers)?;
        let kept = keeper.wait_until_ready()?;
        Ok(Self { quick, programs, keeper, holder, kept, scratch })
    }

    /// What the keeper says under `name`.
    fn kept(&self, name: &str) -> Result<&str> {
        self.kept[name].as_str().ok_or_else(|| format!("the servers came without {name}").into())
    }

    /// The URL of the log `name` in store `number` of the configuration file `file`.
    fn store(&self, file: &str, number: usize, name: &str) -> Result<String> {
        let files = self.kept["configurations"].as_array();
        let found = files.into_iter().flatten().find(|configuration| configuration["file"] == file);
        let url = found.and_then(|found| found["stores"][number]["url"].as_str());
        let url = url.ok_or_else(|| format!("the servers came without {file}"))?;
        Ok(url.replacen("/payments", &format!("/{name}"), 1))
    }

    /// The text of a file that the keeper wrote.
    fn written(&self, name: &str) -> Result<String> {
        Ok(fs::read_to_string(self.scratch.path().join("servers").join(name))?)
    }

    fn place(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Err(error) = self.keeper.stop() {
            eprintln!("the servers were not stopped in order: {error}");
        }
        let _ = self.holder.wait();
    }
}
