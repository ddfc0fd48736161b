//! A log of ten million records: opening, proving, verifying.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::bench::row::{Row, Table};
use crate::bench::{Bench, median, say};
use crate::command::{self, Result};

pub(crate) fn measure(bench: &Bench, table: &mut Table) -> Result {
    let long = if bench.quick { 1_000_000 } else { 10_000_000 };
    say(&format!("making a log of {long} records"));
    let short = generate(bench, "short", 10_000)?;
    let long_log = generate(bench, "long", long)?;
    open(bench, &short, &long_log, long, table)?;
    prove(bench, &long_log, long, table)?;
    verify(bench, &long_log, table)
}

fn generate(bench: &Bench, name: &str, records: u64) -> Result<PathBuf> {
    let directory = bench.place(name);
    let mut generate = Command::new(bench.program("measure"));
    generate.arg("generate").arg(&directory);
    command::output(generate.arg(records.to_string()))?;
    Ok(directory)
}

fn open(bench: &Bench, short: &Path, long: &Path, records: u64, table: &mut Table) -> Result {
    say("opening");
    let time = |directory: &Path| -> Result<f64> {
        let mut open = Command::new(bench.program("measure"));
        let times = command::output(open.arg("open").arg(directory).arg("9"))?;
        Ok(median(times.lines().filter_map(|line| line.parse().ok()).collect()))
    };
    let (short, long) = (time(short)?, time(long)?);
    let what = format!("opening a log of {records} records");
    table.push(Row::new("open", what, long).unit("ms").at_most(100.0, 20.0));
    let what = "the same, to opening one of 10000";
    table.push(Row::new("open_to_short", what, long / short).at_most(2.0, 1.2));
    Ok(())
}

/// The whole program is timed, its start included.
fn prove(bench: &Bench, log: &Path, records: u64, table: &mut Table) -> Result {
    say("proving");
    let file = bench.place("proof");
    let mut times = Vec::new();
    let mut sizes = Vec::new();
    for step in 1..=20 {
        let mut prove = Command::new(bench.program("audit"));
        prove.arg("prove").arg(log).arg((records / 21 * step).to_string());
        prove.arg("-o").arg(&file);
        let start = Instant::now();
        command::output(&mut prove)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        sizes.push(size_without_line(&fs::read_to_string(&file)?)?);
        let _ = fs::remove_file(&file);
    }
    let what = format!("`audit prove` from {records} records");
    table.push(Row::new("prove", what, median(times)).unit("ms").at_most(5.0, 3.0));
    let largest = sizes.into_iter().fold(f64::NAN, f64::max);
    let row = Row::new("proof_bytes", "the largest of those proofs, without its line", largest);
    table.push(row.unit("bytes").at_most(2_048.0, 1_536.0));
    Ok(())
}

/// The length of a proof (C2SP tlog-proof) without its `extra` line.
fn size_without_line(proof: &str) -> Result<f64> {
    let bytes: usize = proof.split_inclusive('\n').filter(|line| !line.starts_with("extra ")).map(str::len).sum();
    Ok(f64::from(u32::try_from(bytes)?))
}

fn verify(bench: &Bench, log: &Path, table: &mut Table) -> Result {
    say("verifying");
    let mut ratios = Vec::new();
    let mut times = Vec::new();
    for _ in 0..if bench.quick { 3 } else { 5 } {
        let mut openssl = Command::new("openssl");
        openssl.args(["dgst", "-sha256"]).args(segments(log)?);
        let hashed = timed(&mut openssl)?;
        let mut verify = Command::new(bench.program("audit"));
        verify.arg("verify").arg(log).arg("--json");
        let (verified, verdict) = timed_output(verify.arg("--key").arg(log.join("log.pub")))?;
        let verdict: Value = serde_json::from_str(&verdict)?;
        if verdict["verdict"] != "intact" {
            return Err(format!("the log that was measured is {}", verdict["verdict"]).into());
        }
        ratios.push(verified / hashed);
        times.push(verified);
    }
    table.push(Row::new("verify", "`audit verify` of it", median(times)).unit("s"));
    let what = "the same, to `openssl dgst -sha256` of its bytes";
    table.push(Row::new("verify_to_openssl", what, median(ratios)).at_most(1.0, 0.8));
    Ok(())
}

fn timed(command: &mut Command) -> Result<f64> {
    Ok(timed_output(command)?.0)
}

fn timed_output(command: &mut Command) -> Result<(f64, String)> {
    let start = Instant::now();
    let output = command::output(command)?;
    Ok((start.elapsed().as_secs_f64(), output))
}

fn segments(log: &Path) -> Result<Vec<PathBuf>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(log.join("segments"))? {
        segments.push(entry?.path());
    }
    segments.sort();
    Ok(segments)
}
