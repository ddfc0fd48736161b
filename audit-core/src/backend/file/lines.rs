//! Reading lines of a segment, from an offset on or by their `seq`.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt as _;

use crate::record::Frame;
use crate::record::line::{FRAME_LIMIT, LINE_LIMIT};

/// How much is read at once.
const BLOCK: usize = 256 << 10;

/// How much is read to look at one line while searching; longer lines take more than one read.
const PROBE: usize = 2 << 10;

/// The ended lines of a part of a file, one after the other.
#[derive(Debug)]
pub(super) struct Lines<'f> {
    file: &'f fs::File,
    /// Where the next block starts.
    next: u64,
    end: u64,
    buffer: Vec<u8>,
    /// Where the next line starts in `buffer`.
    start: usize,
}

impl<'f> Lines<'f> {
    /// The lines of `file` between two offsets; the first has to be the start of a line.
    pub(super) const fn new(file: &'f fs::File, start: u64, end: u64) -> Self {
        Self { file, next: start, end, buffer: Vec::new(), start: 0 }
    }

    /// Where the next line starts.
    pub(super) fn offset(&self) -> u64 {
        self.next - (self.buffer.len() - self.start) as u64
    }

    /// The next line without its line feed; `None` when what follows is nothing, not ended, or
    /// longer than a line may be.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        let mut searched = 0;
        loop {
            let unsearched = &self.buffer[self.start + searched..];
            if let Some(found) = memchr::memchr(b'\n', unsearched) {
                let start = self.start;
                let end = start + searched + found;
                self.start = end + 1;
                let line = &self.buffer[start..end];
                if line.len() > LINE_LIMIT {
                    self.start = start;
                    return Ok(None);
                }
                return Ok(Some(line));
            }
            searched = self.buffer.len() - self.start;
            if searched > LINE_LIMIT || !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Reads the next block behind what is left of the last one; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let left = self.buffer.len();
        let wanted = usize::try_from(self.end - self.next).map_or(BLOCK, |rest| rest.min(BLOCK));
        self.buffer.resize(left + wanted, 0);
        let read = read_at(self.file, &mut self.buffer[left..], self.next)?;
        self.buffer.truncate(left + read);
        self.next += read as u64;
        Ok(read > 0)
    }
}

/// The offset of line `seq` among the first `end` bytes of a segment, by binary search.
///
/// Garbage behind the line does no harm. `None` if the line is not there, or if garbage in front
/// of it led the search astray.
pub(super) fn find(file: &fs::File, end: u64, seq: u64) -> io::Result<Option<u64>> {
    // The line starts at `low` or between `low` and `high`.
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        match probe(file, middle, high, end)? {
            Some((offset, found)) if found < seq => low = offset + 1,
            Some((offset, found)) if found == seq => return Ok(Some(offset)),
            // The first line from `middle` on is behind the one that is looked for, or none.
            _ => high = middle,
        }
    }
    Ok(None)
}

/// The first line that starts at or after `from`, but before `below`: where, and its `seq`.
fn probe(file: &fs::File, from: u64, below: u64, end: u64) -> io::Result<Option<(u64, u64)>> {
    let start = match from.checked_sub(1) {
        None => Some(0),
        Some(before) => line_feed_from(file, before)?.map(|at| at + 1),
    };
    match start.filter(|start| *start < below) {
        None => Ok(None),
        Some(start) => Ok(line_at(file, start, end)?.map(|seq| (start, seq))),
    }
}

/// The offset of the first line feed at or after `from`, within the length of a line.
fn line_feed_from(file: &fs::File, from: u64) -> io::Result<Option<u64>> {
    let mut block = [0_u8; PROBE];
    let mut at = from;
    while at - from <= LINE_LIMIT as u64 {
        let read = read_at(file, &mut block, at)?;
        if let Some(found) = memchr::memchr(b'\n', &block[..read]) {
            return Ok(Some(at + found as u64));
        }
        if read == 0 {
            break;
        }
        at += read as u64;
    }
    Ok(None)
}

/// The `seq` in the frame of the line at `offset`, which is before `end`.
fn line_at(file: &fs::File, offset: u64, end: u64) -> io::Result<Option<u64>> {
    let mut block = [0_u8; FRAME_LIMIT];
    let read = read_at(file, &mut block, offset)?;
    let read = usize::try_from(end.saturating_sub(offset)).map_or(read, |rest| read.min(rest));
    Ok(Frame::parse(block.get(..read).unwrap_or_default()).ok().map(|frame| frame.seq))
}

/// Reads as much as there is, up to the length of `buffer`.
pub(super) fn read_at(file: &fs::File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read_at(&mut buffer[read..], offset + read as u64) {
            Ok(0) => break,
            Ok(count) => read += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}
