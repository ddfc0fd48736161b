//! Whether replicas keep up with a file primary that takes 20,000 records a second.

use std::process::Command;

use crate::bench::backends::Bench;
use crate::bench::backends::programs::{figure, figures};
use crate::bench::row::{Row, Table};
use crate::bench::say;
use crate::command::Result;

pub(crate) fn measure(bench: &Bench, table: &mut Table) -> Result {
    for (name, lag, server, file, number) in [
        ("replicated_postgres", "lag_postgres", "PostgreSQL", "postgres.toml", 0),
        ("replicated_nats", "lag_nats", "NATS that syncs first", "nats.toml", 0),
        ("replicated_nats_three", "lag_nats_three", "three of NATS, TLS", "nats.toml", 1),
        ("replicated_s3", "lag_s3", "Ceph's S3", "s3.toml", 1),
    ] {
        say(&format!("a replica in {server}"));
        let url = bench.store(file, number, &format!("replica-{number}"))?;
        let mut replicate = Command::new(&bench.programs.measure);
        replicate.arg("replicate").arg(bench.place(name)).arg(url);
        replicate.args([RATE, if bench.quick { "3" } else { "10" }]);
        for seen in figures(&mut replicate)? {
            let what = format!("records that a replica in {server} got from a file, of {RATE} a second");
            let row = Row::new(name, what, figure(&seen, "replicated_per_second")).unit("/s");
            table.push(row.at_least(20_000.0, 20_900.0));
            let what = format!("how soon the replica in {server} had the rest");
            table.push(Row::new(lag, what, figure(&seen, "caught_up_ms")).unit("ms"));
        }
    }
    Ok(())
}

/// A little more than it has to keep up with, so that the figure is not cut off at its floor.
const RATE: &str = "21000";
