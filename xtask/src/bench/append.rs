//! Appending to a log in memory: what the log itself costs.

use std::process::Command;

use serde_json::Value;

use crate::bench::row::{Row, Table};
use crate::bench::{Bench, median, say};
use crate::command::{self, Result};

pub(crate) fn measure(bench: &Bench, table: &mut Table) -> Result {
    say("appending in memory");
    let records = if bench.quick { "500000" } else { "2000000" };
    let mut rates = Vec::new();
    let mut ratios = Vec::new();
    let mut bytes = f64::NAN;
    for _ in 0..if bench.quick { 2 } else { 5 } {
        let mut append = Command::new(bench.program("measure"));
        let figures = command::output(append.args(["append", records]))?;
        let figures: Value = serde_json::from_str(&figures)?;
        let figure = |name: &str| figures[name].as_f64().unwrap_or(f64::NAN);
        rates.push(figure("appended_per_second"));
        ratios.push(figure("appended_per_second") / figure("hashed_per_second"));
        bytes = figure("line_bytes");
    }
    let what = format!("appends in memory, one producer, lines of {bytes:.0} bytes");
    let row = Row::new("append", what, median(rates)).unit("/s");
    table.push(row.at_least(1_000_000.0, 1_200_000.0));
    let what = "the same, to hashing those bytes with sha2 alone";
    table.push(Row::new("append_to_hash", what, median(ratios)).at_least(0.5, 0.6));
    Ok(())
}
