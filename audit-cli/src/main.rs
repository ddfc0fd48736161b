//! `audit`: checks, reads and proves tamper-evident audit logs.
//!
//! Exit codes: 0 as it should be, 1 the evidence says no, 2 could not tell.

mod arguments;
mod check;
mod ending;
mod grants;
mod keygen;
mod location;
mod output;
mod policy;
mod progress;
mod prove;
mod query;
mod safe_text;
mod table;
mod tail;
mod times;
mod verifier_key;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Verb};
use ending::Ending;

fn main() -> ExitCode {
    let Arguments { json, verb } = Arguments::parse();
    let ended = match verb {
        Verb::Verify(arguments) => verify::run(&arguments, json),
        Verb::Tail(arguments) => tail::run(&arguments, json),
        Verb::Query(arguments) => query::run(&arguments, json),
        Verb::Prove(arguments) => prove::run(&arguments, json),
        Verb::Check(arguments) => check::run(&arguments, json),
        Verb::Grants(arguments) => grants::run(&arguments, json),
        Verb::Keygen(arguments) => keygen::run(&arguments, json),
        Verb::Policy(arguments) => policy::run(&arguments, json),
    };
    match ended {
        Ok(ending) => ending.into(),
        Err(failure) => {
            failure.report(json);
            Ending::CouldNotTell.into()
        }
    }
}
