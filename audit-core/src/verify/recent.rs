use std::collections::VecDeque;

use crate::evidence::Hash;

/// How many leaves are remembered, 32 bytes each, to tell a copy of a line from a forgery.
const REMEMBERED: usize = 1 << 18;

/// The leaves of the last lines, by their number.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    stretches: VecDeque<(u64, Vec<Hash>)>,
    count: usize,
}

impl Recent {
    /// Remembers the leaves of consecutive lines, the first being number `first`.
    pub(crate) fn add(&mut self, first: u64, leaves: &[Hash]) {
        if leaves.is_empty() {
            return;
        }
        match self.stretches.back_mut() {
            Some((start, known)) if known.len() < 4_096 && *start + known.len() as u64 == first => {
                known.extend_from_slice(leaves);
            }
            _ => self.stretches.push_back((first, leaves.to_vec())),
        }
        self.count += leaves.len();
        while self.count > REMEMBERED && self.stretches.len() > 1 {
            if let Some((_, oldest)) = self.stretches.pop_front() {
                self.count -= oldest.len();
            }
        }
    }

    /// The leaf of line `seq`, if it is remembered.
    pub(crate) fn get(&self, seq: u64) -> Option<Hash> {
        let after = self.stretches.partition_point(|(first, _)| *first <= seq);
        let (first, leaves) = self.stretches.get(after.checked_sub(1)?)?;
        leaves.get(usize::try_from(seq - first).ok()?).copied()
    }
}
