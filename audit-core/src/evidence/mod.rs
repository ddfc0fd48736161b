//! Hashes, trees, notes, proofs: evidence that anyone can check.
//!
//! Nothing here does I/O or reads a clock.

mod hash;
mod tree;

pub(crate) use hash::leaf_hash_in_place;
pub use hash::{Hash, ParseHashError, leaf_hash, node_hash};
pub use tree::{CompactRange, InvalidCompactRange};
