//! Following the chain from chunk to chunk, and naming what breaks it.

use super::FindingKind::{Duplicated, Edited, Inserted, Malformed, Missing, Reordered, Unverifiable};
use super::chunk::ChunkEnd;
use super::examine::{Examined, Item, Run};
use super::faults::Faults;
use super::recent::Recent;
use super::roots::Roots;
use super::subtree::Subtree;
use crate::evidence::Hash;
use crate::record::ParseError;

/// How many stretches that came too early are kept, and how many leaves of each.
const EARLY: usize = 256;
const EARLY_LEAVES: usize = 4_096;

/// How many hashes the next line may carry: more than one after lines with the same number.
const TAILS: usize = 8;

/// How many lines without a frame in a row are kept for the tree.
const BLANKS: usize = 65_536;

/// A leaf that is kept out of the tree until the next line has said what it should have been.
#[derive(Clone, Copy, Debug)]
struct Held {
    leaf: Hash,
    /// What the next line says, where that is something else.
    claimed: Option<Hash>,
}

/// Linked lines that start behind the number that is due.
#[derive(Debug)]
struct Early {
    first: u64,
    prev: Hash,
    next: u64,
    tail: Hash,
    /// All of its leaves, unless there are too many.
    leaves: Option<Vec<Hash>>,
    /// The number that was due was found behind it.
    overtaken: bool,
}

/// Lines without a usable frame, of which the next line says whether they took a number.
#[derive(Debug, Default)]
struct Blanks {
    count: u64,
    leaves: Vec<Option<Hash>>,
    /// The bad number before the first of them.
    bad: Option<u64>,
}

/// The chain as far as it has been followed.
#[derive(Debug)]
pub(crate) struct Chain<'a> {
    /// The number that is due.
    next: u64,
    /// What the next line may carry as the hash of the one before.
    tails: Vec<Hash>,
    /// The last leaf, or the last two when the link between them is broken.
    held: Vec<Held>,
    blanks: Blanks,
    early: Vec<Early>,
    recent: Recent,
    /// The last number whose line is known to be bad for another reason than its hash.
    bad: Option<u64>,
    pub(crate) roots: Roots<'a>,
    pub(crate) faults: Faults,
    /// Ended lines, whatever they are.
    pub(crate) lines: u64,
    /// Bytes at the end that are not an ended line, and whether all are zero.
    pub(crate) torn: (u64, bool),
}

/// Some lines, with their leaves and what is known of their tree.
#[derive(Clone, Copy, Debug)]
struct Lines<'l> {
    first: u64,
    prev: Hash,
    leaves: &'l [Hash],
    parts: Option<&'l [Subtree]>,
    /// It was there before its turn.
    early: bool,
}

impl<'a> Chain<'a> {
    pub(crate) fn new(marks: &'a [u64]) -> Self {
        Self {
            next: 0,
            tails: vec![Hash::ZERO],
            held: Vec::new(),
            blanks: Blanks::default(),
            early: Vec::new(),
            recent: Recent::default(),
            bad: None,
            roots: Roots::new(marks),
            faults: Faults::default(),
            lines: 0,
            torn: (0, false),
        }
    }

    /// How many numbers there are: one more than the last.
    pub(crate) const fn size(&self) -> u64 {
        self.next
    }

    /// Takes the next chunk.
    pub(crate) fn add(&mut self, chunk: &Examined) {
        self.lines += chunk.lines;
        let whole = chunk.items.len() == 1;
        for item in &chunk.items {
            match item {
                Item::Run(run) => {
                    let parts = whole.then_some(chunk.parts.as_slice());
                    self.run(run, &chunk.leaves, parts);
                }
                Item::Opaque { at, count, error } => {
                    for leaf in chunk.leaves.iter().skip(*at).take(*count) {
                        self.opaque(Some(*leaf), error);
                    }
                }
            }
        }
        match chunk.end {
            ChunkEnd::Line => {}
            ChunkEnd::Overlong(bytes) => {
                self.lines += 1;
                let bytes = usize::try_from(bytes).unwrap_or(usize::MAX) - 1;
                self.opaque(None, &ParseError::TooLong { bytes });
            }
            ChunkEnd::Unended(bytes) => self.unended(bytes),
            ChunkEnd::Torn { bytes, zeros } => self.torn = (bytes, zeros),
        }
    }

