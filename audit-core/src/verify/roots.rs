//! The tree of the log, and its root at each size that somebody signed.

use super::subtree::{Frontier, Subtree};
use crate::evidence::Hash;

/// A growing tree that remembers its root at certain sizes.
#[derive(Debug)]
pub(crate) struct Roots<'a> {
    tree: Frontier,
    marks: &'a [u64],
    found: Vec<Hash>,
    /// The size from which on the leaves are not known to stand where they belong.
    lost: Option<u64>,
}

impl<'a> Roots<'a> {
    /// An empty tree; `marks` are the sizes, ascending, each once.
    pub(crate) fn new(marks: &'a [u64]) -> Self {
        let mut roots = Self { tree: Frontier::default(), marks, found: Vec::with_capacity(marks.len()), lost: None };
        roots.note();
        roots
    }

    pub(crate) fn push(&mut self, leaf: Hash) {
        self.tree.push(leaf);
        self.note();
    }

    /// Appends complete subtrees, none of which crosses a mark.
    pub(crate) fn push_all(&mut self, parts: &[Subtree]) {
        for part in parts {
            self.tree.push_subtree(*part);
            self.note();
        }
    }

    /// How many leaves there are.
    pub(crate) const fn size(&self) -> u64 {
        self.tree.size()
    }

    /// From here on leaves may be missing or stand elsewhere: no more roots are noted.
    pub(crate) fn lose(&mut self) {
        self.lost.get_or_insert(self.tree.size());
    }

    /// The root over everything that was pushed.
    pub(crate) fn root(&self) -> Hash {
        self.tree.root()
    }

    /// The root at a mark, if the tree got there with every leaf in its place.
    pub(crate) fn at(&self, mark: u64) -> Option<Hash> {
        let index = self.marks.binary_search(&mark).ok()?;
        self.found.get(index).copied()
    }

    fn note(&mut self) {
        if self.lost.is_none() && self.marks.get(self.found.len()) == Some(&self.tree.size()) {
            self.found.push(self.tree.root());
        }
    }
}
