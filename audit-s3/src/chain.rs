//! Following lines as far as they continue a log.

use audit_core::backend::{BackendError, Head};
use audit_core::evidence::{CompactRange, Hash};
use audit_core::record::{ParseError, Record, line};

use super::objects::Lines;

/// The end of a log while its last objects are read.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) head: Head,
    /// The first line of the newest object; `None` if there is none.
    pub(crate) newest: Option<u64>,
    /// The last line, without its line feed; empty if there is none.
    pub(crate) last: Vec<u8>,
}

impl End {
    pub(crate) const EMPTY: Self = Self { head: Head::EMPTY, newest: None, last: Vec::new() };

    /// Moves to the line at which a checkpoint of `size` ends, in the object that holds it.
    pub(crate) fn at_signed(size: u64, lines: &Lines, range: Option<&CompactRange>) -> Result<Self, BackendError> {
        let mut leaves = Vec::new();
        let mut last = None;
        for (seq, text) in (lines.first..size).zip(split(lines)?) {
            leaves.push(line::leaf(text));
            if seq + 1 == size {
                last = Some(text);
            }
        }
        let (Some(last), Some(leaf)) = (last, leaves.last()) else {
            return Err(lost(size));
        };
        if range.is_some_and(|range| !ends_with(range, &leaves)) {
            return Err(contradicts(size - 1, "the last signed lines are not those that were signed"));
        }
        Ok(Self { head: Head { size, leaf: *leaf }, newest: Some(lines.first), last: last.to_vec() })
    }

    /// Follows an object to its end; its lines up to the head have been seen before.
    pub(crate) fn follow(&mut self, lines: &Lines) -> Result<(), BackendError> {
        if lines.first > self.head.size {
            return Err(contradicts(self.head.size, "objects follow, but the one with this line is not there"));
        }
        if lines.first < self.head.size && self.newest != Some(lines.first) {
            return Err(contradicts(lines.first, "a second object holds this line"));
        }
        let seen = usize::try_from(self.head.size - lines.first).unwrap_or(usize::MAX);
        for text in split(lines)?.skip(seen) {
            self.step(text)?;
        }
        self.newest = Some(lines.first);
        Ok(())
    }

    fn step(&mut self, text: &[u8]) -> Result<(), BackendError> {
        let seq = self.head.size;
        let record = match Record::parse(text) {
            Ok(record) => record,
            Err(ParseError::UnknownVersion { version }) => {
                return Err(BackendError::Misconfigured {
                    detail: format!(
                        "line {seq} is of version {version} of the format: open the log with the program that wrote it, or a later one"
                    ),
                });
            }
            Err(error) => return Err(contradicts(seq, &format!("what stands there is no record: {error}"))),
        };
        if record.seq() != seq || *record.prev() != self.head.leaf {
            return Err(contradicts(seq, "the line does not continue the one before"));
        }
        self.head = Head { size: seq + 1, leaf: line::leaf(text) };
        self.last.clear();
        self.last.extend_from_slice(text);
        Ok(())
    }
}

/// The lines of an object, which is made of whole ones.
fn split(lines: &Lines) -> Result<impl Iterator<Item = &[u8]>, BackendError> {
    let bytes = lines.object.bytes.strip_suffix(b"\n");
    let bytes = bytes.ok_or_else(|| contradicts(lines.first, "its object does not end with an ended line"))?;
    Ok(bytes.split(|byte| *byte == b'\n'))
}

/// Whether `leaves` are the last of the tree, as far as whole subtrees tell.
fn ends_with(range: &CompactRange, leaves: &[Hash]) -> bool {
    let mut rest = leaves;
    let mut size = range.size();
    for peak in range.peaks().iter().rev() {
        let count = usize::try_from(1_u64 << size.trailing_zeros()).unwrap_or(usize::MAX);
        let Some((before, under)) = rest.len().checked_sub(count).and_then(|at| rest.split_at_checked(at)) else {
            return true;
        };
        if under.iter().copied().collect::<CompactRange>().root() != *peak {
            return false;
        }
        size &= size - 1;
        rest = before;
    }
    true
}

/// Fewer lines than the newest checkpoint says.
pub(crate) fn lost(size: u64) -> BackendError {
    contradicts(
        size.saturating_sub(1),
        &format!("the newest checkpoint is about {size} lines, and they are not all there"),
    )
}

/// Something that no crash leaves behind.
pub(crate) fn contradicts(seq: u64, what: &str) -> BackendError {
    BackendError::Tampered {
        seq: Some(seq),
        detail: format!("{what}; keep the bucket as evidence and start a new log elsewhere"),
    }
}
