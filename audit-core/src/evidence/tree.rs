use std::fmt;

use super::{Hash, node_hash};

/// The right edge of a tree: one hash for each complete subtree, largest first.
///
/// At most 64 hashes, enough to append leaves in O(1) amortised and to compute the root
/// (RFC 6962 §2.1) without the leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompactRange {
    size: u64,
    peaks: Vec<Hash>,
}

/// The number of hashes is not the number of complete subtrees of a tree of that size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCompactRange;

impl fmt::Display for InvalidCompactRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a compact range holds one hash of 32 bytes for each bit set in its size")
    }
}

impl std::error::Error for InvalidCompactRange {}

impl CompactRange {
    /// The empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// A tree of `size` leaves from the roots of its complete subtrees, largest first.
    ///
    /// # Errors
    ///
    /// When the number of hashes does not fit `size`. Whether they are the right hashes, only
    /// comparing [`root`](Self::root) with a signed one tells.
    pub fn from_peaks(size: u64, peaks: Vec<Hash>) -> Result<Self, InvalidCompactRange> {
        if size.count_ones() as usize == peaks.len() { Ok(Self { size, peaks }) } else { Err(InvalidCompactRange) }
    }

    /// A tree of `size` leaves from the bytes that [`to_bytes`](Self::to_bytes) gave.
    ///
    /// # Errors
    ///
    /// When the length does not fit `size`; see [`from_peaks`](Self::from_peaks).
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Result<Self, InvalidCompactRange> {
        let (peaks, rest) = bytes.as_chunks();
        if rest.is_empty() {
            Self::from_peaks(size, peaks.iter().copied().map(Hash::from_bytes).collect())
        } else {
            Err(InvalidCompactRange)
        }
    }

    /// One hash for each bit that is set in `size`: for callers that have made sure of it.
    pub(super) fn from_parts(size: u64, peaks: Vec<Hash>) -> Self {
        debug_assert_eq!(size.count_ones() as usize, peaks.len());
        Self { size, peaks }
    }

    /// How many leaves the tree has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the complete subtrees, largest first.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// The roots of the complete subtrees, 32 bytes each, largest first. The size is not among
    /// the bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.peaks.len() * 32);
        for peak in &self.peaks {
            bytes.extend_from_slice(peak.as_bytes());
        }
        bytes
    }

    /// Appends a leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The root of the tree (RFC 6962 §2.1).
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(smallest) = peaks.next() else {
            return Hash::empty_root();
        };
        peaks.fold(*smallest, |right, left| node_hash(left, &right))
    }
}

/// Appends leaves by their hashes.
impl Extend<Hash> for CompactRange {
    fn extend<I: IntoIterator<Item = Hash>>(&mut self, leaves: I) {
        for leaf in leaves {
            self.push(leaf);
        }
    }
}

/// The tree of these leaves.
impl FromIterator<Hash> for CompactRange {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut tree = Self::new();
        tree.extend(leaves);
        tree
    }
}
