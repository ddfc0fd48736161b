//! `cargo xtask crash`: SIGKILL at random moments under load, then SIGTERM under load.
//!
//! A client notes every refund that was answered. Whatever the kills did: each of those has its
//! intent in the log, no handler ran without one, and the log verifies. After a stop in order, every
//! intent has its outcome too.

pub(crate) mod balance;
mod kills;

use std::path::PathBuf;

use crate::arguments::Arguments;
use crate::command::{Result, Scratch};
use crate::framework::Framework;
use crate::install;
use crate::load::{Load, WRK};
use crate::server::{self, Profile};

pub(crate) fn run(options: &[String]) -> Result {
    let mut arguments = Arguments::new(options);
    let only = arguments.value::<Framework>("--server")?;
    let rounds = arguments.value("--rounds")?.unwrap_or(20);
    let connections = arguments.value("--connections")?.unwrap_or(8);
    let seed = arguments.value("--seed")?.unwrap_or_else(|| fastrand::u64(..));
    arguments.end()?;

    install::install(&[WRK])?;
    let programs = Programs::build(Profile::Release)?;
    for framework in Framework::ALL {
        if only.is_none_or(|only| only == framework) {
            println!("\n{framework}: {rounds} rounds, {connections} connections, --seed {seed}");
            trial(&programs, framework, rounds, connections, seed).map_err(|error| format!("{framework}: {error}"))?;
        }
    }
    Ok(())
}

fn trial(programs: &Programs, framework: Framework, rounds: u32, connections: usize, seed: u64) -> Result {
    let scratch = Scratch::new(&format!("crash-{framework}"))?;
    let load = Load { refunding: connections, ..programs.load(framework) };
    let result = kills::run(programs, &load, scratch.path(), rounds, seed)
        .and_then(|()| balance::after_a_stop(programs, &load, scratch.path()))
        .map(|balance| println!("{balance}"));
    if result.is_err() {
        println!("the logs are kept in {}", scratch.keep().display());
    }
    result
}

/// The programs that take part.
#[derive(Debug)]
pub(crate) struct Programs {
    folder: PathBuf,
    pub(crate) audit: PathBuf,
}

impl Programs {
    pub(crate) fn build(profile: Profile) -> Result<Self> {
        let servers = Framework::ALL.map(Framework::program);
        let folder = server::build("examples", &[&servers[..], &["grpc-clients"]].concat(), profile)?;
        let audit = server::build("audit-cli", &["audit"], profile)?.join("audit");
        Ok(Self { folder, audit })
    }

    pub(crate) fn server(&self, framework: Framework) -> PathBuf {
        self.folder.join(framework.program())
    }

    /// Everybody who calls a server here.
    pub(crate) fn load(&self, framework: Framework) -> Load {
        let grpc_clients = self.folder.join("grpc-clients");
        Load { framework, grpc_clients, refunding: 4, leaving: 4, wrk: 8 }
    }
}
