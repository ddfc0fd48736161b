//! What a long policy costs: the same service under one rule and under a hundred.

use std::fmt::Write as _;
use std::fs;

use crate::bench::row::{Row, Table};
use crate::bench::turns::turns;
use crate::bench::wrk::{Load, drive};
use crate::bench::{Bench, median_of, say};
use crate::command::Result;
use crate::server::Server;

pub(crate) fn measure(bench: &Bench, table: &mut Table) -> Result {
    let one = start(bench, 0)?;
    let many = start(bench, 99)?;
    say("one rule and a hundred in turn");
    let load = Load { connections: 64, seconds: 2, pause: 0 };
    let servers = [&one, &many];
    turns(servers, 1, |server| drive(bench, server, Load { seconds: 1, ..load }))?;
    let rounds = turns(servers, if bench.quick { 5 } else { 15 }, |server| drive(bench, server, load))?;
    let ratio = median_of(&rounds, |[one, many]| many.cpu / one.cpu);
    let what = "server CPU a request, a hundred rules to one";
    table.push(Row::new("rules_cpu", what, ratio).at_most(1.03, 1.01));
    Ok(())
}

/// A server whose last rule decides, after `before` others of every kind that do not match.
fn start(bench: &Bench, before: usize) -> Result<Server> {
    let mut policy = String::new();
    for number in 0..before {
        let condition = match number % 3 {
            0 => format!("methods = [\"POST\", \"PUT\"]\npaths = [\"/v{number}/refunds/**\", \"/v{number}/*/lines\"]"),
            1 => format!("actors = [\"service_account\"]\npaths = [\"/v1/accounts/{number}/**\"]"),
            _ => format!("actor_ids = [\"system:serviceaccount:team-{number}:*\"]"),
        };
        write!(policy, "[[rule]]\nname = \"rule-{number}\"\n{condition}\ndurability = \"synced\"\n\n")?;
    }
    policy.push_str("[[rule]]\nname = \"written\"\ndurability = \"written\"\n");
    let file = bench.place(&format!("policy-{before}.toml"));
    fs::write(&file, policy)?;
    let log = bench.place(&format!("rules-{before}"));
    let arguments = ["--log".into(), log, "--no-handled".into(), "--policy".into(), file];
    Server::start(&bench.program("axum"), arguments, &bench.place("errors"))
}
