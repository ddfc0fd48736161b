//! `cargo xtask crash`: SIGKILL at random moments under load.
//!
//! A client notes every refund that was answered with 201. Whatever the kills did: each of those
//! has its intent in the log, no handler ran without one, and the log verifies.

mod client;
mod log;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::arguments::Arguments;
use crate::command::{self, Result, Scratch};
use crate::server::{self, Profile, Server};

use client::Clients;

pub(crate) fn run(options: &[String]) -> Result {
    let mut arguments = Arguments::new(options);
    let rounds = arguments.value("--rounds")?.unwrap_or(20);
    let connections = arguments.value("--connections")?.unwrap_or(8);
    let seed = arguments.value("--seed")?.unwrap_or_else(|| fastrand::u64(..));
    arguments.end()?;

    println!("{rounds} rounds, {connections} connections, --seed {seed}");
    let service = server::build("examples", &["axum"], Profile::Release)?.join("axum");
    let audit = server::build("audit-cli", &["audit"], Profile::Release)?.join("audit");
    let scratch = Scratch::new("crash")?;
    let mut trial = Trial {
        service,
        audit,
        directory: scratch.path().join("log"),
        errors: scratch.path().join("errors"),
        random: fastrand::Rng::with_seed(seed),
        noted: Vec::new(),
        sent: 0,
        killed_while_opening: 0,
    };
    let result = trial.run(rounds, connections);
    if result.is_err() {
        println!("the log is kept in {}", scratch.keep().display());
    }
    result
}

struct Trial {
    service: PathBuf,
    audit: PathBuf,
    directory: PathBuf,
    errors: PathBuf,
    random: fastrand::Rng,
    /// The refunds that were answered with 201.
    noted: Vec<String>,
    /// How many were asked for.
    sent: u64,
    killed_while_opening: u64,
}

impl Trial {
    fn run(&mut self, rounds: u32, connections: usize) -> Result {
        let started = Instant::now();
        for round in 0..rounds {
            self.round(round, connections)
                .and_then(|()| self.verify())
                .map_err(|error| format!("round {round}: {error}"))?;
        }
        let server = Server::start(&self.service, self.arguments(0), &self.errors)?;
        let status = server.terminate()?;
        if !status.success() {
            return Err(format!("the service ended with {status} after SIGTERM").into());
        }
        self.verify()?;
        self.compare(rounds, started.elapsed())
    }

    fn round(&mut self, round: u32, connections: usize) -> Result {
        if self.random.u8(..8) == 0 {
            self.killed_while_opening += 1;
            let mut child = Server::spawn(&self.service, self.arguments(round), &self.errors)?;
            thread::sleep(Duration::from_micros(self.random.u64(..30_000)));
            child.kill()?;
            child.wait()?;
        }
        let server = Server::start(&self.service, self.arguments(round), &self.errors)?;
        let clients = Clients::start(server.address(), round, connections);
        thread::sleep(Duration::from_micros(self.random.u64(1_000..400_000)));
        server.kill()?;
        let (noted, sent) = clients.join()?;
        println!("round {round:>4}: {:>6} answered with 201", noted.len());
        self.noted.extend(noted);
        self.sent += sent;
        Ok(())
    }

    /// Every other round runs with the weaker class: it has to survive SIGKILL too.
    fn arguments(&self, round: u32) -> Vec<PathBuf> {
        let mut arguments = vec!["--log".into(), self.directory.clone()];
        if round % 2 == 1 {
            let policy = command::root().join("examples/policy-written.toml");
            arguments.extend(["--policy".into(), policy]);
        }
        arguments
    }

    fn verify(&self) -> Result {
        let key = self.directory.join("log.pub");
        let mut verify = std::process::Command::new(&self.audit);
        verify.arg("verify").arg(&self.directory).arg("--json");
        let verdict = command::output(verify.arg("--key").arg(key))?;
        let verdict: serde_json::Value = serde_json::from_str(&verdict)?;
        if verdict["verdict"] == "intact" { Ok(()) } else { Err(format!("audit verify says {verdict}").into()) }
    }

    fn compare(&self, rounds: u32, took: Duration) -> Result {
        let intents = log::intents(&self.directory)?;
        let handled = handler_runs(&self.directory)?;
        let lost: Vec<_> = self.noted.iter().filter(|id| !intents.refunds.contains(*id)).collect();
        println!(
            "\n{rounds} kills under load and {} while opening, in {:.0} s\n\
             {:>8} refunds asked for\n{:>8} answered with 201\n{:>8} handler runs\n\
             {:>8} intents\n{:>8} records, intact",
            self.killed_while_opening,
            took.as_secs_f64(),
            self.sent,
            self.noted.len(),
            handled,
            intents.count,
            intents.records,
        );
        if let Some(first) = lost.first() {
            return Err(format!("{} refunds have no intent, first {first}", lost.len()).into());
        }
        if handled > intents.count {
            return Err("a handler ran without an intent".into());
        }
        if self.noted.is_empty() {
            return Err("not one refund was answered: this shows nothing".into());
        }
        println!("every refund that was answered has its intent, and no handler ran without one");
        Ok(())
    }
}

fn handler_runs(directory: &Path) -> Result<u64> {
    let file = directory.with_extension("handled");
    Ok(std::fs::metadata(file)?.len())
}
