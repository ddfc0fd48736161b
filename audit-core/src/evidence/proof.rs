//! Checking proofs (RFC 9162 §2.1.3.2 and §2.1.4.2, for the trees of RFC 6962 §2.1).

use std::error::Error;
use std::fmt;

use super::{Hash, node_hash};

/// Checks that the leaf with the hash `leaf` stands at `index` in the tree of `size` leaves
/// with `root`.
///
/// `path` is ordered from the leaf's sibling up to the child of the root. Costs at most 64
/// hashes, however long `path` is; does not allocate.
///
/// `size` and `root` have to come from the same signed checkpoint: some proofs lead to the same
/// root under neighbouring sizes, and only the signature ties the two together.
///
/// # Errors
///
/// When the proof does not show that.
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash, path: &[Hash], root: &Hash) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange { index, size });
    }
    let mut climb = Climb::new(index, size - 1);
    let mut computed = *leaf;
    for sibling in path {
        computed = match climb.step()? {
            Side::Left => node_hash(sibling, &computed),
            Side::Right => node_hash(&computed, sibling),
        };
    }
    climb.finish()?;
    if computed == *root { Ok(()) } else { Err(ProofError::OtherRoot) }
}

/// Checks that the tree of `size` leaves with `root` begins with the `old_size` leaves whose
/// tree has `old_root`.
///
/// The empty tree is the beginning of every tree and needs an empty `path`. Costs at most 128
/// hashes, however long `path` is; does not allocate.
///
/// # Errors
///
/// When the proof does not show that.
pub fn verify_consistency(
    old_size: u64,
    size: u64,
    path: &[Hash],
    old_root: &Hash,
    root: &Hash,
) -> Result<(), ProofError> {
    if old_size > size {
        return Err(ProofError::Shrunk { old_size, size });
    }
    if old_size == 0 || old_size == size {
        return verify_trivial(old_size, path, old_root, root);
    }
    // The old root itself stands in the newer tree when it is of a complete subtree.
    let (first, rest) =
        if old_size.is_power_of_two() { (old_root, path) } else { path.split_first().ok_or(ProofError::TooShort)? };
    let mut climb = Climb::new(old_size - 1, size - 1);
    climb.skip_right_children();
    let (mut old, mut new) = (*first, *first);
    for node in rest {
        match climb.step()? {
            Side::Left => {
                old = node_hash(node, &old);
                new = node_hash(node, &new);
            }
            Side::Right => new = node_hash(&new, node),
        }
    }
    climb.finish()?;
    if old == *old_root && new == *root { Ok(()) } else { Err(ProofError::OtherRoot) }
}

fn verify_trivial(old_size: u64, path: &[Hash], old_root: &Hash, root: &Hash) -> Result<(), ProofError> {
    if !path.is_empty() {
        return Err(ProofError::TooLong);
    }
    let expected = if old_size == 0 { Hash::empty_root() } else { *root };
    if *old_root == expected { Ok(()) } else { Err(ProofError::OtherRoot) }
}

/// On which side of the way up the next hash of a proof stands.
enum Side {
    Left,
    Right,
}

/// The way from a leaf to the root: the node's index and that of the last node, level by level.
struct Climb {
    node: u64,
    last: u64,
}

impl Climb {
    const fn new(node: u64, last: u64) -> Self {
        Self { node, last }
    }

    /// Goes up while the node is a right child: those subtrees lie wholly in the old tree.
    const fn skip_right_children(&mut self) {
        let levels = self.node.trailing_ones();
        self.up(levels);
    }

    /// One hash of the proof: on which side it stands. Ends below the next one.
    const fn step(&mut self) -> Result<Side, ProofError> {
        if self.last == 0 {
            return Err(ProofError::TooLong);
        }
        let left = self.node & 1 == 1 || self.node == self.last;
        if left && self.node & 1 == 0 {
            // The last node of an odd level moves up until it has a sibling.
            let levels = self.node.trailing_zeros();
            self.up(levels);
        }
        self.up(1);
        Ok(if left { Side::Left } else { Side::Right })
    }

    const fn finish(&self) -> Result<(), ProofError> {
        if self.last == 0 { Ok(()) } else { Err(ProofError::TooShort) }
    }

    const fn up(&mut self, levels: u32) {
        self.node = match self.node.checked_shr(levels) {
            Some(node) => node,
            None => 0,
        };
        self.last = match self.last.checked_shr(levels) {
            Some(last) => last,
            None => 0,
        };
    }
}

/// Why a proof does not prove what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProofError {
    /// The tree has no leaf of this index.
    OutOfRange {
        /// The index.
        index: u64,
        /// How many leaves the tree has.
        size: u64,
    },
    /// The newer tree is the smaller one.
    Shrunk {
        /// How many leaves the older tree has.
        old_size: u64,
        /// How many leaves the newer tree has.
        size: u64,
    },
    /// The proof has more hashes than the way to the root.
    TooLong,
    /// The proof has fewer hashes than the way to the root.
    TooShort,
    /// The proof leads to another root: a hash, an index, a size or the leaf is not the one that
    /// was signed.
    OtherRoot,
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange { index, size } => {
                write!(f, "a tree of {size} leaves has no leaf {index}")
            }
            Self::Shrunk { old_size, size } => {
                write!(f, "a tree of {size} leaves cannot continue one of {old_size} leaves")
            }
            Self::TooLong => f.write_str("the proof has too many hashes"),
            Self::TooShort => f.write_str("the proof has too few hashes"),
            Self::OtherRoot => f.write_str("the proof leads to another root: what was proved is not what was signed"),
        }
    }
}

impl Error for ProofError {}
