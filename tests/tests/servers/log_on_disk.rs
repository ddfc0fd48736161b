//! Reading a log as a stranger would: lines of JSON, in files named by their first `seq`.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// The whole lines on disk, in order. Nothing, where there is no log yet.
pub(crate) fn records(log: &Path) -> Vec<Value> {
    let Ok(segments) = fs::read_dir(log.join("segments")) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = segments.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let text: String = paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Those of one kind.
pub(crate) fn of_kind<'a>(records: &'a [Value], kind: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record["kind"] == kind).collect()
}
