//! The parts of the contract that are the same for every store: for whoever writes one.
//!
//! A store need not use them. What counts is that it passes the conformance suite.

use std::io;
use std::ops::Range;
use std::time::Instant;

use super::{BackendError, Batch, Head};
use crate::record::{Kind, Record};

/// Refuses to start once the deadline has passed.
///
/// # Errors
///
/// [`BackendError::Unavailable`] when it has.
pub fn in_time(deadline: Instant, doing: &'static str) -> Result<(), BackendError> {
    if Instant::now() < deadline {
        return Ok(());
    }
    let late = io::Error::new(io::ErrorKind::TimedOut, "the deadline has passed");
    Err(BackendError::unavailable(doing, late))
}

/// Refuses a batch whose parts do not fit each other, before any of it is written.
///
/// # Errors
///
/// [`BackendError::Misconfigured`] when they do not.
pub fn check_batch(expected: Head, batch: &Batch<'_>) -> Result<(), BackendError> {
    let ends_fit = batch.ends.last().copied().unwrap_or(0) == batch.bytes.len()
        && batch.bytes.last().is_none_or(|byte| *byte == b'\n')
        && batch.ends.len() == batch.leaves.len()
        && batch.ends.is_sorted();
    if ends_fit && expected.size == batch.first {
        return Ok(());
    }
    Err(BackendError::Misconfigured {
        detail: format!(
            "the batch at seq {} after a log of {} lines is not made of whole, counted lines",
            batch.first, expected.size
        ),
    })
}

/// How many lines of `batch` are in the log already, compared by their bytes: a retry after an
/// unknown result. `read` returns whole lines from the start of the range, as many as it likes.
///
/// # Errors
///
/// [`BackendError::Conflict`] when the log has other lines there, or ends before them; and what `read`
/// fails with.
pub fn already_here<B: AsRef<[u8]>>(
    head: Head,
    expected: Head,
    batch: &Batch<'_>,
    mut read: impl FnMut(Range<u64>) -> Result<B, BackendError>,
) -> Result<usize, BackendError> {
    if expected == head {
        return Ok(0);
    }
    if batch.first >= head.size {
        return Err(conflict(head));
    }
    let taken = usize::try_from(head.size - batch.first).unwrap_or(usize::MAX);
    let lines = taken.min(batch.ends.len());
    let mut rest = &batch.bytes[..start_of(batch, lines)];
    let mut seen = 0;
    while seen < lines {
        let here = read(batch.first + seen as u64..batch.first + lines as u64)?;
        let here = here.as_ref();
        match rest.strip_prefix(here) {
            Some(after) if !here.is_empty() => rest = after,
            _ => return Err(conflict(head)),
        }
        seen += lines_in(here);
    }
    Ok(lines)
}

/// Where the `index`th line of `batch` starts in its bytes.
#[must_use]
pub fn start_of(batch: &Batch<'_>, index: usize) -> usize {
    let before = index.checked_sub(1);
    before.and_then(|at| batch.ends.get(at)).copied().unwrap_or(0)
}

/// How many ended lines `bytes` holds.
#[must_use]
pub fn lines_in(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}

/// The error for other bytes where these should go, in a log that ends at `found`.
#[must_use]
pub fn conflict(found: Head) -> BackendError {
    BackendError::Conflict { found: Some(found), detail: format!("the log ends at {} lines, with others", found.size) }
}

/// Refuses a checkpoint that is older than the newest one, or about lines that are not there.
///
/// # Errors
///
/// [`BackendError::Conflict`] and [`BackendError::Misconfigured`].
pub fn check_published(published: Option<u64>, size: u64, lines: u64) -> Result<(), BackendError> {
    if let Some(published) = published.filter(|published| size < *published) {
        return Err(BackendError::Conflict {
            found: None,
            detail: format!("a checkpoint of size {published} is published, not replaced by one of size {size}"),
        });
    }
    if size > lines {
        return Err(BackendError::Misconfigured {
            detail: format!("a checkpoint of size {size} over a log of {lines} lines"),
        });
    }
    Ok(())
}

/// Whether `line`, without its line feed, is the one that a writer leaves when it closes the log in
/// order.
#[must_use]
pub fn is_log_closed(line: &[u8]) -> bool {
    Record::parse(line).is_ok_and(|record| record.kind() == Some(Kind::LogClosed))
}
