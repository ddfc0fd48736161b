//! What a worker finds out about one chunk, without knowing what comes before.

use super::calls::ChunkCalls;
use super::chunk::{Chunk, ChunkEnd};
use super::hashing::{hash_two, is_written};
use super::subtree::{Subtree, subtrees};
use crate::evidence::Hash;
use crate::record::line::LINE_LIMIT;
use crate::record::{BodyFacts, Kind, LineParser, ParseError, split_frame};

/// A record whose time is earlier than that of one before it by more than this is a step of the
/// clock. Less is concurrency: a time is taken before its record has its place in the log.
const STEP_MICROS: i64 = 2_000_000;

/// Times further apart than this are looked at again: no log promises more frequent heartbeats.
const JUMP_MICROS: i64 = 1_000_000;

/// Consecutive lines, each of which carries the hash of the one before.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// The number that the first line carries.
    pub(crate) first: u64,
    /// The hash that the first line carries.
    pub(crate) prev: Hash,
    /// Where its leaves start among those of the chunk.
    pub(crate) start: usize,
    /// How many lines.
    pub(crate) count: usize,
    /// Set for a single line whose frame is good and whose members are not.
    pub(crate) fault: Option<ParseError>,
}

/// Part of a chunk.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Run(Run),
    /// Lines without a usable frame, for one reason; their leaves start at number `at` of the chunk.
    Opaque {
        at: usize,
        count: usize,
        error: ParseError,
    },
}

/// Something that the whole log has to be told of.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    /// The number that the line carries.
    pub(crate) seq: u64,
    /// How many intents and events of this chunk come before it.
    pub(crate) calls_before: u64,
    pub(crate) what: Noted,
}

#[derive(Clone, Debug)]
pub(crate) enum Noted {
    /// A record of the log about itself.
    Record { kind: Kind, line: Vec<u8> },
    /// The times of records, in microseconds, take a step backwards or a leap forwards.
    Times { from: i64, to: i64 },
}

/// The times of a chunk, in microseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// The number of the first record, and its time.
    pub(crate) first: (u64, i64),
    /// The latest time since the last step backwards.
    pub(crate) latest: i64,
    /// The number of the last record.
    pub(crate) last: u64,
}

/// What is known of a chunk.
#[derive(Debug, Default)]
pub(crate) struct Examined {
    pub(crate) index: u64,
    pub(crate) lines: u64,
    pub(crate) items: Vec<Item>,
    pub(crate) leaves: Vec<Hash>,
    /// If the chunk is one run at the place that its numbers say: complete subtrees of all its
    /// leaves but the last, none across a size that is signed.
    pub(crate) parts: Vec<Subtree>,
    pub(crate) calls: ChunkCalls,
    pub(crate) notes: Vec<Note>,
    pub(crate) times: Option<Times>,
    pub(crate) end: ChunkEnd,
}

/// Examines chunks one after the other, keeping its buffers.
#[derive(Debug)]
pub(crate) struct Examiner<'a> {
    parser: LineParser,
    /// The sizes whose roots are signed, ascending.
    marks: &'a [u64],
    ends: Vec<usize>,
    nodes: Vec<Hash>,
}

impl<'a> Examiner<'a> {
    pub(crate) fn new(marks: &'a [u64]) -> Self {
        Self { parser: LineParser::for_many(), marks, ends: Vec::new(), nodes: Vec::new() }
    }

    pub(crate) fn examine(&mut self, chunk: &mut Chunk) -> Examined {
        self.ends.clear();
        let (index, end) = (chunk.index, std::mem::take(&mut chunk.end));
        let bytes = chunk.bytes();
        let lines = bytes.get(1..).unwrap_or_default();
        self.ends.extend(memchr::memchr_iter(b'\n', lines).map(|at| at + 1));
        let mut examined = Examined { index, end, lines: self.ends.len() as u64, ..Examined::default() };
        self.hash(bytes, &mut examined.leaves);
        let mut start = 1;
        for (at, end) in self.ends.iter().enumerate() {
            let line = bytes.get(start..*end).unwrap_or_default();
            examined.line(&mut self.parser, at, line);
            start = end + 1;
        }
        if let [Item::Run(run)] = examined.items.as_slice() {
            self.grow(run.first, &examined.leaves, &mut examined.parts);
        }
        examined
    }