    /// The end of the log: what waited for a next line waits no longer.
    pub(crate) fn finish(&mut self) {
        self.place_blanks(None);
        let mut early = std::mem::take(&mut self.early);
        early.sort_by_key(|stretch| stretch.first);
        for stretch in early {
            if stretch.overtaken || stretch.first < self.next {
                self.faults.add(Inserted, stretch.first, stretch.next - 1, || {
                    "stands between records that chain without it".to_owned()
                });
            } else {
                self.accept_gap(&stretch);
            }
        }
        self.settle();
    }

    fn run(&mut self, run: &Run, leaves: &[Hash], parts: Option<&[Subtree]>) {
        let leaves = leaves.get(run.start..run.start + run.count).unwrap_or_default();
        self.place_blanks(Some((run.first, run.prev)));
        if let Some(fault) = &run.fault {
            let seq = if run.first > self.next { self.next } else { run.first };
            self.faults.add(Malformed, seq, seq, || fault.to_string());
            self.bad = Some(seq);
        }
        self.lines(Lines { first: run.first, prev: run.prev, leaves, parts, early: false });
    }

    /// Finds the place of linked lines.
    fn lines(&mut self, lines: Lines<'_>) {
        let linked = self.tails.contains(&lines.prev);
        let count = lines.leaves.len() as u64;
        if lines.first == self.next {
            if !linked {
                self.broken_link(lines.prev);
            }
            self.attach(&lines, linked);
        } else if linked && (count == 1 || lines.first > self.next) {
            self.renumbered(lines, count);
        } else if let Some(at) = self
            .early
            .iter()
            .position(|early| early.next == lines.first && early.tail == lines.prev && !early.overtaken)
        {
            let mut early = self.early.remove(at);
            early.extend(&lines);
            self.accept_gap(&early);
            self.retry_early();
        } else if lines.first > self.next {
            self.keep_early(&lines);
        } else {
            self.late(&lines);
        }
    }

    /// Appends lines that are due.
    fn attach(&mut self, lines: &Lines<'_>, linked: bool) {
        if linked {
            if let Some(held) = self.held.last_mut()
                && held.leaf != lines.prev
            {
                held.claimed = Some(lines.prev);
            }
            self.settle();
        }
        if lines.early {
            let to = lines.first + lines.leaves.len() as u64 - 1;
            self.faults.add(Reordered, lines.first, to, || "stands before a record with a smaller number".to_owned());
        }
        if let Some((last, inner)) = lines.leaves.split_last() {
            if !inner.is_empty() {
                // The second line carries the hash of the first: that one is as it was.
                self.settle();
                match lines.parts {
                    Some(parts) if self.roots.size() == self.next && lines.first == self.next => {
                        self.roots.push_all(parts);
                    }
                    _ => inner.iter().for_each(|leaf| self.roots.push(*leaf)),
                }
            }
            self.held.push(Held { leaf: *last, claimed: None });
            self.tails.clear();
            self.tails.push(*last);
        }
        self.recent.add(self.next, lines.leaves);
        self.next += lines.leaves.len() as u64;
        for early in &mut self.early {
            early.overtaken = true;
        }
        self.join_early();
    }

    /// The next line is due and does not carry the hash of the one before.
    fn broken_link(&mut self, claimed: Hash) {
        let Some(before) = self.next.checked_sub(1) else {
            self.faults.add(Edited, 0, 0, || "is the first and does not carry 64 zeros".to_owned());
            return;
        };
        if self.held.len() > 1 {
            // Two broken links in a row: most likely the record between them was changed, and
            // the one before it is as it was.
            let first = self.held.remove(0);
            self.roots.push(first.leaf);
        }
        if let Some(held) = self.held.last_mut() {
            held.claimed = Some(claimed);
        }
        if self.bad == Some(before) || self.bad == Some(self.next) {
            return;
        }
        let again = self.faults.last_mut(Edited).filter(|fault| before > 0 && fault.to == before - 1);
        match again {
            Some(fault) => {
                fault.suspect = (fault.from == fault.to).then_some(before);
                fault.to = before;
            }
            None => self
                .faults
                .add(Edited, before, before, || format!("does not have the hash that record {} carries", before + 1)),
        }
    }

