//! Unary gRPC calls of the example service on tonic: bare and audited.

use crate::bench::row::{Row, Table};
use crate::bench::turns::turns;
use crate::bench::{Bench, h2load, median_of, say};
use crate::command::{self, Result};
use crate::server::Server;

pub(crate) fn measure(bench: &Bench, table: &mut Table) -> Result {
    let errors = bench.place("errors");
    let policy = command::root().join("examples/policy-written.toml");
    let audited = ["--log".into(), bench.place("tonic"), "--no-handled".into(), "--policy".into(), policy];
    let bare = Server::start(&bench.program("bare-tonic"), [""; 0], &errors)?;
    let audited = Server::start(&bench.program("tonic"), audited, &errors)?;

    say("tonic servers in turn");
    let servers = [&bare, &audited];
    servers.into_iter().try_for_each(|server| h2load::check(bench, server))?;
    turns(servers, 1, |server| h2load::drive(bench, server, 1))?;
    let (rounds, seconds) = if bench.quick { (3, 2) } else { (7, 4) };
    let rounds = turns(servers, rounds, |server| h2load::drive(bench, server, seconds))?;

    let rate = median_of(&rounds, |[bare, _]| bare.rate);
    table.push(Row::new("tonic_bare", "bare tonic, unary, 128 in flight", rate).unit("req/s"));
    let rate = median_of(&rounds, |[_, audited]| audited.rate);
    table.push(Row::new("tonic_written", "tonic, written", rate).unit("req/s"));
    let to_bare = median_of(&rounds, |[bare, audited]| audited.rate / bare.rate);
    table.push(Row::new("tonic_to_bare", "tonic, written to bare", to_bare).at_least(0.80, 0.90));
    let added = median_of(&rounds, |[bare, audited]| audited.cpu - bare.cpu);
    table.push(Row::new("tonic_cpu", "tonic, server CPU that written adds a call", added).unit("µs"));
    Ok(())
}
