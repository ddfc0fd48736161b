//! Reading whole lines of a segment, mostly where the read before ended.

use std::fs;
use std::io;
use std::ops::Range;

use super::lines;

/// The most that one read returns, unless a single line is longer.
const READ: usize = 1 << 20;

/// Where the last read ended: the next one mostly starts there.
#[derive(Debug)]
pub(super) struct Cursor(Option<Place>);

#[derive(Clone, Copy, Debug)]
struct Place {
    segment: u64,
    seq: u64,
    offset: u64,
}

impl Cursor {
    /// Knows nothing yet.
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// Whole lines of `range` out of the first `len` bytes of a segment that starts with line
    /// `segment`. `None` when the first of them is not there.
    pub(super) fn read(
        &mut self,
        file: &fs::File,
        segment: u64,
        len: u64,
        range: Range<u64>,
    ) -> io::Result<Option<Vec<u8>>> {
        let known = self.0.filter(|place| place.segment == segment && place.seq == range.start);
        let offset = match known {
            Some(place) => Some(place.offset),
            None => lines::find(file, len, range.start)?,
        };
        let Some(offset) = offset else {
            return Ok(None);
        };
        let rest = usize::try_from(len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; rest.min(READ)];
        let read = lines::read_at(file, &mut bytes, offset)?;
        let wanted = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let ends = memchr::memchr_iter(b'\n', bytes.get(..read).unwrap_or_default()).take(wanted);
        let (count, end) = ends.fold((0, 0), |(count, _), at| (count + 1, at + 1));
        if end == 0 {
            return Ok(None);
        }
        bytes.truncate(end);
        self.0 = Some(Place { segment, seq: range.start + count, offset: offset + end as u64 });
        Ok(Some(bytes))
    }
}
