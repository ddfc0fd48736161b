//! Opening: what is signed has to be there, what follows is looked at line by line.
//!
//! The page cache may show bytes behind the newest checkpoint that the disk does not have. So the
//! lines there that are kept are written again, the same bytes in the same place, and forced to
//! disk before the first append. Everything is proportional to what follows the newest
//! checkpoint, not to the log.

use std::fs;
use std::time::Instant;

use super::layout::Layout;
use super::lines::Lines;
use super::quarantine;
use super::range::{self, SignedEnd};
use super::rewrite;
use super::segments::{Place, Segments};
use super::signed::Signed;
use super::tail::{End, Rest, Step};
use crate::backend::{BackendError, Head, Recovery, contract};
use crate::evidence::Hash;

/// What was found, and made safe to append to.
#[derive(Debug)]
pub(super) struct Recovered {
    /// The first lines of all segments, ascending.
    pub(super) firsts: Vec<u64>,
    /// How many bytes of the last segment are whole lines.
    pub(super) len: u64,
    pub(super) head: Head,
    /// The tree at the newest checkpoint.
    pub(super) signed: SignedEnd,
    pub(super) recovery: Option<Recovery>,
    /// The leaf hashes of the lines behind the newest checkpoint.
    pub(super) leaves: Vec<Hash>,
}

/// The lines behind the newest checkpoint.
#[derive(Debug)]
struct Tail {
    head: Head,
    /// Behind the last line that is kept.
    place: Place,
    leaves: Vec<Hash>,
    last: Vec<u8>,
    rest: Rest,
}

/// Makes the log in `layout` safe to append to.
pub(super) fn recover(layout: &Layout, signed: Option<&Signed>, deadline: Instant) -> Result<Recovered, BackendError> {
    let mut segments = Segments::list(layout, deadline)?;
    let size = signed.map_or(0, |signed| signed.size);
    let (base, start) = segments.end_of_signed(size)?;
    let signed = match signed {
        Some(signed) => range::derive(&segments, signed)?,
        None => SignedEnd::nothing(),
    };
    let tail = segments.tail(base, start)?;
    let cut = segments.cut(&tail)?;
    if tail.head.size > size {
        rewrite::again(&segments, start, tail.place)?;
    }
    let closed = tail.last.is_empty() || contract::is_log_closed(&tail.last);
    let recovery = (!closed || cut.bytes > 0).then(|| Recovery {
        signed: size,
        adopted: tail.head.size - size,
        offset: tail.place.offset,
        cut_bytes: cut.bytes,
        cut_lines: cut.lines,
        cut_sha256: cut.sha256,
    });
    Ok(Recovered {
        firsts: segments.firsts,
        len: tail.place.offset,
        head: tail.head,
        signed,
        recovery,
        leaves: tail.leaves,
    })
}

/// Opening needs these once; everything else of the segments is beside them.
impl Segments {
    /// The head at the size of the newest checkpoint, and the place behind its last line.
    fn end_of_signed(&self, size: u64) -> Result<(Head, Place), BackendError> {
        let Some(last) = size.checked_sub(1) else {
            return match self.firsts.first() {
                None | Some(0) => Ok((Head::EMPTY, Place { segment: 0, offset: 0 })),
                Some(_) => Err(lost(0)),
            };
        };
        let place = self.find(last)?.ok_or_else(|| lost(size))?;
        let (file, len) = self.open(place.segment)?;
        let mut lines = Lines::new(&file, place.offset, len);
        let line = lines.next().map_err(|error| self.failed(error))?;
        let leaf = crate::record::line::leaf(line.ok_or_else(|| lost(size))?);
        let behind = Place { segment: place.segment, offset: lines.offset() };
        Ok((Head { size, leaf }, behind))
    }

