//! Hashes, trees, notes, proofs: evidence that anyone can check.
//!
//! Nothing here does I/O or reads a clock, so that it can run anywhere: in a browser, in another
//! process, on a machine that never sees the log.
//!
//! * [`leaf_hash`] makes a leaf of a line; [`CompactRange`] is the tree while it grows.
//! * [`Checkpoint`] says how long the log is and what its root is; a [`SignedCheckpoint`] is the
//!   same in a [`SignedNote`], with the signatures of the log and of whoever has seen it.
//! * [`inclusion_proof`] and [`consistency_proof`] are made from a [`NodeSource`] and checked by
//!   [`verify_inclusion`] and [`verify_consistency`]; a [`TlogProof`] carries one to an auditor.
//! * A [`Tile`] is how a stored tree is cut into files; a [`TiledTree`] reads nodes from them.

mod checkpoint;
mod hash;
mod note;
mod proof;
mod prove;
mod tile;
mod tiled_tree;
mod tlog_proof;
mod tree;

pub use checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
pub(crate) use hash::leaf_hash_in_place;
pub use hash::{Hash, ParseHashError, leaf_hash, node_hash};
pub use note::{NoteError, NoteSignature, SignatureError, SignedNote};
pub use proof::{ProofError, verify_consistency, verify_inclusion};
pub use prove::{NodeMissing, NodeSource, ProveError, compact_range_of, consistency_proof, inclusion_proof, root_of};
pub use tile::{InvalidTile, TILE_HEIGHT, TILE_WIDTH, Tile, entries_path, tile_counts, tile_path};
pub use tiled_tree::{TileSource, TiledTree, TiledTreeError};
pub use tlog_proof::{TlogProof, TlogProofError, UnprovenError};
pub use tree::{CompactRange, InvalidCompactRange};
