use super::{LineSource, LogReader, Piece, ReadError};

/// How much is read at once.
const BLOCK: usize = 64 << 10;

/// How long a line may grow before it is cut: readers show what is there, also when it is no
/// record, but not without end.
const LONGEST: usize = 1 << 20;

/// The lines of a log one after the other, for people and programs that read rather than verify.
///
/// Delivers the stored bytes, checks nothing, and keeps one block in memory.
#[derive(Debug)]
pub struct Lines {
    source: Box<dyn LineSource>,
    buffer: Vec<u8>,
    /// What has been delivered of `buffer`.
    start: usize,
    /// What has been searched for a line feed.
    searched: usize,
}

impl Lines {
    /// The lines of `reader` from number `from` on.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn from(reader: &dyn LogReader, from: u64) -> Result<Self, ReadError> {
        Ok(Self::new(reader.lines(from)?))
    }

    /// The lines in `source`.
    #[must_use]
    pub const fn new(source: Box<dyn LineSource>) -> Self {
        Self { source, buffer: Vec::new(), start: 0, searched: 0 }
    }

    /// The next line without its line feed, or `None` when there is no further ended line, for
    /// now. May be called again then. A line longer than 1 MiB comes in pieces.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, ReadError> {
        loop {
            let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(found) = memchr::memchr(b'\n', unsearched) {
                let (start, end) = (self.start, self.searched + found);
                self.start = end + 1;
                self.searched = self.start;
                return Ok(self.buffer.get(start..end));
            }
            self.searched = self.buffer.len();
            if self.searched - self.start >= LONGEST {
                let start = std::mem::replace(&mut self.start, self.searched);
                return Ok(self.buffer.get(start..));
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Reads another block; `false` when there is nothing, for now.
    fn fill(&mut self) -> Result<bool, ReadError> {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        loop {
            let filled = self.buffer.len();
            self.buffer.resize(filled + BLOCK, 0);
            let piece = self.source.read(self.buffer.get_mut(filled..).unwrap_or_default());
            let read = if let Ok(Piece::Bytes(read)) = piece { read } else { 0 };
            self.buffer.truncate(filled + read);
            match piece? {
                Piece::Bytes(_) => return Ok(true),
                Piece::End => return Ok(false),
                // What is not ended here is not continued in the next part.
                Piece::PartEnd => {
                    self.buffer.clear();
                    self.searched = 0;
                }
            }
        }
    }
}
