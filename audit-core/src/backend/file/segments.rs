//! All segments of a log, for reading lines wherever they are.

use std::fs;
use std::io;
use std::ops::Range;
use std::time::Instant;

use super::layout::{Layout, segment_first};
use super::lines::{self, Lines};
use super::{create, fault};
use crate::backend::{BackendError, contract};
use crate::evidence::Hash;
use crate::record::line;

const LOOKING: &str = "looking at the segments of the log";

/// The segments that were there when they were listed.
#[derive(Debug)]
pub(super) struct Segments {
    pub(super) layout: Layout,
    /// The first lines, ascending.
    pub(super) firsts: Vec<u64>,
    deadline: Instant,
}

/// A place between two lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The index of the segment among all.
    pub(super) segment: usize,
    pub(super) offset: u64,
}

impl Segments {
    /// Lists the segments; what is done with them ends by `deadline`.
    pub(super) fn list(layout: &Layout, deadline: Instant) -> Result<Self, BackendError> {
        let path = layout.segments();
        fs::read_dir(&path).map_err(|error| fault::failed(LOOKING, &path, error))?;
        let mut firsts = create::names(&path, segment_first);
        firsts.sort_unstable();
        Ok(Self { layout: layout.clone(), firsts, deadline })
    }

    pub(super) fn in_time(&self) -> Result<(), BackendError> {
        contract::in_time(self.deadline, LOOKING)
    }

    pub(super) fn first(&self, index: usize) -> u64 {
        self.firsts.get(index).copied().unwrap_or(u64::MAX)
    }

    /// Opens a segment for reading; also says how long it is.
    pub(super) fn open(&self, index: usize) -> Result<(fs::File, u64), BackendError> {
        self.in_time()?;
        let path = self.layout.segment(self.first(index));
        let failed = |error| fault::failed(LOOKING, &path, error);
        let file = fs::File::open(&path).map_err(failed)?;
        let len = file.metadata().map_err(failed)?.len();
        Ok((file, len))
    }

    /// The segment that holds line `seq`, if it is there, and where in it the line starts.
    pub(super) fn find(&self, seq: u64) -> Result<Option<Place>, BackendError> {
        let after = self.firsts.partition_point(|first| *first <= seq);
        let Some(segment) = after.checked_sub(1) else {
            return Ok(None);
        };
        let (file, len) = self.open(segment)?;
        let offset = lines::find(&file, len, seq).map_err(|error| self.failed(error))?;
        Ok(offset.map(|offset| Place { segment, offset }))
    }

    /// Visits the lines from `seq` on, `count` of them; fewer if they are not all there.
    pub(super) fn visit(&self, seq: u64, count: u64, mut visit: impl FnMut(&[u8])) -> Result<(), BackendError> {
        let Some(start) = self.find(seq)? else {
            return Ok(());
        };
        let mut left = count;
        for segment in start.segment..self.firsts.len() {
            if left == 0 {
                break;
            }
            let (file, len) = self.open(segment)?;
            let offset = if segment == start.segment { start.offset } else { 0 };
            let mut lines = Lines::new(&file, offset, len);
            while left > 0 {
                match lines.next().map_err(|error| self.failed(error))? {
                    Some(bytes) => visit(bytes),
                    None => break,
                }
                left -= 1;
            }
        }
        Ok(())
    }

    /// The leaf hashes of the lines of `range`; fewer if they are not all there.
    pub(super) fn leaves(&self, range: Range<u64>) -> Result<Vec<Hash>, BackendError> {
        let mut leaves = Vec::new();
        self.visit(range.start, range.end - range.start, |bytes| {
            leaves.push(line::leaf(bytes));
        })?;
        Ok(leaves)
    }

    pub(super) fn failed(&self, error: io::Error) -> BackendError {
        fault::failed(LOOKING, &self.layout.segments(), error)
    }
}
