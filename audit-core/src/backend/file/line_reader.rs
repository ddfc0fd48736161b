//! Reading the lines of a log that this process writes, from another thread.

use std::fs;
use std::ops::Range;
use std::sync::{Arc, Weak};
use std::time::Instant;

use super::cursor::Cursor;
use super::fault;
use super::layout::Layout;
use super::segments::Segments;
use super::shared::Shared;
use super::writer::{READING, missing};
use crate::backend::{BackendError, Reader, contract};

/// Reads what the writer has written, through files of its own.
#[derive(Debug)]
pub(super) struct LineReader {
    layout: Layout,
    /// Not kept alive: the lock is free for the next writer as soon as this one is gone.
    shared: Weak<Shared>,
    /// The first lines of the segments, as of the last look.
    firsts: Vec<u64>,
    open: Option<(u64, fs::File)>,
    cursor: Cursor,
}

impl LineReader {
    pub(super) fn new(layout: Layout, shared: &Arc<Shared>) -> Self {
        Self { layout, shared: Arc::downgrade(shared), firsts: Vec::new(), open: None, cursor: Cursor::new() }
    }

    /// The segment that holds line `seq`: the number of its first line.
    fn segment_of(&mut self, seq: u64, newest: u64, deadline: Instant) -> Result<u64, BackendError> {
        if self.firsts.last() != Some(&newest) {
            self.firsts = Segments::list(&self.layout, deadline)?.firsts;
        }
        let after = self.firsts.partition_point(|first| *first <= seq);
        after.checked_sub(1).and_then(|at| self.firsts.get(at)).copied().ok_or_else(|| missing(seq))
    }
}

impl Reader for LineReader {
    fn read(&mut self, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
        contract::in_time(deadline, READING)?;
        let shared = self.shared.upgrade().ok_or_else(|| BackendError::Misconfigured {
            detail: format!("{}: the log has been closed", self.layout.dir().display()),
        })?;
        let end = range.end.min(shared.written());
        if range.start >= end {
            return Ok(Vec::new());
        }
        let first = self.segment_of(range.start, shared.segment(), deadline)?;
        let path = self.layout.segment(first);
        let failed = |error| fault::failed(READING, &path, error);
        let file = match self.open.take() {
            Some((segment, file)) if segment == first => file,
            _ => fs::File::open(&path).map_err(failed)?,
        };
        let len = file.metadata().map_err(failed)?.len();
        let read = self.cursor.read(&file, first, len, range.start..end).map_err(failed)?;
        self.open = Some((first, file));
        read.ok_or_else(|| missing(range.start))
    }
}
