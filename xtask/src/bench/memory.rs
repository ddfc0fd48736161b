//! What ten thousand calls in flight cost in memory.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::bench::row::{Row, Table};
use crate::bench::{Bench, say};
use crate::command::Result;
use crate::server::Server;

pub(crate) fn measure(bench: &Bench, table: &mut Table) -> Result {
    say("ten thousand calls in flight");
    raise_open_files()?;
    let log = ["--log".into(), bench.place("in-flight"), "--no-handled".into()];
    let bare = resident(bench, "bare", &[])?;
    let audit = resident(bench, "axum", &log)?;
    let what = format!("memory above bare at {CALLS} calls in flight");
    let row = Row::new("memory", what, audit - bare).unit("MiB");
    table.push(row.at_most(64.0, 48.0));
    Ok(())
}

/// The memory, in MiB, that a server holds while all calls wait in their handlers.
fn resident(bench: &Bench, program: &str, arguments: &[PathBuf]) -> Result<f64> {
    let errors = bench.place("errors");
    let server = Server::start(&bench.program(program), arguments, &errors)?;
    let mut calls = Command::new("wrk")
        .args(["--threads", "1", "--timeout", "60s", "--duration", "60s"])
        .arg(format!("--connections={CALLS}"))
        .arg(format!("http://{}/v1/slow?ms=60000", server.address()))
        .stdout(Stdio::null())
        .spawn()?;
    let arrived = wait_for_calls(server.id());
    // The last to arrive still have to get through the log.
    thread::sleep(Duration::from_secs(2));
    let resident = resident_mebibytes(server.id());
    calls.kill()?;
    calls.wait()?;
    arrived?;
    resident
}

/// Waits until the server has all connections open.
fn wait_for_calls(id: u32) -> Result {
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        if fs::read_dir(format!("/proc/{id}/fd"))?.count() >= CALLS {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Err(format!("{CALLS} connections did not come about in 30 s").into())
}

fn resident_mebibytes(id: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = resident.and_then(|line| line.split_whitespace().next());
    let kibibytes: f64 = kibibytes.ok_or("no VmRSS")?.parse()?;
    Ok(kibibytes / 1024.0)
}

/// Lets this process and those it starts hold a socket for every call.
fn raise_open_files() -> Result {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = CALLS as u64 + 1_000;
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(wanted);
        setrlimit(Resource::Nofile, limit)
            .map_err(|error| format!("cannot open {wanted} files (ulimit -n): {error}"))?;
    }
    Ok(())
}

const CALLS: usize = 10_000;