    /// The leaf hashes of all lines.
    fn hash(&self, bytes: &mut [u8], leaves: &mut Vec<Hash>) {
        leaves.reserve_exact(self.ends.len());
        let mut before = 0;
        for end in &self.ends {
            // The line feed before a line makes room for the prefix of its leaf: one slice to hash.
            if let Some(byte) = bytes.get_mut(before) {
                *byte = 0;
            }
            before = *end;
        }
        let mut before = 0;
        let mut leaf = |end: usize| {
            let input = bytes.get(before..end).unwrap_or_default();
            before = end;
            input
        };
        let mut ends = self.ends.iter();
        while let Some(end) = ends.next() {
            let one = leaf(*end);
            match ends.next() {
                Some(end) => {
                    let (one, other) = hash_two(one, leaf(*end));
                    leaves.push(one);
                    leaves.push(other);
                }
                None => leaves.push(Hash::digest(one)),
            }
        }
    }

    /// The complete subtrees of all leaves but the last, cut at the sizes that are signed.
    fn grow(&mut self, first: u64, leaves: &[Hash], parts: &mut Vec<Subtree>) {
        let Some((_, mut leaves)) = leaves.split_last() else {
            return;
        };
        let mut start = first;
        let later = self.marks.partition_point(|mark| *mark <= start);
        for mark in self.marks.get(later..).unwrap_or_default() {
            let Some((before, rest)) =
                usize::try_from(mark - start).ok().and_then(|count| leaves.split_at_checked(count))
            else {
                break;
            };
            subtrees(start, before, &mut self.nodes, parts);
            leaves = rest;
            start = *mark;
        }
        subtrees(start, leaves, &mut self.nodes, parts);
    }
}

impl Examined {
    /// Takes the next line of the chunk.
    #[inline]
    fn line(&mut self, parser: &mut LineParser, at: usize, line: &[u8]) {
        if line.len() > LINE_LIMIT {
            return self.opaque(at, ParseError::TooLong { bytes: line.len() });
        }
        let (seq, digits) = match split_frame(line) {
            Ok(frame) => frame,
            Err(error) => return self.opaque(at, error),
        };
        let body = parser.body(line, digits + 66);
        let carried = line.get(digits..digits + 64).unwrap_or_default();
        if let Ok(facts) = &body {
            self.note(seq, facts, line);
            if let (Some(Item::Run(run)), Some(last)) =
                (self.items.last_mut(), at.checked_sub(1).and_then(|at| self.leaves.get(at)))
                && run.fault.is_none()
                && run.first + run.count as u64 == seq
                && is_written(last, carried)
            {
                run.count += 1;
                return;
            }
        }
        match Hash::from_hex(carried) {
            Ok(prev) => self.items.push(Item::Run(Run { first: seq, prev, start: at, count: 1, fault: body.err() })),
            Err(_) => {
                self.opaque(at, ParseError::Frame { at: digits, expected: "64 lower-case hexadecimal digits" });
            }
        }
    }

    /// A line that does not say where it belongs.
    #[cold]
    fn opaque(&mut self, at: usize, error: ParseError) {
        match self.items.last_mut() {
            Some(Item::Opaque { count, error: known, .. }) if *known == error => *count += 1,
            _ => self.items.push(Item::Opaque { at, count: 1, error }),
        }
    }

    #[inline]
    fn note(&mut self, seq: u64, facts: &BodyFacts, line: &[u8]) {
        self.time(seq, facts.time);
        match (facts.kind, facts.id) {
            (Some(Kind::Intent), Some(id)) => self.calls.intent(id, seq),
            (Some(Kind::Outcome), Some(id)) => self.calls.outcome(id, seq),
            (Some(Kind::Event), _) => self.calls.event(),
            (Some(kind), _) => self.notes.push(Note {
                seq,
                calls_before: self.calls.recorded(),
                what: Noted::Record { kind, line: line.to_vec() },
            }),
            (None, _) => {}
        }
    }

    #[inline]
    fn time(&mut self, seq: u64, time: i64) {
        let Some(times) = &mut self.times else {
            self.times = Some(Times { first: (seq, time), latest: time, last: seq });
            return;
        };
        times.last = seq;
        let from = times.latest;
        let step = is_step(from, time);
        if step || is_leap(from, time) {
            self.notes.push(Note { seq, calls_before: self.calls.recorded(), what: Noted::Times { from, to: time } });
        }
        times.latest = if step { time } else { time.max(from) };
    }
}

/// Whether time runs backwards between records that follow each other.
pub(crate) const fn is_step(from: i64, to: i64) -> bool {
    to < from.saturating_sub(STEP_MICROS)
}

/// Whether so much time passes between records that the log may have been silent.
pub(crate) const fn is_leap(from: i64, to: i64) -> bool {
    to > from.saturating_add(JUMP_MICROS)
}
