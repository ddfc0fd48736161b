//! Taking a log: what is there, and whether it is what was left.

use std::time::Instant;

use audit_core::backend::{BackendError, Head, Opened, Recovery, contract};
use audit_core::evidence::{CompactRange, Hash, SignedCheckpoint, leaf_hash};
use audit_core::record::Frame;

use crate::rows::{HeadRow, Kept, Log, is_one_line};

/// Checks what is there; `None` if there is no such log yet.
pub(crate) fn open(log: &Log, deadline: Instant) -> Result<Option<Opened>, BackendError> {
    // The checkpoint is read first: a writer that is still there can only add to what it covers.
    let checkpoint = log.newest_checkpoint(deadline)?;
    let Some(mut row) = log.head_row(deadline)? else {
        return match checkpoint {
            None => Ok(None),
            Some(_) => Err(log.vanished()),
        };
    };
    if !row.is_writer {
        return Err(BackendError::Misconfigured {
            detail: format!(
                "the log {} belongs to the role {}, which this role is no member of: connect as that role, \
                 or let the administrator change `writer` in {}.heads",
                log.name, row.writer, log.schema
            ),
        });
    }
    // A process that was killed may have left a statement that the server is still at.
    log.wait_for_appends(deadline)?;
    row = log.head_row(deadline)?.ok_or_else(|| log.vanished())?;
    rows_fit_head(log, &row)?;
    let signed = checkpoint.map(|kept| Signed::of(log, &row, kept)).transpose()?;
    let signed_size = signed.as_ref().map_or(0, |signed| signed.size);
    let last = follow(log, signed_size, row.head, deadline)?;
    let closed = last.is_none_or(|line| contract::is_log_closed(&line));
    let mut opened = Opened::empty();
    opened.verifier_key = Some(row.verifier_key);
    opened.head = row.head;
    opened.recovery = (!closed).then(|| Recovery::adopted(signed_size, row.head.size - signed_size));
    if let Some(signed) = signed {
        opened.checkpoint = Some(signed.note);
        opened.signed_range = signed.range;
    }
    Ok(Some(opened))
}

/// As many rows as the head row says, judged by the last of them.
fn rows_fit_head(log: &Log, row: &HeadRow) -> Result<(), BackendError> {
    let rows = row.last_row.map_or(0, |last| last + 1);
    if rows == row.head.size {
        return Ok(());
    }
    let (seq, what) = if rows < row.head.size { (rows, "are gone") } else { (row.head.size, "were put behind it") };
    Err(BackendError::Tampered {
        seq: Some(seq),
        detail: format!(
            "the head row of {} says {} lines, the rows end at {rows}: rows {what}",
            log.name, row.head.size
        ),
    })
}

struct Signed {
    size: u64,
    note: Vec<u8>,
    range: Option<CompactRange>,
}

impl Signed {
    fn of(log: &Log, row: &HeadRow, kept: Kept) -> Result<Self, BackendError> {
        let wrong = |seq, detail| BackendError::Tampered { seq, detail };
        let checkpoint = SignedCheckpoint::parse(&kept.note)
            .map_err(|error| wrong(None, format!("the newest checkpoint of {}: {error}", log.name)))?;
        let size = checkpoint.checkpoint().size;
        if size != kept.size {
            let detail = format!("a checkpoint of size {size} of {} is kept as one of size {}", log.name, kept.size);
            return Err(wrong(None, detail));
        }
        if size > row.head.size {
            let detail = format!("the log {} has {} lines, its newest checkpoint says {size}", log.name, row.head.size);
            return Err(wrong(Some(row.head.size), detail));
        }
        let range = CompactRange::from_bytes(size, &kept.peaks).ok();
        let range = range.filter(|range| range.root() == checkpoint.checkpoint().root);
        Ok(Self { size, note: kept.note, range })
    }
}

/// Follows the lines from the last signed one to the head, and returns the last of them.
fn follow(log: &Log, signed: u64, head: Head, deadline: Instant) -> Result<Option<Vec<u8>>, BackendError> {
    let mut next = signed.saturating_sub(1);
    let mut prev = (next == 0).then_some(Hash::ZERO);
    let mut last = None;
    while next < head.size {
        let rows = log.line_rows(&(next..head.size), CHUNK, deadline)?;
        if rows.is_empty() {
            return Err(broken(log, next, "it is gone"));
        }
        for (seq, line) in rows {
            if !is_one_line(&line) {
                return Err(broken(log, next, "it holds a line feed, or more than a line may"));
            }
            let frame = Frame::parse(line.as_bytes()).map_err(|error| broken(log, next, &error.to_string()))?;
            if seq != next || frame.seq != next {
                return Err(broken(log, next, "it is gone, or another stands in its place"));
            }
            if prev.is_some_and(|prev| prev != frame.prev) {
                return Err(broken(log, next, "it does not follow from the line before"));
            }
            prev = Some(leaf_hash(line.as_bytes()));
            next += 1;
            last = Some(line.into_bytes());
        }
    }
    if prev.is_some_and(|leaf| leaf != head.leaf) && head.size > 0 {
        return Err(broken(log, head.size - 1, "it is not the line whose hash the head row has"));
    }
    Ok(last)
}

fn broken(log: &Log, seq: u64, what: &str) -> BackendError {
    BackendError::Tampered {
        seq: Some(seq),
        detail: format!("line {seq} of {}: {what}; keep the database as evidence and start a new log", log.name),
    }
}

/// How much of the tail is read at once.
const CHUNK: u32 = 4 << 20;
