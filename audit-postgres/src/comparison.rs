//! Whether the columns for queries say what the lines say.

use std::ops::Range;
use std::time::{Duration, Instant};

use audit_core::backend::BackendError;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::columns::Columns;
use crate::rows::Log;
use crate::uuid::Uuid;

/// The rows of `range` in which a column contradicts the line: the number, and a sentence. At most
/// a hundred of them.
pub(crate) fn contradictions(
    log: &Log,
    range: Range<u64>,
    patience: Duration,
) -> Result<Vec<(u64, String)>, BackendError> {
    let statement = format!(
        "SELECT seq, line, time, kind, id, actor_type, actor_id, action, resource, result, status, trace
         FROM {}.lines WHERE log = $1 AND seq >= $2 AND seq < $3 ORDER BY seq",
        log.schema
    );
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
            if let Some(column) = contradicting(row) {
                let detail = format!("the column `{column}` says something else than the line, which is what counts");
                found.push((seq, detail));
            }
        }
        next = end;
    }
    found.truncate(MOST);
    Ok(found)
}

/// The first column that is not what the line says.
fn contradicting(row: &Row) -> Option<&'static str> {
    let line: String = row.try_get("line").ok()?;
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

/// Rows that are read at once: 64 MiB of the longest lines.
const ROWS: u64 = 1_024;

/// More than this says no more than this.
const MOST: usize = 100;