    /// The next line carries the right hash and the wrong number.
    fn renumbered(&mut self, lines: Lines<'_>, count: u64) {
        let due = self.next;
        if count == 1 {
            let found = lines.first;
            self.faults.add(Edited, due, due, || format!("carries the number {found}"));
            self.bad = Some(due);
            self.attach(&Lines { first: due, parts: None, ..lines }, true);
            return;
        }
        let to = lines.first - 1;
        self.faults.add(Missing, due, to, String::new);
        self.roots.lose();
        self.next = lines.first;
        self.attach(&lines, true);
    }

    /// Keeps lines whose number is not due yet, until it is clear what they are.
    fn keep_early(&mut self, lines: &Lines<'_>) {
        let (Some(tail), count) = (lines.leaves.last(), lines.leaves.len()) else {
            return;
        };
        if self.early.len() >= EARLY {
            let oldest = self.early.remove(0);
            self.faults.add(Inserted, oldest.first, oldest.next - 1, || {
                "stands between records that chain without it".to_owned()
            });
        }
        let waiting = self.early.iter().any(|early| !early.overtaken);
        self.early.push(Early {
            first: lines.first,
            prev: lines.prev,
            next: lines.first + count as u64,
            tail: *tail,
            leaves: (count <= EARLY_LEAVES).then(|| lines.leaves.to_vec()),
            overtaken: false,
        });
        if waiting {
            // Two stretches in a row that are not due: the numbers before the first are missing.
            let nearest =
                (0..self.early.len()).filter(|at| !self.early[*at].overtaken).min_by_key(|at| self.early[*at].first);
            if let Some(at) = nearest {
                let early = self.early.remove(at);
                self.accept_gap(&early);
                self.retry_early();
            }
        }
    }

    /// Goes on behind numbers that are missing.
    fn accept_gap(&mut self, early: &Early) {
        self.settle();
        self.roots.lose();
        self.faults.add(Missing, self.next, early.first - 1, String::new);
        if let Some(leaves) = &early.leaves {
            self.recent.add(early.first, leaves);
            leaves.iter().for_each(|leaf| self.roots.push(*leaf));
        }
        self.next = early.next;
        self.tails.clear();
        self.tails.push(early.tail);
        self.join_early();
    }

    /// Looks again at stretches that wait, after the number that is due has changed.
    fn retry_early(&mut self) {
        let (waiting, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.early).into_iter().partition(|early| !early.overtaken);
        self.early = rest;
        for early in waiting {
            match &early.leaves {
                Some(leaves) => {
                    self.lines(Lines { first: early.first, prev: early.prev, leaves, parts: None, early: true });
                }
                None => self.early.push(early),
            }
        }
    }

    /// Appends stretches that came too early and are due now.
    fn join_early(&mut self) {
        while let Some(at) =
            self.early.iter().position(|early| early.first == self.next && self.tails.contains(&early.prev))
        {
            let early = self.early.remove(at);
            match &early.leaves {
                Some(leaves) => {
                    self.attach(
                        &Lines { first: early.first, prev: early.prev, leaves, parts: None, early: true },
                        true,
                    );
                }
                None => {
                    self.faults.add(Reordered, early.first, early.next - 1, || {
                        "stands before a record with a smaller number".to_owned()
                    });
                    self.roots.lose();
                    self.next = early.next;
                    self.tails = vec![early.tail];
                    self.held.clear();
                }
            }
        }
    }