    /// Follows the lines from `start` on as far as they continue the log.
    fn tail(&self, base: Head, start: Place) -> Result<Tail, BackendError> {
        let mut tail = Tail {
            head: base,
            place: start,
            leaves: Vec::new(),
            last: self.line_before(base.size)?,
            rest: Rest::default(),
        };
        let mut end = End::new(base);
        for index in start.segment..self.firsts.len() {
            let offset = if index == start.segment { start.offset } else { 0 };
            let (file, len) = self.open(index)?;
            if index > start.segment {
                let first = self.first(index);
                if first < end.head().size {
                    return Err(contradicts(first, "a second segment holds this line"));
                }
                // The end of the segment before did not reach the disk.
                tail.rest.hole |= first > end.head().size;
            }
            if tail.rest == Rest::default() {
                tail.place = Place { segment: index, offset };
                self.follow(&file, len, &mut end, &mut tail)?;
            } else {
                self.survey(&file, 0, len, end.head(), &mut tail.rest)?;
            }
        }
        tail.head = end.head();
        Ok(tail)
    }

    /// Follows the lines of one segment from `tail.place` on.
    fn follow(&self, file: &fs::File, len: u64, end: &mut End, tail: &mut Tail) -> Result<(), BackendError> {
        let mut lines = Lines::new(file, tail.place.offset, len);
        while let Some(line) = lines.next().map_err(|error| self.failed(error))? {
            match end.step(line) {
                Step::Continues => {
                    tail.leaves.push(end.head().leaf);
                    tail.last.clear();
                    tail.last.extend_from_slice(line);
                    tail.place.offset = lines.offset();
                }
                Step::OutOfPlace => {
                    return Err(contradicts(
                        end.head().size,
                        "behind the newest checkpoint, a line with another number stands here",
                    ));
                }
                Step::Unlinked => {
                    // What is signed was checked, so then it is this line that was changed.
                    let seq = end.head().size - u64::from(!tail.leaves.is_empty());
                    return Err(contradicts(
                        seq,
                        "behind the newest checkpoint, the next line does not continue this one",
                    ));
                }
                Step::UnknownVersion(version) => {
                    return Err(BackendError::Misconfigured {
                        detail: format!(
                            "line {} is of version {version} of the format: open the log with the program that wrote it, or a later one",
                            end.head().size
                        ),
                    });
                }
                Step::Malformed => break,
            }
            self.in_time()?;
        }
        if tail.place.offset < len {
            self.survey(file, tail.place.offset, len, end.head(), &mut tail.rest)?;
        }
        Ok(())
    }

    /// Looks at bytes that do not continue the log; refuses what no crash leaves behind.
    fn survey(&self, file: &fs::File, start: u64, len: u64, head: Head, rest: &mut Rest) -> Result<(), BackendError> {
        rest.add(file, start, len).map_err(|error| self.failed(error))?;
        if rest.contradiction {
            return Err(contradicts(
                head.size,
                "garbage stands here, behind the newest checkpoint, with whole lines after it",
            ));
        }
        Ok(())
    }

    /// The line before line `seq`, empty if there is none.
    fn line_before(&self, seq: u64) -> Result<Vec<u8>, BackendError> {
        let Some(place) = seq.checked_sub(1).map(|last| self.find(last)).transpose()?.flatten() else {
            return Ok(Vec::new());
        };
        let (file, len) = self.open(place.segment)?;
        let mut lines = Lines::new(&file, place.offset, len);
        let line = lines.next().map_err(|error| self.failed(error))?;
        Ok(line.unwrap_or_default().to_vec())
    }

    /// Moves what does not continue the log out of the way; the segments end where it ended.
    fn cut(&mut self, tail: &Tail) -> Result<quarantine::Cut, BackendError> {
        if tail.rest != Rest::default() {
            quarantine::move_away(self, tail.place, tail.head.size)?;
            self.firsts.truncate(tail.place.segment + 1);
        }
        quarantine::cut_in_front_of(&self.layout, tail.head.size)
    }
}

/// Fewer lines than the newest checkpoint says.
fn lost(size: u64) -> BackendError {
    BackendError::Tampered {
        seq: size.checked_sub(1),
        detail: format!(
            "the newest checkpoint is about {size} lines, but they are not all there; keep the directory as evidence and start a new log elsewhere"
        ),
    }
}

/// A line that no crash leaves behind.
fn contradicts(seq: u64, what: &str) -> BackendError {
    BackendError::Tampered {
        seq: Some(seq),
        detail: format!("{what}; keep the directory as evidence and start a new log elsewhere"),
    }
}
