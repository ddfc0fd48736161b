//! The books of a log: as many outcomes as intents after a stop in order, and never, after whatever
//! end, a handler run without an intent.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::command::{self, Result};
use crate::crash::Programs;
use crate::load::{Books, Load, Seen};
use crate::server::Server;

/// How a server ended, and what it left.
#[derive(Debug)]
pub(crate) struct Balance {
    end: &'static str,
    seen: Seen,
    books: Books,
}

/// Ends a server in order, under load.
pub(crate) fn after_a_stop(programs: &Programs, load: &Load, folder: &Path) -> Result<Balance> {
    let directory = folder.join("stopped");
    let (server, calling) = under_load(programs, load, &directory)?;
    let status = server.terminate()?;
    let seen = calling.join()?;
    if !seen.wrk_ran {
        return Err("wrk ended before the server did".into());
    }
    if !status.success() {
        return Err(format!("the service ended with {status} after SIGTERM").into());
    }
    let balance = Balance { end: "SIGTERM", seen, books: Books::read(&directory)? };
    balance.check(load)?;
    if balance.books.intents != balance.books.outcomes {
        return Err(format!("intents and outcomes differ after a stop in order\n{balance}").into());
    }
    verify(programs, &directory)?;
    Ok(balance)
}

/// Kills a server under load.
pub(crate) fn after_a_kill(programs: &Programs, load: &Load, folder: &Path) -> Result<Balance> {
    let directory = folder.join("killed");
    let (server, calling) = under_load(programs, load, &directory)?;
    server.kill()?;
    let balance = Balance { end: "SIGKILL", seen: calling.join()?, books: Books::read(&directory)? };
    balance.check(load)?;
    verify(programs, &directory)?;
    Ok(balance)
}

fn under_load(programs: &Programs, load: &Load, directory: &Path) -> Result<(Server, crate::load::Calling)> {
    let arguments: [PathBuf; 2] = ["--log".into(), directory.to_owned()];
    let server = Server::start(&programs.server(load.framework), arguments, &directory.with_extension("errors"))?;
    let calling = load.start(server.address(), 0)?;
    thread::sleep(LOAD);
    Ok((server, calling))
}

/// Fails unless `audit verify` calls the log intact.
pub(crate) fn verify(programs: &Programs, directory: &Path) -> Result {
    let mut verify = Command::new(&programs.audit);
    verify.arg("verify").arg(directory).arg("--json");
    let verdict = command::output(verify.arg("--key").arg(directory.join("log.pub")))?;
    let verdict: Value = serde_json::from_str(&verdict)?;
    if verdict["verdict"] == "intact" { Ok(()) } else { Err(format!("audit verify says {verdict}").into()) }
}

impl Balance {
    fn check(&self, load: &Load) -> Result {
        if self.books.handler_runs > self.books.intents {
            return Err(format!("a handler ran without an intent\n{self}").into());
        }
        let lost = self.seen.answered.iter().find(|name| !self.books.refunds.contains(*name));
        if let Some(lost) = lost {
            return Err(format!("refund {lost} was answered and has no intent\n{self}").into());
        }
        let called = !self.seen.answered.is_empty() || load.refunding == 0;
        let left = self.seen.left > 0 || load.leaving == 0;
        if called && left { Ok(()) } else { Err(format!("nobody called: this shows nothing\n{self}").into()) }
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "after {}: {} refunds answered, {} calls left, {} intents, {} outcomes, {} handler runs",
            self.end,
            self.seen.answered.len(),
            self.seen.left,
            self.books.intents,
            self.books.outcomes,
            self.books.handler_runs,
        )
    }
}

/// How long the clients call before the server ends.
const LOAD: Duration = Duration::from_millis(1_500);
