//! Cutting the bytes of a log into chunks that end at line ends.

use super::{LineSource, Piece, ReadError};
use crate::record::line::LINE_LIMIT;

/// How many bytes of lines are handed to a worker at once: about what its cache holds.
const CHUNK: usize = 256 << 10;

/// Some of the bytes of a log.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// Which chunk of the log this is.
    pub(crate) index: u64,
    /// Longer than what is used of it, so that it is not cleared each time.
    buffer: Vec<u8>,
    /// How much of the buffer is used.
    used: usize,
    /// What stands behind the lines of this chunk.
    pub(crate) end: ChunkEnd,
}

/// What stands behind the lines of a chunk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum ChunkEnd {
    /// The next line.
    #[default]
    Line,
    /// A line that is longer than any record; this many bytes of it, line feed included.
    Overlong(u64),
    /// Bytes without a line feed, at the end of a file or object that others follow.
    Unended(u64),
    /// Bytes without a line feed, perhaps none, at the end of the log.
    Torn { bytes: u64, zeros: bool },
}

impl Chunk {
    /// One byte that is not part of the log, then whole lines with their line feeds. The spare
    /// byte lets the prefix of a leaf stand in front of the first line.
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        self.buffer.get_mut(..self.used).unwrap_or_default()
    }
}

/// Reads a log chunk by chunk.
#[derive(Debug)]
pub(crate) struct Chunks {
    source: Box<dyn LineSource>,
    next: u64,
    /// The start of a line whose end has not been read yet.
    carried: Vec<u8>,
    /// Set while the rest of an overlong line is passed over: its bytes so far, and whether all
    /// of them are zero.
    skipping: Option<(u64, bool)>,
    ended: bool,
    /// Bytes read so far.
    pub(crate) bytes: u64,
}

impl Chunks {
    pub(crate) fn new(source: Box<dyn LineSource>) -> Self {
        Self { source, next: 0, carried: Vec::new(), skipping: None, ended: false, bytes: 0 }
    }

    /// Fills `chunk`, reusing its buffer; `false` when there are no more. After an error there are
    /// none.
    pub(crate) fn next(&mut self, chunk: &mut Chunk) -> Result<bool, ReadError> {
        if self.ended {
            return Ok(false);
        }
        let filled = self.fill(chunk);
        self.ended |= filled.is_err();
        filled.map(|()| true)
    }

    fn fill(&mut self, chunk: &mut Chunk) -> Result<(), ReadError> {
        chunk.index = self.next;
        self.next += 1;
        let needed = CHUNK.max(self.carried.len() + LINE_LIMIT);
        if chunk.buffer.len() < needed {
            chunk.buffer = vec![0; needed];
        }
        if let Some((passed, zeros)) = self.skipping.take() {
            return self.pass_over(passed, zeros, chunk);
        }
        let mut filled = 1 + self.carried.len();
        if let Some(start) = chunk.buffer.get_mut(1..filled) {
            start.copy_from_slice(&self.carried);
        }
        self.carried.clear();
        chunk.end = ChunkEnd::Line;
        while filled < chunk.buffer.len() {
            match self.source.read(chunk.buffer.get_mut(filled..).unwrap_or_default())? {
                Piece::Bytes(count) => {
                    filled += count;
                    self.bytes += count as u64;
                }
                Piece::PartEnd => {
                    chunk.end = ChunkEnd::Unended(0);
                    break;
                }
                Piece::End => {
                    self.ended = true;
                    chunk.end = ChunkEnd::Torn { bytes: 0, zeros: false };
                    break;
                }
            }
        }
        chunk.used = filled;
        self.cut(chunk);
        Ok(())
    }

    /// Leaves only whole lines in `chunk`.
    fn cut(&mut self, chunk: &mut Chunk) {
        let filled = chunk.buffer.get(..chunk.used).unwrap_or_default();
        let lines = memchr::memrchr(b'\n', filled.get(1..).unwrap_or_default());
        let lines = lines.map_or(1, |at| at + 2);
        let rest = filled.get(lines..).unwrap_or_default();
        let bytes = rest.len() as u64;
        match &mut chunk.end {
            ChunkEnd::Unended(unended) if bytes > 0 => *unended = bytes,
            ChunkEnd::Unended(_) => chunk.end = ChunkEnd::Line,
            ChunkEnd::Torn { bytes: torn, zeros } => {
                *torn = bytes;
                *zeros = is_zero(rest);
            }
            _ if rest.len() > LINE_LIMIT => self.skipping = Some((bytes, is_zero(rest))),
            _ => self.carried.extend_from_slice(rest),
        }
        chunk.used = lines;
    }

    /// Passes over an overlong line, of which `passed` bytes have been read.
    fn pass_over(&mut self, mut passed: u64, mut zeros: bool, chunk: &mut Chunk) -> Result<(), ReadError> {
        let buffer = &mut chunk.buffer;
        chunk.used = 1;
        chunk.end = loop {
            match self.source.read(buffer)? {
                Piece::Bytes(count) => {
                    self.bytes += count as u64;
                    let read = buffer.get(..count).unwrap_or_default();
                    if let Some(end) = memchr::memchr(b'\n', read) {
                        let rest = read.get(end + 1..).unwrap_or_default();
                        self.carried.extend_from_slice(rest);
                        break ChunkEnd::Overlong(passed + end as u64 + 1);
                    }
                    passed += count as u64;
                    zeros &= is_zero(read);
                }
                Piece::PartEnd => break ChunkEnd::Unended(passed),
                Piece::End => {
                    self.ended = true;
                    break ChunkEnd::Torn { bytes: passed, zeros };
                }
            }
        };
        Ok(())
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}
