//! The half of an open log that appends and reads.

use std::fs;
use std::ops::Range;
use std::sync::Arc;

use super::File;
use super::cursor::Cursor;
use super::fault;
use super::layout::Layout;
use super::line_reader::LineReader;
use super::lines::Lines;
use super::room::Room;
use super::segment::Segment;
use super::shared::Shared;
use super::tail;
use crate::backend::{BackendError, Batch, Durability, Head, contract};

pub(super) const READING: &str = "reading the log";

/// An open log: where it ends, and the segment that takes the next line.
#[derive(Debug)]
pub(super) struct Writer {
    layout: Layout,
    shared: Arc<Shared>,
    /// The first lines of all segments, ascending; the last is `current`.
    firsts: Vec<u64>,
    current: Segment,
    head: Head,
    /// Whether an append ended without anybody knowing what it left in the file.
    unsure: bool,
    room: Room,
    segment_bytes: u64,
    cursor: Cursor,
}

impl Writer {
    pub(super) fn new(
        options: &File,
        layout: Layout,
        shared: Arc<Shared>,
        firsts: Vec<u64>,
        current: Segment,
        head: Head,
    ) -> Self {
        Self {
            room: Room::new(layout.segments(), options.min_free),
            segment_bytes: options.segment_bytes,
            layout,
            shared,
            firsts,
            current,
            head,
            unsure: false,
            cursor: Cursor::new(),
        }
    }

    /// The end of the log; reads the end of the file again after an unknown result.
    pub(super) fn head(&mut self) -> Result<Head, BackendError> {
        self.shared.check()?;
        if self.unsure {
            self.resolve()?;
        } else {
            self.current.check_untouched()?;
        }
        Ok(self.head)
    }

    /// A reader of the same lines for another thread.
    pub(super) fn reader(&self) -> LineReader {
        LineReader::new(self.layout.clone(), &self.shared)
    }

    pub(super) fn append(&mut self, expected: Head, batch: &Batch<'_>) -> Result<Durability, BackendError> {
        let head = self.head()?;
        contract::check_batch(expected, batch)?;
        let here = contract::already_here(head, expected, batch, |range| self.read(range))?;
        let bytes = &batch.bytes[contract::start_of(batch, here)..];
        if let Some(end) = batch.head().filter(|_| !bytes.is_empty()) {
            let written = self.write(bytes, batch.may_use_reserve);
            written.map_err(|error| self.shared.poison_if_broken(error))?;
            self.shared.add_leaves(head.size, &batch.leaves[here..]);
            self.shared.set_written(end.size);
            self.head = end;
        }
        Ok(Durability::Written)
    }

    fn write(&mut self, bytes: &[u8], may_use_reserve: bool) -> Result<(), BackendError> {
        let count = bytes.len() as u64;
        if !may_use_reserve {
            self.room.check(count)?;
        }
        if self.current.len() > 0 && self.current.len() + count > self.segment_bytes {
            self.rotate()?;
        }
        let appended = self.current.append(bytes);
        self.unsure = matches!(appended, Err(BackendError::Unknown { .. }));
        appended?;
        self.room.used(count);
        Ok(())
    }

    /// Starts a new segment behind the last line.
    fn rotate(&mut self) -> Result<(), BackendError> {
        self.current = Segment::create(&self.layout, self.head.size)?;
        self.firsts.push(self.head.size);
        self.shared.rotated_to(self.head.size, Arc::clone(self.current.file()));
        Ok(())
    }

    /// Finds out what an append of unknown result left: whole lines that continue the log stay,
    /// anything behind them is cut off.
    fn resolve(&mut self) -> Result<(), BackendError> {
        let len = self.current.len_on_disk()?;
        let mut end = tail::End::new(self.head);
        let mut found = Lines::new(self.current.file(), self.current.len(), len);
        let mut whole = found.offset();
        let mut leaves = Vec::new();
        while let Some(line) = found.next().map_err(|error| self.unreadable(error))? {
            if end.step(line) != tail::Step::Continues {
                break;
            }
            leaves.push(end.head().leaf);
            whole = found.offset();
        }
        self.current.end_at(whole)?;
        self.shared.add_leaves(self.head.size, &leaves);
        self.head = end.head();
        self.shared.set_written(self.head.size);
        self.unsure = false;
        Ok(())
    }

    /// Whole lines from `range.start` on, out of one segment.
    pub(super) fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>, BackendError> {
        let end = range.end.min(self.head.size);
        if range.start >= end {
            return Ok(Vec::new());
        }
        let after = self.firsts.partition_point(|first| *first <= range.start);
        let first = after.checked_sub(1).map(|at| self.firsts[at]);
        let first = first.ok_or_else(|| missing(range.start))?;
        let (file, len) = if first == self.current.first() {
            (Arc::clone(self.current.file()), self.current.len())
        } else {
            let path = self.layout.segment(first);
            let file = fs::File::open(&path).map_err(|error| fault::failed(READING, &path, error))?;
            let len = file.metadata().map_err(|error| fault::failed(READING, &path, error))?.len();
            (Arc::new(file), len)
        };
        let read = self.cursor.read(&file, first, len, range.start..end);
        read.map_err(|error| self.unreadable(error))?.ok_or_else(|| missing(range.start))
    }

    fn unreadable(&self, error: std::io::Error) -> BackendError {
        let error = fault::failed(READING, &self.layout.segments(), error);
        self.shared.poison_if_broken(error)
    }
}

/// A line that has to be there cannot be found.
pub(super) fn missing(seq: u64) -> BackendError {
    BackendError::Tampered {
        seq: Some(seq),
        detail: "the line is not where its segment has to hold it; keep the directory as evidence".into(),
    }
}
