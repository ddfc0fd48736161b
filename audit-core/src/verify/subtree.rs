//! Growing a tree by complete subtrees instead of leaf by leaf.

use super::hashing::{node, two_nodes};
use crate::evidence::Hash;

/// The root of a complete subtree of `2^level` leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subtree {
    pub(crate) level: u32,
    pub(crate) root: Hash,
}

/// Appends the largest complete subtrees of `leaves`, left to right, the first leaf being number
/// `start` of its tree. `nodes` is overwritten.
pub(crate) fn subtrees(mut start: u64, leaves: &[Hash], nodes: &mut Vec<Hash>, out: &mut Vec<Subtree>) {
    nodes.clear();
    nodes.extend_from_slice(leaves);
    let mut right = Vec::new();
    for level in 0.. {
        let (mut from, mut to) = (0, nodes.len());
        if start % 2 == 1 && from < to {
            let root = nodes[from];
            out.push(Subtree { level, root });
            from += 1;
            start += 1;
        }
        if (to - from) % 2 == 1 {
            to -= 1;
            let root = nodes[to];
            right.push(Subtree { level, root });
        }
        if from == to {
            break;
        }
        // The pairs of a level do not depend on each other, so the processor overlaps them.
        let pairs = (to - from) / 2;
        for pair in (0..pairs / 2).map(|half| half * 2) {
            let at = from + 2 * pair;
            let (one, other) = ([&nodes[at], &nodes[at + 1]], [&nodes[at + 2], &nodes[at + 3]]);
            (nodes[pair], nodes[pair + 1]) = two_nodes(one, other);
        }
        if pairs % 2 == 1 {
            let at = from + 2 * (pairs - 1);
            nodes[pairs - 1] = node(&nodes[at], &nodes[at + 1]);
        }
        nodes.truncate(pairs);
        start /= 2;
    }
    out.extend(right.into_iter().rev());
}

/// The right edge of a tree that grows by leaves and by complete subtrees.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// How many leaves there are.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub(crate) fn push(&mut self, leaf: Hash) {
        self.push_subtree(Subtree { level: 0, root: leaf });
    }

    /// Appends a complete subtree. The size has to be a multiple of its number of leaves.
    pub(crate) fn push_subtree(&mut self, subtree: Subtree) {
        debug_assert_eq!(self.size % (1 << subtree.level), 0);
        let mut root = subtree.root;
        let mut rest = self.size >> subtree.level;
        while rest % 2 == 1 {
            if let Some(left) = self.peaks.pop() {
                root = node(&left, &root);
            }
            rest /= 2;
        }
        self.peaks.push(root);
        self.size += 1 << subtree.level;
    }

    /// The root of the tree (RFC 6962 §2.1).
    pub(crate) fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(smallest) = peaks.next() else {
            return Hash::empty_root();
        };
        peaks.fold(*smallest, |right, left| node(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{CompactRange, leaf_hash};

    #[test]
    fn a_tree_grown_by_subtrees_is_the_tree_grown_by_leaves() {
        let leaves: Vec<Hash> = (0..200_u8).map(|byte| leaf_hash(&[byte])).collect();
        let mut whole = CompactRange::new();
        let mut roots = vec![whole.root()];
        for leaf in &leaves {
            whole.push(*leaf);
            roots.push(whole.root());
        }
        for first in 0..70 {
            for second in first..leaves.len() {
                let mut frontier = Frontier::default();
                let mut nodes = Vec::new();
                for (start, end) in [(0, first), (first, second), (second, leaves.len())] {
                    let mut parts = Vec::new();
                    subtrees(start as u64, &leaves[start..end], &mut nodes, &mut parts);
                    assert!(parts.len() <= 16);
                    for part in parts {
                        frontier.push_subtree(part);
                    }
                    assert_eq!(frontier.size(), end as u64);
                    assert_eq!(frontier.root(), roots[end]);
                }
            }
        }
    }
}
