//! Appending: one object for each batch, and what to make of an answer that is no `200`.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use audit_core::backend::{BackendError, Batch, Durability, Head, contract};

use super::chain::End;
use super::line_reader::LineReader;
use super::objects::Objects;
use super::put::Made;
use super::shared::{NO_OBJECT, Shared};

const APPENDING: &str = "appending to the log";
const LOOKING: &str = "looking for the end of the log";

/// The half that appends.
#[derive(Debug)]
pub(crate) struct Writer {
    shared: Arc<Shared>,
    end: End,
    lines: LineReader,
    /// Whether a request was sent that may still make an object.
    in_doubt: bool,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, end: End) -> Self {
        let writer = Self { lines: LineReader::new(Arc::clone(&shared)), shared, end, in_doubt: false };
        writer.tell();
        writer
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Where the log ended when this was asked last.
    pub(crate) const fn known(&self) -> Head {
        self.end.head
    }

    pub(crate) fn read(&mut self, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
        self.lines.lines(range, deadline)
    }

    /// Where the log ends in the store, with whatever has been added since.
    pub(crate) fn head(&mut self, deadline: Instant) -> Result<Head, BackendError> {
        contract::in_time(deadline, LOOKING)?;
        let shared = Arc::clone(&self.shared);
        let mut end = self.end.clone();
        self.end = shared.run(LOOKING, async {
            let mut objects = match end.newest {
                Some(newest) => Objects::behind(&shared.store, newest),
                None => Objects::from(&shared.store, None),
            };
            while let Some(lines) = objects.next(deadline).await.map_err(|fault| fault.reading(LOOKING))? {
                end.follow(&lines)?;
            }
            Ok::<End, BackendError>(end)
        })??;
        self.tell();
        Ok(self.end.head)
    }

    pub(crate) fn append(
        &mut self,
        expected: Head,
        batch: &Batch<'_>,
        deadline: Instant,
    ) -> Result<Durability, BackendError> {
        contract::in_time(deadline, APPENDING).map_err(|error| self.unless_in_doubt(error))?;
        contract::check_batch(expected, batch)?;
        let appended = self.append_rest(expected, batch, deadline).map_err(|error| self.unless_in_doubt(error));
        self.in_doubt = matches!(appended, Err(BackendError::Unknown { .. }));
        appended.map(|()| self.shared.durability())
    }

    /// Appends what is not there yet of `batch`.
    fn append_rest(&mut self, expected: Head, batch: &Batch<'_>, deadline: Instant) -> Result<(), BackendError> {
        let head = self.end.head;
        let mut here = contract::already_here(head, expected, batch, |range| self.lines.lines(range, deadline))?;
        loop {
            let rest = batch.bytes.get(contract::start_of(batch, here)..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(());
            }
            let first = batch.first + here as u64;
            // With a part of it there, nobody may say that nothing was written.
            let made = self.make(first, rest, deadline);
            let others = match made.map_err(|error| if here > 0 { in_doubt(error) } else { error })? {
                Made::Ours => {
                    self.advance(first, batch, batch.ends.len());
                    return Ok(());
                }
                Made::Others(others) => others,
                Made::Forked => return Err(self.conflict(first, "two writers have written this object")),
            };
            let ended = others.ends_with(b"\n");
            if ended && rest.starts_with(&others) {
                // An attempt with fewer lines got there before: these are as good as ours.
                here += contract::lines_in(&others);
                self.advance(first, batch, here);
            } else if ended && others.starts_with(rest) {
                return self.head(deadline).map(drop).map_err(in_doubt);
            } else {
                return Err(self.conflict(first, "another writer's lines are in this object"));
            }
        }
    }

    /// An attempt that surely failed says nothing about one before that nobody heard the answer of.
    fn unless_in_doubt(&self, error: BackendError) -> BackendError {
        if self.in_doubt { in_doubt(error) } else { error }
    }

    fn make(&self, first: u64, bytes: &[u8], deadline: Instant) -> Result<Made, BackendError> {
        let shared = &self.shared;
        let key = shared.store.layout.lines(first);
        let made = shared.run(APPENDING, shared.store.make(&key, bytes, shared.making, deadline))?;
        made.map_err(|fault| fault.writing(APPENDING))
    }

    /// The log ends behind the first `count` lines of `batch` now, in an object that starts with line
    /// `first`.
    fn advance(&mut self, first: u64, batch: &Batch<'_>, count: usize) {
        if let Some(leaf) = count.checked_sub(1).and_then(|last| batch.leaves.get(last)) {
            self.end.head = Head { size: batch.first + count as u64, leaf: *leaf };
            self.end.newest = Some(first);
            self.tell();
        }
    }

    /// Lets the other halves know.
    fn tell(&self) {
        self.shared.newest.store(self.end.newest.unwrap_or(NO_OBJECT), Ordering::Release);
        self.shared.size.store(self.end.head.size, Ordering::Release);
    }

    fn conflict(&self, first: u64, what: &str) -> BackendError {
        let layout = &self.shared.store.layout;
        BackendError::Conflict { found: None, detail: format!("{}: {what}, {}", layout.url, layout.lines(first)) }
    }
}

/// What failed after something may have been written leaves it open whether it was.
pub(crate) fn in_doubt(error: BackendError) -> BackendError {
    match error {
        BackendError::Unavailable { doing, source } => BackendError::Unknown { doing, source },
        BackendError::Full { detail } => BackendError::Unknown { doing: APPENDING, source: detail.into() },
        other => other,
    }
}
