//! Making proofs and roots from the complete subtrees of a tree (RFC 6962 §2.1).

use std::error::Error;
use std::fmt;

use super::{CompactRange, Hash};

/// Where the hashes of a tree come from: a file of tiles, a list in memory, a server.
pub trait NodeSource {
    /// Why a hash could not be had.
    type Error;

    /// The root of the complete subtree of `2^level` leaves that begins with leaf
    /// `index * 2^level`; on level 0, the hash of leaf `index`.
    ///
    /// Is only asked for subtrees that lie wholly in the tree whose size was given. May block.
    ///
    /// # Errors
    ///
    /// When the hash could not be had; whoever asked passes that on.
    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// A slice has no such leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeMissing {
    /// The level that was asked for.
    pub level: u32,
    /// The index on that level.
    pub index: u64,
}

impl fmt::Display for NodeMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { level, index } = self;
        write!(f, "there are no leaves for node {index} of level {level}")
    }
}

impl Error for NodeMissing {}

/// The hashes of all leaves. Computes each inner node anew: for small trees.
impl NodeSource for [Hash] {
    type Error = NodeMissing;

    fn node(&self, level: u32, index: u64) -> Result<Hash, NodeMissing> {
        let leaves = || {
            let width = 1_u64.checked_shl(level)?;
            let start = index.checked_mul(width)?;
            let end = start.checked_add(width)?;
            self.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
        };
        let leaves = leaves().ok_or(NodeMissing { level, index })?;
        Ok(leaves.iter().copied().collect::<CompactRange>().root())
    }
}

impl<S: NodeSource + ?Sized> NodeSource for &S {
    type Error = S::Error;

    fn node(&self, level: u32, index: u64) -> Result<Hash, S::Error> {
        (**self).node(level, index)
    }
}

/// Why no proof was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProveError<E> {
    /// There is no such leaf, or no such older tree.
    OutOfRange {
        /// The index of the leaf, or the size of the older tree.
        asked: u64,
        /// How many leaves the tree has.
        size: u64,
    },
    /// A hash could not be had.
    Source(E),
}

impl<E> From<E> for ProveError<E> {
    fn from(source: E) -> Self {
        Self::Source(source)
    }
}

impl<E> fmt::Display for ProveError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange { asked, size } => {
                write!(f, "a tree of {size} leaves has no proof for {asked}: it lies behind its end")
            }
            Self::Source(_) => f.write_str("a hash of the tree could not be read"),
        }
    }
}

impl<E: Error + 'static> Error for ProveError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Source(source) => Some(source),
            Self::OutOfRange { .. } => None,
        }
    }
}

/// The proof that leaf `index` stands in the tree of `size` leaves, for
/// [`verify_inclusion`](super::verify_inclusion).
///
/// Asks for at most 64 nodes beside the way down, and as many more as the right edge has.
///
/// # Errors
///
/// When `index` is not below `size`, or a node cannot be had.
pub fn inclusion_proof<S: NodeSource + ?Sized>(
    index: u64,
    size: u64,
    nodes: &S,
) -> Result<Vec<Hash>, ProveError<S::Error>> {
    if index >= size {
        return Err(ProveError::OutOfRange { asked: index, size });
    }
    let mut subtree = Subtree { start: 0, end: size };
    let mut path = Vec::new();
    while let Some((left, right)) = subtree.children() {
        let (sibling, next) = if index < right.start { (right, left) } else { (left, right) };
        path.push(sibling.root(nodes)?);
        subtree = next;
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of `size` leaves begins with that of `old_size` leaves, for
/// [`verify_consistency`](super::verify_consistency).
///
/// # Errors
///
/// When `old_size` is above `size`, or a node cannot be had.
pub fn consistency_proof<S: NodeSource + ?Sized>(
    old_size: u64,
    size: u64,
    nodes: &S,
) -> Result<Vec<Hash>, ProveError<S::Error>> {
    if old_size > size {
        return Err(ProveError::OutOfRange { asked: old_size, size });
    }
    if old_size == 0 || old_size == size {
        return Ok(Vec::new());
    }
    let mut subtree = Subtree { start: 0, end: size };
    let mut path = Vec::new();
    // Down to the subtree whose end is the end of the old tree.
    while subtree.end != old_size {
        let Some((left, right)) = subtree.children() else {
            break;
        };
        let (sibling, next) = if old_size <= right.start { (right, left) } else { (left, right) };
        path.push(sibling.root(nodes)?);
        subtree = next;
    }
    // One that begins the tree is the old tree itself: its root is known.
    if subtree.start != 0 {
        path.push(subtree.root(nodes)?);
    }
    path.reverse();
    Ok(path)
}

/// The right edge of the tree of `size` leaves: asks for at most 64 nodes.
///
/// # Errors
///
/// When a node cannot be had.
pub fn compact_range_of<S: NodeSource + ?Sized>(size: u64, nodes: &S) -> Result<CompactRange, S::Error> {
    let whole = Subtree { start: 0, end: size };
    whole.compact_range(nodes)
}

/// The root of the tree of `size` leaves: asks for at most 64 nodes.
///
/// # Errors
///
/// When a node cannot be had.
pub fn root_of<S: NodeSource + ?Sized>(size: u64, nodes: &S) -> Result<Hash, S::Error> {
    Ok(compact_range_of(size, nodes)?.root())
}

/// The leaves `start..end`, where they form a subtree: `start` is a multiple of the smallest
/// power of two that is not below their number.
#[derive(Clone, Copy)]
struct Subtree {
    start: u64,
    end: u64,
}

impl Subtree {
    /// The two halves, the left one complete, or nothing for a single leaf.
    fn children(self) -> Option<(Self, Self)> {
        let width = self.end - self.start;
        if width < 2 {
            return None;
        }
        let middle = self.start + (1 << (width - 1).ilog2());
        let (start, end) = (self.start, self.end);
        Some((Self { start, end: middle }, Self { start: middle, end }))
    }

    fn root<S: NodeSource + ?Sized>(self, nodes: &S) -> Result<Hash, S::Error> {
        Ok(self.compact_range(nodes)?.root())
    }

    /// Its complete subtrees, largest first.
    fn compact_range<S: NodeSource + ?Sized>(self, nodes: &S) -> Result<CompactRange, S::Error> {
        let size = self.end - self.start;
        let mut peaks = Vec::with_capacity(size.count_ones() as usize);
        let mut start = self.start;
        while start < self.end {
            let level = (self.end - start).ilog2();
            peaks.push(nodes.node(level, start >> level)?);
            start += 1 << level;
        }
        Ok(CompactRange::from_parts(size, peaks))
    }
}
