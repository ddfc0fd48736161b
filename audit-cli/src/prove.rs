//! `audit prove`

use std::fs;
use std::io::{self, Write as _};

use audit_core::verify::prove;

use crate::arguments;
use crate::ending::{Ending, Failure};
use crate::output;
use crate::safe_text::safe;

pub(crate) fn run(arguments: &arguments::Prove, json: bool) -> Result<Ending, Failure> {
    let log = arguments.place.open()?;
    let proof = match prove(&*log, arguments.seq) {
        Ok(proof) => proof,
        Err(error) if error.is_tampering() => {
            eprintln!("audit: {}", safe(&error.to_string()));
            if json {
                output::json(&serde_json::json!({ "proved": false, "error": error.to_string() }))?;
            }
            return Ok(Ending::EvidenceSaysNo);
        }
        Err(error) => return Err(error.into()),
    };
    let bytes = proof.to_bytes();
    if let Some(path) = &arguments.out {
        fs::write(path, &bytes).map_err(|error| Failure::new(format!("writing {}: {error}", path.display())))?;
    }
    let checkpoint = proof.checkpoint.checkpoint();
    if json {
        let mut said = serde_json::json!({
            "proved": true,
            "seq": proof.index,
            "size": checkpoint.size,
            "origin": checkpoint.origin,
        });
        if arguments.out.is_none() {
            said["proof"] = String::from_utf8_lossy(&bytes).into();
        }
        output::json(&said)?;
    } else if arguments.out.is_none() {
        output::still_there(io::stdout().write_all(&bytes))?;
    }
    Ok(Ending::AsItShouldBe)
}
