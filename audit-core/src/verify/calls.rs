//! Which intent has its outcome.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::record::ActivityId;

/// How many intents may be without an outcome at one time before they are no longer told apart.
pub(crate) const OPEN_LIMIT: usize = 1 << 20;

/// Hashes identifiers, which are random but for what an attacker chose, under a random key.
#[derive(Clone, Debug)]
struct Keyed(u64);

impl Default for Keyed {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0) | 1)
    }
}

impl BuildHasher for Keyed {
    type Hasher = Folded;

    fn build_hasher(&self) -> Folded {
        Folded { key: self.0, hash: self.0 }
    }
}

/// Multiplies and folds, eight bytes at a time.
#[derive(Debug)]
struct Folded {
    key: u64,
    hash: u64,
}

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.hash
    }

    fn write(&mut self, bytes: &[u8]) {
        for eight in bytes.chunks(8) {
            let mut word = [0; 8];
            if let Some(word) = word.get_mut(..eight.len()) {
                word.copy_from_slice(eight);
            }
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.hash ^ word) * u128::from(self.key ^ 0x9e37_79b9_7f4a_7c15);
        self.hash = (product as u64) ^ ((product >> 64) as u64);
    }

    fn write_usize(&mut self, _: usize) {}
}

type Open = HashMap<ActivityId, u64, Keyed>;

/// How many calls a chunk has room for from the start.
const USUAL: usize = 448;

/// The calls of one chunk.
#[derive(Debug, Default)]
pub(crate) struct ChunkCalls {
    /// Intents without an outcome in this chunk, and where they stand.
    open: Open,
    /// Outcomes without an intent before them in this chunk.
    outcomes: Vec<(ActivityId, u64)>,
    recorded: u64,
}

impl ChunkCalls {
    pub(crate) fn intent(&mut self, id: ActivityId, seq: u64) {
        self.recorded += 1;
        if self.open.capacity() == 0 {
            self.open.reserve(USUAL);
        }
        self.open.insert(id, seq);
    }

    pub(crate) fn outcome(&mut self, id: ActivityId, seq: u64) {
        if self.open.remove(&id).is_none() {
            self.outcomes.push((id, seq));
        }
    }

    pub(crate) const fn event(&mut self) {
        self.recorded += 1;
    }

    /// How many intents and events there are.
    pub(crate) const fn recorded(&self) -> u64 {
        self.recorded
    }
}

/// The calls of the whole log, chunk after chunk.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    open: Open,
    /// Set when there were too many open calls: the number from which on nothing was matched.
    pub(crate) given_up: Option<u64>,
    /// Intents and events so far.
    pub(crate) recorded: u64,
}

impl Calls {
    /// Takes the next chunk. Says where outcomes without an intent stand, in order.
    pub(crate) fn add(&mut self, chunk: &ChunkCalls) -> Vec<u64> {
        self.recorded += chunk.recorded;
        let mut strays = Vec::new();
        if self.given_up.is_some() {
            return strays;
        }
        for (id, seq) in &chunk.outcomes {
            if self.open.remove(id).is_none() {
                strays.push(*seq);
            }
        }
        self.open.extend(&chunk.open);
        if self.open.len() > OPEN_LIMIT {
            self.given_up = chunk.open.values().min().copied();
        }
        strays
    }

    /// Where the intents without an outcome stand, ascending.
    pub(crate) fn unanswered(&self) -> Vec<u64> {
        let mut found: Vec<u64> = self.open.values().copied().collect();
        found.sort_unstable();
        found
    }
}
