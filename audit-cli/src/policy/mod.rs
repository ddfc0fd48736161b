//! `audit policy`
//!
//! What a policy means is for the library to say; here it is only asked and printed.

mod call;
mod check;
mod explain;
mod shown;

use audit_core::Policy;
use audit_core::policy::PolicyError;

use crate::arguments;
use crate::ending::{Ending, Failure};
use crate::output;
use crate::safe_text::safe;

pub(crate) fn run(arguments: &arguments::Policy, json: bool) -> Result<Ending, Failure> {
    let file = match arguments {
        arguments::Policy::Check(arguments) => &arguments.file,
        arguments::Policy::Explain(arguments) => &arguments.file,
    };
    let policy = match Policy::from_file(file) {
        Ok(policy) => policy,
        Err(error) => return refuse(&error, json),
    };
    match arguments {
        arguments::Policy::Check(arguments) => check::run(&policy, &arguments.file, json),
        arguments::Policy::Explain(arguments) => explain::run(&policy, arguments, json),
    }
}

/// Says what is wrong with a file that no log would load, and where.
fn refuse(error: &PolicyError, json: bool) -> Result<Ending, Failure> {
    eprintln!("audit: {}", safe(&error.to_string()));
    if json {
        let mut answer = serde_json::json!({ "error": error.to_string() });
        if error.mistake().is_some() {
            answer["valid"] = false.into();
        }
        if let Some((line, column)) = error.position() {
            answer["line"] = line.into();
            answer["column"] = column.into();
        }
        output::json(&answer)?;
    }
    Ok(Ending::CouldNotTell)
}
