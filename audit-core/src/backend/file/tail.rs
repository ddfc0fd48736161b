//! The lines behind the newest checkpoint: which continue the log, and where that stops.

use std::fs;
use std::io;

use super::lines::Lines;
use crate::backend::Head;
use crate::record::{ParseError, Record, line};

/// What one more ended line means for the end of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The line continues the log.
    Continues,
    /// The line is whole, but its number is another one: no crash does that.
    OutOfPlace,
    /// The line has the right number, but continues another line than the one before.
    Unlinked,
    /// The line is not a line of a log.
    Malformed,
    /// The line is of a version of the format that came later.
    UnknownVersion(u64),
}

/// The end of a log while lines are being looked at.
#[derive(Clone, Debug)]
pub(super) struct End {
    head: Head,
}

impl End {
    pub(super) const fn new(head: Head) -> Self {
        Self { head }
    }

    pub(super) const fn head(&self) -> Head {
        self.head
    }

    /// Moves behind `bytes` if that line continues the log.
    pub(super) fn step(&mut self, bytes: &[u8]) -> Step {
        let record = match Record::parse(bytes) {
            Ok(record) => record,
            Err(ParseError::UnknownVersion { version }) => return Step::UnknownVersion(version),
            Err(_) => return Step::Malformed,
        };
        if record.seq() != self.head.size {
            return Step::OutOfPlace;
        }
        if *record.prev() != self.head.leaf {
            return Step::Unlinked;
        }
        self.head = Head { size: record.seq() + 1, leaf: line::leaf(bytes) };
        Step::Continues
    }
}

/// What stands behind the last line that continues the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) bytes: u64,
    /// How many ended lines are among the bytes.
    pub(super) lines: u64,
    /// Whether there is a hole, as a power loss leaves it, in front of all that follows.
    pub(super) hole: bool,
    /// Whether a whole line follows that no crash can have put there.
    pub(super) contradiction: bool,
}

impl Rest {
    /// Looks at more bytes of the rest: those of `file` between two offsets.
    ///
    /// A crash leaves an unended line at the very end, or zeros where blocks did not reach the
    /// disk. A whole line behind anything else was not left there by a crash.
    pub(super) fn add(&mut self, file: &fs::File, start: u64, end: u64) -> io::Result<()> {
        self.bytes += end.saturating_sub(start);
        let mut lines = Lines::new(file, start, end);
        while let Some(line) = lines.next()? {
            self.lines += 1;
            if !self.hole && Record::parse(line).is_ok() {
                self.contradiction = true;
            }
            self.hole |= line.contains(&0);
        }
        if lines.offset() < end {
            self.hole = true;
        }
        Ok(())
    }
}
