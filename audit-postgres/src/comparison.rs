//! Whether the columns for queries say what the lines say.

use std::ops::Range;
use std::time::{Duration, Instant};

use audit_core::backend::BackendError;
use audit_core::record::Record;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::columns::Columns;
use crate::rows::{LINE, Log, is_one_line};
use crate::uuid::Uuid;

/// The rows of `range` in which a column contradicts the line: the number, and a sentence. At most
/// a hundred of them.
pub(crate) fn contradictions(
    log: &Log,
    range: Range<u64>,
    patience: Duration,
) -> Result<Vec<(u64, String)>, BackendError> {
    let statement = statement(&log.schema);
    let mut found = Vec::new();
    let mut next = range.start;
    while next < range.end && found.len() < MOST {
        let end = range.end.min(next + ROWS);
        let bounds = [next, end].map(|bound| i64::try_from(bound).unwrap_or(i64::MAX));
        let [from, to] = &bounds;
        let rows = log.server.read(
            "comparing columns with lines",
            Instant::now() + patience,
            &statement,
            &[(&log.name, Type::TEXT), (from, Type::INT8), (to, Type::INT8)],
        )?;
        for row in &rows {
            let seq = row.try_get::<_, i64>(0).ok().and_then(|seq| u64::try_from(seq).ok()).unwrap_or(next);
            found.extend(contradiction(row).map(|detail| (seq, detail)));
        }
        next = end;
    }
    found.truncate(MOST);
    Ok(found)
}

/// Text comes only where the whole row has no more of it than a record can give.
fn statement(schema: &str) -> String {
    let texts = TEXTS.join(", ");
    let fitting = TEXTS.map(|name| format!("CASE WHEN fits THEN {name} END AS {name}")).join(", ");
    format!(
        "SELECT seq, fits, time, id, status, {fitting} FROM (
           SELECT seq, time, id, status, {texts}, octet_length(concat({texts})) <= {TEXT} AS fits
           FROM {schema}.lines WHERE log = $1 AND seq >= $2 AND seq < $3
         ) AS measured ORDER BY seq"
    )
}

/// What is wrong with a row.
fn contradiction(row: &Row) -> Option<String> {
    if !row.try_get::<_, bool>("fits").unwrap_or(false) {
        return Some("the row holds more than a record and its columns can".to_owned());
    }
    let line: String = row.try_get("line").ok()?;
    if !is_one_line(&line) || Record::parse(line.as_bytes()).is_err() {
        return Some("the row holds no record".to_owned());
    }
    let column = contradicting(row, &line)?;
    Some(format!("the column `{column}` says something else than the line, which is what counts"))
}

/// The first column that is not what the line says.
fn contradicting(row: &Row, line: &str) -> Option<&'static str> {
    let expected = Columns::of(line.as_bytes());
    let texts = [
        ("kind", &expected.kind),
        ("actor_type", &expected.actor_type),
        ("actor_id", &expected.actor_id),
        ("action", &expected.action),
        ("resource", &expected.resource),
        ("result", &expected.result),
        ("trace", &expected.trace),
    ];
    for (name, value) in texts {
        if row.try_get::<_, Option<&str>>(name).ok()? != value.as_deref() {
            return Some(name);
        }
    }
    if row.try_get::<_, Option<std::time::SystemTime>>("time").ok()? != expected.time {
        return Some("time");
    }
    if row.try_get::<_, Option<Uuid>>("id").ok()? != expected.id.map(Uuid::from) {
        return Some("id");
    }
    (row.try_get::<_, Option<i32>>("status").ok()? != expected.status).then_some("status")
}

/// Rows that are read at once: 64 MiB of the longest.
const ROWS: u64 = 512;

/// The most bytes of text in a row: the longest line, and as much again.
const TEXT: usize = 2 * LINE;

/// The columns that hold text.
const TEXTS: [&str; 8] = ["line", "kind", "actor_type", "actor_id", "action", "resource", "result", "trace"];

/// More than this says no more than this.
const MOST: usize = 100;
