//! One batch as one statement.

use std::borrow::Cow;
use std::time::{Instant, SystemTime};

use audit_core::backend::{BackendError, Batch, Head, contract};
use tokio_postgres::types::Type;

use crate::columns::Columns;
use crate::fault::Effect;
use crate::inspection;
use crate::rows::{self, Log};
use crate::uuid::Uuid;

/// Appends `batch`, or recognises it.
pub(crate) fn append(log: &Log, expected: Head, batch: &Batch<'_>, deadline: Instant) -> Result<(), BackendError> {
    contract::check_batch(expected, batch)?;
    let (mut head, mut skip) = (expected, 0);
    // Again once the rows that are there have been recognised; a head that moves on while this writer
    // looks is another writer's, and the next look says so.
    for _ in 0..ATTEMPTS {
        let Some(after) = batch.head().filter(|after| after.size > head.size) else {
            return Ok(());
        };
        let found = send(log, head, after, &Arrays::of(batch, skip)?, deadline)?;
        if found.appended {
            return Ok(());
        }
        skip = contract::already_here(found.head, expected, batch, |range| log.lines(&range, deadline))?;
        head = found.head;
    }
    Err(contract::conflict(head))
}

/// Whether commits still wait for another server, where receipts say that they do: asked after the commit,
/// as the setting may have changed while it waited. The lines are there, and recognised next time.
pub(crate) fn still_replicated(log: &Log, deadline: Instant) -> Result<(), BackendError> {
    const DOING: &str = "appending on two machines";
    let source: Box<dyn std::error::Error + Send + Sync> = match inspection::is_replicated(&log.server, deadline) {
        Ok(true) => return Ok(()),
        Ok(false) => "commits do not wait for another server any more: set synchronous_standby_names again, \
                      or open the log again without"
            .into(),
        Err(error) => error.into(),
    };
    Err(BackendError::Unknown { doing: DOING, source })
}

struct Answer {
    appended: bool,
    head: Head,
}

fn send(log: &Log, before: Head, after: Head, arrays: &Arrays<'_>, deadline: Instant) -> Result<Answer, BackendError> {
    let statement = format!(
        "SELECT size, leaf, appended FROM {}.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        log.schema
    );
    let size = i64::try_from(before.size).unwrap_or(i64::MAX);
    let (leaf, new_leaf) = (before.leaf.as_bytes().as_slice(), after.leaf.as_bytes().as_slice());
    let rows = log.server.query(
        "appending",
        Effect::Commits,
        deadline,
        &statement,
        &[
            (&log.name, Type::TEXT),
            (&size, Type::INT8),
            (&leaf, Type::BYTEA),
            (&new_leaf, Type::BYTEA),
            (&arrays.lines, Type::TEXT_ARRAY),
            (&arrays.times, Type::TIMESTAMPTZ_ARRAY),
            (&arrays.kinds, Type::TEXT_ARRAY),
            (&arrays.ids, Type::UUID_ARRAY),
            (&arrays.actor_types, Type::TEXT_ARRAY),
            (&arrays.actor_ids, Type::TEXT_ARRAY),
            (&arrays.actions, Type::TEXT_ARRAY),
            (&arrays.resources, Type::TEXT_ARRAY),
            (&arrays.results, Type::TEXT_ARRAY),
            (&arrays.statuses, Type::INT4_ARRAY),
            (&arrays.traces, Type::TEXT_ARRAY),
        ],
    )?;
    let answer = rows.first().and_then(|row| Some(Answer { head: rows::head(row)?, appended: row.try_get(2).ok()? }));
    answer.ok_or_else(|| BackendError::Misconfigured {
        detail: format!("the function {}.append answers with other columns than it should", log.schema),
    })
}

/// The rows of a batch, column by column.
#[derive(Default)]
struct Arrays<'a> {
    lines: Vec<&'a str>,
    times: Vec<Option<SystemTime>>,
    kinds: Texts<'a>,
    ids: Vec<Option<Uuid>>,
    actor_types: Texts<'a>,
    actor_ids: Texts<'a>,
    actions: Texts<'a>,
    resources: Texts<'a>,
    results: Texts<'a>,
    statuses: Vec<Option<i32>>,
    traces: Texts<'a>,
}

type Texts<'a> = Vec<Option<Cow<'a, str>>>;

impl<'a> Arrays<'a> {
    fn of(batch: &Batch<'a>, skip: usize) -> Result<Self, BackendError> {
        let mut arrays = Self::default();
        let mut start = contract::start_of(batch, skip);
        for (at, end) in batch.ends.iter().enumerate().skip(skip) {
            let line = batch.bytes.get(start..*end).and_then(|line| line.strip_suffix(b"\n")).unwrap_or_default();
            start = *end;
            let text = std::str::from_utf8(line).ok().filter(|text| !text.contains('\0'));
            let Some(text) = text else {
                return Err(BackendError::Misconfigured {
                    detail: format!(
                        "line {} is not UTF-8 text without NUL: no record is like that, and PostgreSQL cannot hold it",
                        batch.first + at as u64
                    ),
                });
            };
            arrays.push(text);
        }
        Ok(arrays)
    }

    fn push(&mut self, line: &'a str) {
        let columns = Columns::of(line.as_bytes());
        let id = columns.id.map(Uuid::from);
        self.lines.push(line);
        self.times.push(columns.time);
        self.kinds.push(columns.kind);
        self.ids.push(id);
        self.actor_types.push(columns.actor_type);
        self.actor_ids.push(columns.actor_id);
        self.actions.push(columns.action);
        self.resources.push(columns.resource);
        self.results.push(columns.result);
        self.statuses.push(columns.status);
        self.traces.push(columns.trace);
    }
}

/// How often a batch is sent in one call: as it is, and without the lines that are there.
const ATTEMPTS: usize = 3;
