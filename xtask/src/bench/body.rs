//! What hashing and keeping a prefix of an upload costs.

use std::process::Command;

use serde_json::Value;

use crate::bench::row::{Row, Table};
use crate::bench::{Bench, median, say};
use crate::command::{self, Result};

pub(crate) fn measure(bench: &Bench, table: &mut Table) -> Result {
    say("bodies of 1 MiB");
    let bodies = if bench.quick { "200" } else { "1000" };
    let mut ratios = Vec::new();
    for _ in 0..5 {
        let mut measure = Command::new(bench.program("measure"));
        let figures: Value = serde_json::from_str(&command::output(measure.args(["body", bodies]))?)?;
        let figure = |name: &str| figures[name].as_f64().unwrap_or(f64::NAN);
        ratios.push(figure("recorded_ns") / figure("hashed_ns"));
    }
    let what = "CPU of recording a body of 1 MiB, to sha2 over the same bytes";
    table.push(Row::new("body_to_hash", what, median(ratios)).at_most(1.3, 1.1));
    Ok(())
}
