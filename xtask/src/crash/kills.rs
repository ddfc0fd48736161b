//! One log, and a server on it that is killed again and again.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::command::{self, Result};
use crate::crash::{Programs, balance};
use crate::load::{Books, Load};
use crate::server::Server;

/// Kills the server under load `rounds` times, and verifies the log each time.
pub(crate) fn run(programs: &Programs, load: &Load, folder: &Path, rounds: u32, seed: u64) -> Result {
    let mut kills = Kills {
        programs,
        load,
        server: programs.server(load.framework),
        directory: folder.join("log"),
        errors: folder.join("errors"),
        random: fastrand::Rng::with_seed(seed),
        answered: Vec::new(),
        sent: 0,
        left: 0,
        killed_while_opening: 0,
    };
    kills.all(rounds)
}

struct Kills<'a> {
    programs: &'a Programs,
    load: &'a Load,
    server: PathBuf,
    directory: PathBuf,
    errors: PathBuf,
    random: fastrand::Rng,
    /// The refunds that were answered.
    answered: Vec<String>,
    /// How many were asked for.
    sent: u64,
    /// How many calls were left.
    left: u64,
    killed_while_opening: u64,
}

impl Kills<'_> {
    fn all(&mut self, rounds: u32) -> Result {
        let started = Instant::now();
        for round in 0..rounds {
            self.round(round)
                .and_then(|()| balance::verify(self.programs, &self.directory))
                .map_err(|error| format!("round {round}: {error}"))?;
        }
        let server = Server::start(&self.server, self.arguments(0), &self.errors)?;
        let status = server.terminate()?;
        if !status.success() {
            return Err(format!("the service ended with {status} after SIGTERM").into());
        }
        balance::verify(self.programs, &self.directory)?;
        self.compare(rounds, started.elapsed())
    }

    fn round(&mut self, round: u32) -> Result {
        if self.random.u8(..8) == 0 {
            self.killed_while_opening += 1;
            let mut child = Server::spawn(&self.server, self.arguments(round), &self.errors)?;
            thread::sleep(Duration::from_micros(self.random.u64(..30_000)));
            child.kill()?;
            child.wait()?;
        }
        let server = Server::start(&self.server, self.arguments(round), &self.errors)?;
        let calling = self.load.start(server.address(), round)?;
        thread::sleep(Duration::from_micros(self.random.u64(1_000..400_000)));
        server.kill()?;
        let seen = calling.join()?;
        println!("round {round:>4}: {:>6} answered, {:>6} left", seen.answered.len(), seen.left);
        self.answered.extend(seen.answered);
        self.sent += seen.sent;
        self.left += seen.left;
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

    fn compare(&self, rounds: u32, took: Duration) -> Result {
        let books = Books::read(&self.directory)?;
        let lost: Vec<_> = self.answered.iter().filter(|name| !books.refunds.contains(*name)).collect();
        println!(
            "\n{rounds} kills under load and {} while opening, in {:.0} s\n\
             {:>8} refunds asked for\n{:>8} answered\n{:>8} calls left\n{:>8} handler runs\n\
             {:>8} intents\n{:>8} records, intact",
            self.killed_while_opening,
            took.as_secs_f64(),
            self.sent,
            self.answered.len(),
            self.left,
            books.handler_runs,
            books.intents,
            books.records,
        );
        if let Some(first) = lost.first() {
            return Err(format!("{} refunds have no intent, first {first}", lost.len()).into());
        }
        if books.handler_runs > books.intents {
            return Err("a handler ran without an intent".into());
        }
        if self.answered.is_empty() {
            return Err("not one refund was answered: this shows nothing".into());
        }
        println!("every refund that was answered has its intent, and no handler ran without one");
        Ok(())
    }
}
