//! Reading a log as a stranger would: lines of JSON, in files named by their first `seq`.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::Value;

use crate::command::Result;

/// What a log says happened, and what its handlers did.
#[derive(Debug, Default)]
pub(crate) struct Books {
    /// What names the refunds that were about to be made: their id over HTTP, their trace over gRPC.
    pub(crate) refunds: HashSet<String>,
    pub(crate) intents: u64,
    pub(crate) outcomes: u64,
    /// How many records of any kind there are.
    pub(crate) records: u64,
    /// How many handlers ran, counted by themselves and beside the log.
    pub(crate) handler_runs: u64,
}

impl Books {
    /// Reads the log in `directory`.
    pub(crate) fn read(directory: &Path) -> Result<Self> {
        let handled = fs::metadata(directory.with_extension("handled"))?;
        let mut books = Self { handler_runs: handled.len(), ..Self::default() };
        for segment in segments(directory)? {
            for line in BufReader::new(File::open(segment)?).lines() {
                books.enter(&serde_json::from_str(&line?)?);
            }
        }
        Ok(books)
    }

    fn enter(&mut self, record: &Value) {
        self.records += 1;
        self.outcomes += u64::from(record["kind"] == "outcome");
        if record["kind"] != "intent" {
            return;
        }
        self.intents += 1;
        let resource = record["resource"].as_str().and_then(|path| path.strip_prefix("/v1/refunds/"));
        if let Some(name) = resource.or_else(|| record["trace"].as_str()) {
            self.refunds.insert(name.to_owned());
        }
    }
}

/// The files that hold the lines, in order.
fn segments(directory: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(directory.join("segments"))? {
        segments.push(entry?.path());
    }
    segments.sort();
    Ok(segments)
}
