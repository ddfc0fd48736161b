//! A function full of audited spans, against the same spans in an ordinary log of JSON lines.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::bench::row::{Row, Table};
use crate::bench::{Bench, median, say};
use crate::command::{self, Result};

pub(crate) fn measure(bench: &Bench, table: &mut Table) -> Result {
    say("spans");
    let calls = if bench.quick { "10000" } else { "40000" };
    let run = |verb: &str, place: &Path| -> Result<f64> {
        let mut measure = Command::new(bench.program("measure"));
        let figures = command::output(measure.arg(verb).arg(place).arg(calls))?;
        let figures: Value = serde_json::from_str(&figures)?;
        Ok(figures["spans_per_second"].as_f64().unwrap_or(f64::NAN))
    };
    let mut rates = Vec::new();
    let mut ratios = Vec::new();
    for round in 0..if bench.quick { 5 } else { 11 } {
        let audited = run("spans", &bench.place(&format!("spans-{round}")))?;
        let formatted = run("json-spans", &bench.place(&format!("spans-{round}.json")))?;
        rates.push(audited);
        ratios.push(audited / formatted);
    }
    table.push(Row::new("spans", "audited spans a second, written to a file", median(rates)).unit("/s"));
    let what = "the same, to fmt().json() and a lossless appender";
    table.push(Row::new("spans_to_json", what, median(ratios)).at_least(1.5, 2.0));
    Ok(())
}
