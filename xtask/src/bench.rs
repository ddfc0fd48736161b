//! `cargo xtask bench`: the budgets, measured side by side.
//!
//! Absolute figures drift from machine to machine and from hour to hour. What is compared runs in
//! turns within one run, and the median of the ratios counts.

mod actix;
mod append;
mod backends;
mod body;
mod disk;
mod h2load;
mod long_log;
mod memory;
mod row;
mod rules;
mod service;
mod spans;
mod tonic;
mod turns;
mod wrk;

use std::path::PathBuf;

use crate::arguments::Arguments;
use crate::command::{self, Result, Scratch, cargo};
use crate::install::{self, Tool};
use crate::server::{self, Profile};

use row::Table;

pub(crate) fn run(options: &[String]) -> Result {
    let mut arguments = Arguments::new(options);
    let json = arguments.flag("--json");
    let quick = arguments.flag("--quick");
    let backends = arguments.flag("--backends");
    let only = arguments.value::<String>("--only")?;
    arguments.end()?;
    // The figures alone go to standard output; `say` and the tools write to standard error.
    let mut table = Table::default();
    if backends {
        backends::measure(quick, only.as_deref(), &mut table)?;
    } else {
        measure(quick, only.as_deref(), &mut table)?;
    }
    if json {
        println!("{}", table.json());
    } else {
        println!("\n{table}");
    }
    match table.missed() {
        0 => Ok(()),
        missed => Err(format!("{missed} floors are missed").into()),
    }
}

/// The budgets of what runs without servers of others.
fn measure(quick: bool, only: Option<&str>, table: &mut Table) -> Result {
    install::install(&TOOLS)?;
    let bench = Bench::prepare(quick)?;
    for (name, part) in PARTS {
        if only.is_none_or(|only| only == name) {
            part(&bench, table).map_err(|error| format!("{name}: {error}"))?;
        }
    }
    Ok(())
}

type Part = fn(&Bench, &mut Table) -> Result;

const PARTS: [(&str, Part); 9] = [
    ("service", service::measure),
    ("actix", actix::measure),
    ("tonic", tonic::measure),
    ("rules", rules::measure),
    ("body", body::measure),
    ("spans", spans::measure),
    ("append", append::measure),
    ("long-log", long_log::measure),
    ("memory", memory::measure),
];

/// The programs that are measured, and where.
#[derive(Debug)]
pub(crate) struct Bench {
    /// Shorter and rougher.
    quick: bool,
    /// Where the programs are.
    programs: PathBuf,
    /// A folder on a real disk.
    scratch: Scratch,
}

impl Bench {
    fn prepare(quick: bool) -> Result<Self> {
        let programs = server::build("examples", &PROGRAMS, Profile::Release)?;
        server::build("audit-cli", &["audit"], Profile::Release)?;
        let mut measure = cargo();
        measure.args(["build", "--quiet", "--release", "--package", "xtask"]);
        command::run(measure.args(["--features", "measure", "--bin", "measure"]))?;
        Ok(Self { quick, programs, scratch: Scratch::new("bench")? })
    }

    fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    fn place(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }
}

/// What is going on, for a person who waits.
fn say(what: &str) {
    eprintln!("… {what}");
}

/// The one in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The middle one of the figures of all rounds.
fn median_of<R>(rounds: &[R], figure: impl Fn(&R) -> f64) -> f64 {
    median(rounds.iter().map(figure).collect())
}

/// The servers that are called.
const PROGRAMS: [&str; 8] = ["axum", "bare", "trace", "actix", "bare-actix", "actix-logger", "tonic", "bare-tonic"];

const TOOLS: [Tool; 3] = [
    Tool { program: "h2load", package: "nghttp2-client", purpose: "calls the gRPC servers" },
    Tool { program: "wrk", package: "wrk", purpose: "calls the servers" },
    Tool { program: "openssl", package: "openssl", purpose: "what `audit verify` is compared with" },
];
