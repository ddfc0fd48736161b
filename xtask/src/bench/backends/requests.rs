//! How long requests wait while a replica is dead, against the same without one.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

use crate::bench::backends::Bench;
use crate::bench::backends::programs::{figure, figures};
use crate::bench::row::{Row, Table};
use crate::bench::{median, median_of, say};
use crate::command::Result;

/// What callers waited in one turn, in milliseconds.
struct Turn {
    alone: (f64, f64),
    dead: (f64, f64),
}

pub(crate) fn measure(bench: &Bench, table: &mut Table) -> Result {
    say("requests beside a dead replica");
    // Takes connections and never answers: the worst way to be dead.
    let hung = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let alive = bench.store("postgres.toml", 0, "dead")?;
    let (before, after) =
        alive.split_once(&format!(":{}/", bench.kept("postgres_port")?)).ok_or("a URL without port")?;
    let dead = format!("{before}:{}/{after}", hung.local_addr()?.port());

    let mut turns = Vec::new();
    for turn in 0..if bench.quick { 3 } else { 9 } {
        let alone = |turn| requests(bench, &format!("alone-{turn}"), None);
        let beside = |turn| requests(bench, &format!("dead-{turn}"), Some(&dead));
        // Each goes first as often as the other.
        turns.push(if turn % 2 == 0 {
            let alone = alone(turn)?;
            Turn { alone, dead: beside(turn)? }
        } else {
            let dead = beside(turn)?;
            Turn { alone: alone(turn)?, dead }
        });
    }
    for (name, what, wait) in [
        ("p50_alone", "p50 of calls on a file alone", (|turn: &Turn| turn.alone.0) as fn(&Turn) -> f64),
        ("p50_dead", "p50 beside a dead replica", |turn| turn.dead.0),
        ("p99_alone", "p99 of calls on a file alone", |turn| turn.alone.1),
        ("p99_dead", "p99 beside a dead replica", |turn| turn.dead.1),
    ] {
        table.push(Row::new(name, what, median_of(&turns, wait)).unit("ms"));
    }
    let ratio = median(turns.iter().map(|turn| turn.dead.1 / turn.alone.1).collect());
    table.push(Row::new("dead_to_alone", "p99 beside a dead replica, to that without", ratio).at_most(1.2, 1.05));
    Ok(())
}

/// The median and the 99th percentile.
fn requests(bench: &Bench, name: &str, replica: Option<&str>) -> Result<(f64, f64)> {
    let mut requests = Command::new(&bench.programs.measure);
    requests.arg("requests").arg(bench.place(name)).args([RATE, if bench.quick { "3" } else { "6" }]).args(replica);
    let seen = figures(&mut requests)?;
    let seen = seen.first().ok_or("no figures")?;
    Ok((figure(seen, "p50_ms"), figure(seen, "p99_ms")))
}

/// Calls a second: what a busy service sees, and less than half of what the log takes.
const RATE: &str = "2000";
