//! Hashes, trees, notes, proofs: evidence that anyone can check.
//!
//! Nothing here does I/O or reads a clock.

mod checkpoint;
mod hash;
mod note;
mod tree;

pub use checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
pub(crate) use hash::leaf_hash_in_place;
pub use hash::{Hash, ParseHashError, leaf_hash, node_hash};
pub use note::{NoteError, NoteSignature, SignatureError, SignedNote};
pub use tree::{CompactRange, InvalidCompactRange};
