//! The example service on axum: without a log, with an ordinary one, and with the audit log.

use std::path::PathBuf;

use crate::bench::row::{Row, Table};
use crate::bench::turns::turns;
use crate::bench::wrk::{Load, Seen, drive};
use crate::bench::{Bench, disk, median, median_of, say};
use crate::command::{self, Result};
use crate::server::Server;

/// The servers, all running from start to end; those that are not called sleep.
struct Servers {
    bare: Server,
    trace: Server,
    /// The audit layer with the policy that nobody wrote: `synced`, `deny`.
    default: Server,
    written: Server,
}

/// What each server did in one round.
struct Round {
    bare: Seen,
    trace: Seen,
    default: Seen,
    written: Seen,
}

pub(crate) fn measure(bench: &Bench, table: &mut Table) -> Result {
    let servers = Servers::start(bench)?;
    let load = Load { connections: 64, seconds: if bench.quick { 2 } else { 4 }, pause: 0 };
    say("warming up");
    servers.rounds(bench, Load { seconds: 1, ..load }, 1)?;
    say("axum servers in turn");
    let rounds = servers.rounds(bench, load, if bench.quick { 3 } else { 7 })?;
    let rate = median_of(&rounds, |round| round.default.rate);
    let bare = median_of(&rounds, |round| round.bare.rate);
    table.push(Row::new("bare", "bare axum, 64 connections", bare).unit("req/s"));
    table.push(Row::new("default", "default policy (synced, deny)", rate).unit("req/s"));
    let ratio = median_of(&rounds, |round| round.default.rate / round.bare.rate);
    table.push(Row::new("default_to_bare", "default policy to bare", ratio));
    half_load(bench, &servers, rate, table)?;
    written(&rounds, table);
    synced_at_256(bench, &servers, table)
}

impl Servers {
    fn start(bench: &Bench) -> Result<Self> {
        let errors = bench.place("errors");
        let start = |program: &str, arguments: Vec<PathBuf>| Server::start(&bench.program(program), arguments, &errors);
        let log = |name: &str| vec!["--log".into(), bench.place(name), "--no-handled".into()];
        let mut written = log("written");
        let policy = command::root().join("examples/policy-written.toml");
        written.extend(["--policy".into(), policy]);
        Ok(Self {
            bare: start("bare", Vec::new())?,
            trace: start("trace", vec!["--log".into(), bench.place("trace.jsonl")])?,
            default: start("axum", log("default"))?,
            written: start("axum", written)?,
        })
    }

    /// Calls all servers in turn, so many times.
    fn rounds(&self, bench: &Bench, load: Load, count: usize) -> Result<Vec<Round>> {
        let servers = [&self.bare, &self.trace, &self.default, &self.written];
        let rounds = turns(servers, count, |server| drive(bench, server, load))?;
        Ok(rounds.into_iter().map(|[bare, trace, default, written]| Round { bare, trace, default, written }).collect())
    }
}

/// What a caller waits when the service is half as busy as it can be.
fn half_load(bench: &Bench, servers: &Servers, rate: f64, table: &mut Table) -> Result {
    say("half load");
    let load = paced(bench, &servers.default, 256, rate / 2.0)?;
    let bare = drive(bench, &servers.bare, load)?;
    let default = drive(bench, &servers.default, load)?;
    let share = default.rate / rate;
    for (name, what, value) in [
        ("half_load", "load of the next rows, of what default can", share),
        ("p50_bare", "bare, p50 at that load", bare.p50),
        ("p50_default", "default policy, p50 at that load", default.p50),
        ("p99_bare", "bare, p99 at that load", bare.p99),
        ("p99_default", "default policy, p99 at that load", default.p99),
    ] {
        let unit = if name == "half_load" { "×" } else { "ms" };
        table.push(Row::new(name, what, value).unit(unit));
    }
    Ok(())
}

fn written(rounds: &[Round], table: &mut Table) {
    let rate = median_of(rounds, |round| round.written.rate);
    table.push(Row::new("written", "written", rate).unit("req/s"));
    let to_bare = median_of(rounds, |round| round.written.rate / round.bare.rate);
    table.push(Row::new("written_to_bare", "written to bare", to_bare).at_least(0.80, 0.90));
    let to_trace = median_of(rounds, |round| round.written.rate / round.trace.rate);
    let what = "written to TraceLayer + JSON + lossless appender";
    table.push(Row::new("written_to_trace", what, to_trace).at_least(1.6, 1.8));
    for (name, what, cpu) in [
        ("cpu_bare", "server CPU a request, bare", (|round| round.bare.cpu) as fn(&Round) -> f64),
        ("cpu_trace", "server CPU a request, TraceLayer", |round| round.trace.cpu),
        ("cpu_written", "server CPU a request, written", |round| round.written.cpu),
        ("cpu_default", "server CPU a request, default policy", |round| round.default.cpu),
    ] {
        table.push(Row::new(name, what, median_of(rounds, cpu)).unit("µs"));
    }
    let added = median_of(rounds, |round| (round.written.cpu - round.bare.cpu) / (round.trace.cpu - round.bare.cpu));
    let what = "CPU that written adds, of what TraceLayer adds";
    table.push(Row::new("cpu_added", what, added).at_most(0.35, 0.20));
}

fn synced_at_256(bench: &Bench, servers: &Servers, table: &mut Table) -> Result {
    say("256 connections");
    let load = Load { connections: 256, seconds: if bench.quick { 2 } else { 4 }, pause: 0 };
    let mut ratios = Vec::new();
    let mut rates = Vec::new();
    for _ in 0..if bench.quick { 2 } else { 5 } {
        let synced = drive(bench, &servers.default, load)?;
        let written = drive(bench, &servers.written, load)?;
        ratios.push(synced.rate / written.rate);
        rates.push(synced.rate);
    }
    let what = "synced to written, 256 connections";
    table.push(Row::new("synced_to_written", what, median(ratios)).at_least(0.8, 0.9));

    let commit = disk::group_commit(bench)?;
    table.push(Row::new("group_commit", "one group commit of this disk", commit).unit("ms"));
    let load = paced(bench, &servers.default, 256, median(rates) / 2.0)?;
    let synced = drive(bench, &servers.default, load)?;
    let written = drive(bench, &servers.written, load)?;
    let commits = (synced.p50 - written.p50) / commit;
    let what = "synced, p50 above written at half load, in group commits";
    table.push(Row::new("synced_p50_commits", what, commits).at_most(1.5, 1.0));
    Ok(())
}

/// A load of about `rate` requests per second: trials tell what a call takes besides its pause.
fn paced(bench: &Bench, server: &Server, connections: u32, rate: f64) -> Result<Load> {
    let cycle_ms = f64::from(connections) / rate * 1e3;
    let mut load = Load { connections, seconds: 1, pause: whole(cycle_ms) };
    for _ in 0..3 {
        let seen = drive(bench, server, load)?;
        let call_ms = f64::from(connections) / seen.rate * 1e3 - f64::from(load.pause);
        load.pause = whole(cycle_ms - call_ms);
    }
    load.seconds = if bench.quick { 2 } else { 6 };
    Ok(load)
}

/// Milliseconds as `wrk` takes them.
fn whole(pause_ms: f64) -> u32 {
    pause_ms.round().clamp(1.0, 1e3) as u32
}