    /// Lines with numbers that have been there already, or that were missing.
    fn late(&mut self, lines: &Lines<'_>) {
        for (offset, leaf) in lines.leaves.iter().enumerate() {
            let seq = lines.first + offset as u64;
            if seq >= self.next {
                let before = offset.checked_sub(1).and_then(|at| lines.leaves.get(at));
                self.lines(Lines {
                    first: seq,
                    prev: before.copied().unwrap_or(lines.prev),
                    leaves: lines.leaves.get(offset..).unwrap_or_default(),
                    parts: None,
                    early: lines.early,
                });
                return;
            }
            if seq + 1 == self.next && self.tails.len() < TAILS && !self.tails.contains(leaf) {
                self.tails.push(*leaf);
            }
            if self.faults.found_again(seq) {
                self.faults.add(Reordered, seq, seq, || "stands behind a record with a greater number".to_owned());
            } else if self.recent.get(seq) == Some(*leaf) {
                self.faults.add(Duplicated, seq, seq, || "is there again".to_owned());
            } else {
                self.faults.add(Inserted, seq, seq, || "is there again with other bytes".to_owned());
            }
        }
    }

    /// A line that does not say where it belongs.
    fn opaque(&mut self, leaf: Option<Hash>, error: &ParseError) {
        let seq = self.next + self.blanks.count;
        if error.is_unknown_version() {
            self.faults.add(Unverifiable, seq, seq, || error.to_string());
        } else {
            self.faults.add(Malformed, seq, seq, || error.to_string());
        }
        self.blank(leaf, !error.is_unknown_version());
    }

    fn unended(&mut self, bytes: u64) {
        let seq = self.next + self.blanks.count;
        self.faults
            .add(Malformed, seq, seq, || format!("{bytes} bytes at the end of a file are not ended by a line feed"));
        self.blank(None, true);
    }

    fn blank(&mut self, leaf: Option<Hash>, bad: bool) {
        if self.blanks.count == 0 {
            self.blanks.bad = self.bad;
        }
        if bad {
            self.bad = Some(self.next + self.blanks.count);
        }
        self.blanks.count += 1;
        if self.blanks.leaves.len() < BLANKS {
            self.blanks.leaves.push(leaf);
        }
    }

    /// Decides whether lines without a frame took numbers, by the number and the hash that the
    /// next line carries.
    fn place_blanks(&mut self, next: Option<(u64, Hash)>) {
        let blanks = std::mem::take(&mut self.blanks);
        if blanks.count == 0 {
            return;
        }
        if let Some((seq, prev)) = next
            && seq == self.next
            && (self.tails.contains(&prev) || blanks.bad.is_some_and(|bad| bad + 1 == self.next))
        {
            self.bad = blanks.bad;
            return;
        }
        self.settle();
        for at in 0..blanks.count {
            let leaf = usize::try_from(at).ok().and_then(|at| blanks.leaves.get(at)).copied().flatten();
            self.settle();
            match leaf {
                Some(leaf) => self.held.push(Held { leaf, claimed: None }),
                None => {
                    // The next line says what it should have been, unless there is none.
                    let last = at + 1 == blanks.count;
                    match next.filter(|_| last) {
                        Some((_, prev)) => self.held.push(Held { leaf: prev, claimed: None }),
                        None => self.roots.lose(),
                    }
                }
            }
        }
        self.next += blanks.count;
        self.tails = self.held.last().map(|held| held.leaf).into_iter().collect();
    }

    /// Puts the leaves that were held back into the tree, as the lines after them say.
    fn settle(&mut self) {
        for held in self.held.drain(..) {
            self.roots.push(held.claimed.unwrap_or(held.leaf));
        }
    }
}

impl Early {
    fn extend(&mut self, lines: &Lines<'_>) {
        self.next += lines.leaves.len() as u64;
        if let Some(tail) = lines.leaves.last() {
            self.tail = *tail;
        }
        match &mut self.leaves {
            Some(leaves) if leaves.len() + lines.leaves.len() <= EARLY_LEAVES => {
                leaves.extend_from_slice(lines.leaves);
            }
            leaves => *leaves = None,
        }
    }
}
