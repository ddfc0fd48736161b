//! The example service on Actix: bare, with Actix's own logger writing the same facts, audited.

use crate::bench::row::{Row, Table};
use crate::bench::turns::turns;
use crate::bench::wrk::{Load, drive};
use crate::bench::{Bench, median_of, say};
use crate::command::{self, Result};
use crate::server::Server;

pub(crate) fn measure(bench: &Bench, table: &mut Table) -> Result {
    let errors = bench.place("errors");
    let policy = command::root().join("examples/policy-written.toml");
    let audited = ["--log".into(), bench.place("actix"), "--no-handled".into(), "--policy".into(), policy];
    let bare = Server::start(&bench.program("bare-actix"), [""; 0], &errors)?;
    let logger = Server::start(&bench.program("actix-logger"), ["--log".into(), bench.place("actix.log")], &errors)?;
    let audited = Server::start(&bench.program("actix"), audited, &errors)?;

    say("actix servers in turn");
    let load = Load { connections: 64, seconds: if bench.quick { 2 } else { 4 }, pause: 0 };
    let rounds = if bench.quick { 3 } else { 7 };
    let servers = [&bare, &logger, &audited];
    turns(servers, 1, |server| drive(bench, server, Load { seconds: 1, ..load }))?;
    let rounds = turns(servers, rounds, |server| drive(bench, server, load))?;

    let rate = median_of(&rounds, |[bare, _, _]| bare.rate);
    table.push(Row::new("actix_bare", "bare actix, 64 connections", rate).unit("req/s"));
    let rate = median_of(&rounds, |[_, _, audited]| audited.rate);
    table.push(Row::new("actix_written", "actix, written", rate).unit("req/s"));
    let to_bare = median_of(&rounds, |[bare, _, audited]| audited.rate / bare.rate);
    table.push(Row::new("actix_to_bare", "actix, written to bare", to_bare).at_least(0.80, 0.90));
    let to_logger = median_of(&rounds, |[_, logger, audited]| audited.rate / logger.rate);
    let what = "actix, written to middleware::Logger into a file";
    table.push(Row::new("actix_to_logger", what, to_logger).at_least(1.5, 1.8));
    let added = median_of(&rounds, |[bare, _, audited]| audited.cpu - bare.cpu);
    table.push(Row::new("actix_cpu", "actix, server CPU that written adds a request", added).unit("µs"));
    Ok(())
}
