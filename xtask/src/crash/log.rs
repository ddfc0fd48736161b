//! Reading a log as a stranger would: lines of JSON, in files named by their first `seq`.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::Value;

use crate::command::Result;

/// What a log says was about to happen.
#[derive(Debug, Default)]
pub(crate) struct Intents {
    /// The ids of the refunds among them.
    pub(crate) refunds: HashSet<String>,
    /// How many intents there are.
    pub(crate) count: u64,
    /// How many records of any kind.
    pub(crate) records: u64,
}

/// Reads the intents of the log in `directory`.
pub(crate) fn intents(directory: &Path) -> Result<Intents> {
    let mut intents = Intents::default();
    for segment in segments(directory)? {
        for line in BufReader::new(File::open(segment)?).lines() {
            let record: Value = serde_json::from_str(&line?)?;
            intents.records += 1;
            if record["kind"] != "intent" {
                continue;
            }
            intents.count += 1;
            let resource = record["resource"].as_str().unwrap_or_default();
            if let Some(id) = resource.strip_prefix("/v1/refunds/") {
                intents.refunds.insert(id.to_owned());
            }
        }
    }
    Ok(intents)
}

/// The files that hold the lines, in order.
pub(crate) fn segments(directory: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(directory.join("segments"))? {
        segments.push(entry?.path());
    }
    segments.sort();
    Ok(segments)
}
