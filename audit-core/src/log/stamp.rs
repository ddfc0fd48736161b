use crate::backend::{Batch, Head};
use crate::evidence::{Hash, leaf_hash_in_place};
use crate::record::line::write_frame;

/// Turns bodies into chained lines, in buffers that are used again for every batch.
#[derive(Debug)]
pub(crate) struct Stamp {
    before: Head,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    leaves: Vec<Hash>,
}

impl Stamp {
    pub(crate) const fn new() -> Self {
        Self { before: Head::EMPTY, bytes: Vec::new(), ends: Vec::new(), leaves: Vec::new() }
    }

    /// Starts a batch after `head`.
    pub(crate) fn start(&mut self, head: Head) {
        self.before = head;
        self.bytes.clear();
        self.ends.clear();
        self.leaves.clear();
        // The byte before the first line, where the hash has its prefix.
        self.bytes.push(b'\n');
    }

    /// Frames, hashes and links one body.
    pub(crate) fn line(&mut self, body: &[u8]) {
        let Head { size, leaf } = self.head();
        let start = self.bytes.len();
        write_frame(size, &leaf, &mut self.bytes);
        self.bytes.extend_from_slice(body);
        let leaf = leaf_hash_in_place(&mut self.bytes[start - 1..]);
        self.bytes.push(b'\n');
        self.leaves.push(leaf);
        self.ends.push(self.bytes.len() - 1);
    }

    /// The head before the batch.
    pub(crate) const fn before(&self) -> Head {
        self.before
    }

    /// The head after the lines so far.
    pub(crate) fn head(&self) -> Head {
        match self.leaves.last() {
            Some(leaf) => Head { size: self.before.size + self.leaves.len() as u64, leaf: *leaf },
            None => self.before,
        }
    }

    pub(crate) fn leaves(&self) -> &[Hash] {
        &self.leaves
    }

    pub(crate) fn batch(&self, may_use_reserve: bool) -> Batch<'_> {
        Batch::new(self.before.size, self.bytes.get(1..).unwrap_or_default(), &self.ends, &self.leaves, may_use_reserve)
    }
}
