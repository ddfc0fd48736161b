//! `audit check`

use std::fs;

use audit_core::evidence::TlogProof;
use audit_core::verify::check;

use crate::ending::{Ending, Failure};
use crate::output::{self, Style, has_colours, styled};
use crate::safe_text::safe;
use crate::{arguments, table, verifier_key};

pub(crate) fn run(arguments: &arguments::Check, json: bool) -> Result<Ending, Failure> {
    let key = verifier_key::read(&arguments.key)?;
    let path = &arguments.file;
    let bytes = fs::read(path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
    let proof = TlogProof::parse(&bytes)
        .map_err(|error| Failure::new(format!("{} is not a proof: {error}", path.display())))?;
    match check(&proof, &key) {
        Ok(line) => accept(&proof, line, json),
        Err(error) => refuse(&error.to_string(), json),
    }
}

fn accept(proof: &TlogProof, line: &[u8], json: bool) -> Result<Ending, Failure> {
    let checkpoint = proof.checkpoint.checkpoint();
    if json {
        let record: serde_json::Value = serde_json::from_slice(line)?;
        output::json(&serde_json::json!({
            "proved": true,
            "seq": proof.index,
            "size": checkpoint.size,
            "origin": checkpoint.origin,
            "line": String::from_utf8_lossy(line),
            "record": record,
        }))?;
    } else {
        let colours = has_colours();
        output::line(format!(
            "{}: record {} of the log {}, as signed over {} records\n{}",
            styled("proved", Style::Good, colours),
            proof.index,
            safe(&checkpoint.origin),
            checkpoint.size,
            table::row(line, colours)
        ))?;
    }
    Ok(Ending::AsItShouldBe)
}

fn refuse(why: &str, json: bool) -> Result<Ending, Failure> {
    if json {
        output::json(&serde_json::json!({ "proved": false, "error": why }))?;
    } else {
        output::line(format!("{}: {}", styled("not proved", Style::Bad, has_colours()), safe(why)))?;
    }
    Ok(Ending::EvidenceSaysNo)
}
