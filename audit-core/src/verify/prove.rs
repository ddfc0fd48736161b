//! Making the proof for one record, and checking it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use super::lines::Lines;
use super::stored_tiles::StoredNodes;
use super::subtree::{Frontier, Subtree};
use super::{LogReader, ReadError};
use crate::evidence::{
    CheckpointError, Hash, NodeSource, ProveError, SignatureError, SignedCheckpoint, TiledTreeError, TlogProof,
    UnprovenError, inclusion_proof, leaf_hash, verify_inclusion,
};
use crate::key::VerifierKey;
use crate::record::Frame;

/// Why there is no proof for a record.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProofError {
    /// No checkpoint covers the record yet. Try again after the next one.
    NotSigned {
        /// The record.
        seq: u64,
        /// How many records the newest checkpoint covers; 0 if there is none.
        signed: u64,
    },
    /// The record that a checkpoint covers is not there, or not what it should be.
    Tampered {
        /// The record.
        seq: u64,
        /// What is wrong.
        detail: String,
    },
    /// The newest checkpoint cannot be read.
    Checkpoint(CheckpointError),
    /// The newest checkpoint is not signed by the key beside the log.
    Signature(SignatureError),
    /// The log could not be read.
    Read(ReadError),
}

impl ProofError {
    /// Whether the evidence says no, rather than that it could not be told.
    #[must_use]
    pub const fn is_tampering(&self) -> bool {
        matches!(self, Self::Tampered { .. } | Self::Checkpoint(_) | Self::Signature(_))
    }
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSigned { seq, signed: 0 } => {
                write!(f, "no checkpoint covers record {seq} yet: there is none")
            }
            Self::NotSigned { seq, signed } => {
                write!(f, "no checkpoint covers record {seq} yet: the newest covers the first {signed}")
            }
            Self::Tampered { seq, detail } => write!(f, "record {seq} cannot be proved: {detail}"),
            Self::Checkpoint(error) => write!(f, "the newest checkpoint cannot be read: {error}"),
            Self::Signature(error) => write!(f, "the newest checkpoint: {error}"),
            Self::Read(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ProofError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Checkpoint(error) => Some(error),
            Self::Signature(error) => Some(error),
            Self::Read(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ReadError> for ProofError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// The proof that record `seq` stands in the log, for anyone with the verifier key: its line, the
/// way to the root, and the newest signed checkpoint (C2SP tlog-proof).
///
/// Takes the hashes from tiles where the store has them, which takes milliseconds however long
/// the log is; otherwise it reads and hashes the log.
///
/// # Errors
///
/// See [`ProofError`].
pub fn prove(reader: &dyn LogReader, seq: u64) -> Result<TlogProof, ProofError> {
    let checkpoint = newest_checkpoint(reader, seq)?;
    let tampered = |detail: &str| ProofError::Tampered { seq, detail: detail.to_owned() };
    let mut lines = Lines::from(reader, seq)?;
    let line = lines
        .next_line()?
        .filter(|line| Frame::parse(line).is_ok_and(|frame| frame.seq == seq))
        .ok_or_else(|| tampered("it is not there; `verify` says more"))?
        .to_vec();
    let (size, root) = (checkpoint.checkpoint().size, checkpoint.checkpoint().root);
    let leaf = leaf_hash(&line);
    let leads = |path: &[Hash]| verify_inclusion(seq, size, &leaf, path, &root).is_ok();
    let path = match from_tiles(reader, seq, size)?.filter(|path| leads(path)) {
        Some(path) => path,
        None => from_lines(reader, seq, size)?
            .filter(|path| leads(path))
            .ok_or_else(|| tampered("the tree of the log is not the one that was signed; `verify` says more"))?,
    };
    Ok(TlogProof::new(seq, path, checkpoint).with_extra(line))
}

fn newest_checkpoint(reader: &dyn LogReader, seq: u64) -> Result<SignedCheckpoint, ProofError> {
    let bytes = reader.checkpoint()?.ok_or(ProofError::NotSigned { seq, signed: 0 })?;
    let checkpoint = SignedCheckpoint::parse(&bytes).map_err(ProofError::Checkpoint)?;
    let signed = checkpoint.checkpoint().size;
    if seq >= signed {
        return Err(ProofError::NotSigned { seq, signed });
    }
    if let Some(text) = reader.verifier_key()?
        && let Ok(key) = VerifierKey::parse(&String::from_utf8_lossy(&text))
    {
        checkpoint.verify(&key).map_err(ProofError::Signature)?;
    }
    Ok(checkpoint)
}

/// The way to the root from what the store keeps of the tree, `None` when that does not suffice.
fn from_tiles(reader: &dyn LogReader, seq: u64, size: u64) -> Result<Option<Vec<Hash>>, ProofError> {
    match inclusion_proof(seq, size, &StoredNodes::new(reader, size)?) {
        Ok(path) => Ok(Some(path)),
        Err(ProveError::Source(TiledTreeError::Source(error))) => Err(ProofError::Read(error)),
        Err(_) => Ok(None),
    }
}

/// The way to the root by hashing lines, `None` when there are too few.
fn from_lines(reader: &dyn LogReader, seq: u64, size: u64) -> Result<Option<Vec<Hash>>, ProofError> {
    let asked = Asked::default();
    if inclusion_proof(seq, size, &asked).is_err() {
        return Ok(None);
    }
    let mut nodes = asked.0.into_inner();
    let mut wanted: Vec<(u32, u64)> = nodes.keys().copied().collect();
    wanted.sort_unstable_by_key(|(level, index)| index << level);
    let mut lines = Lines::from(reader, 0)?;
    let mut next = 0;
    for (level, index) in wanted {
        let (start, end) = (index << level, (index + 1) << level);
        let mut tree = Frontier::default();
        while next < end {
            let Some(line) = lines.next_line()? else {
                return Ok(None);
            };
            if next >= start {
                tree.push_subtree(Subtree { level: 0, root: leaf_hash(line) });
            }
            next += 1;
        }
        nodes.insert((level, index), tree.root());
    }
    Ok(inclusion_proof(seq, size, &Asked(RefCell::new(nodes))).ok())
}

/// Nodes by level and index. Remembers which ones were asked for.
#[derive(Default)]
struct Asked(RefCell<BTreeMap<(u32, u64), Hash>>);

impl NodeSource for Asked {
    type Error = std::convert::Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error> {
        Ok(*self.0.borrow_mut().entry((level, index)).or_insert(Hash::ZERO))
    }
}

/// Why a proof does not prove a record.
#[derive(Debug)]
#[non_exhaustive]
pub enum CheckError {
    /// It carries no record line.
    NoRecord,
    /// The line that it carries is not record number [`index`](TlogProof::index).
    OtherRecord {
        /// What the line is instead.
        detail: String,
    },
    /// The key is not one of this log.
    OtherLog {
        /// The log that the proof is about.
        origin: String,
        /// The name of the key.
        key: String,
    },
    /// Signature or path do not hold.
    Unproven(UnprovenError),
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRecord => f.write_str("the proof carries no record"),
            Self::OtherRecord { detail } => write!(f, "the line in the proof is another record: {detail}"),
            Self::OtherLog { origin, key } => {
                write!(f, "the proof is about the log `{origin}`, the key is named `{key}`")
            }
            Self::Unproven(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CheckError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unproven(error) => Some(error),
            _ => None,
        }
    }
}

/// Checks that `key` vouches for the record line in `proof`, and returns that line.
///
/// `key` may have the name of the log, of its origin, or of a parent of that.
///
/// # Errors
///
/// See [`CheckError`].
pub fn check<'p>(proof: &'p TlogProof, key: &VerifierKey) -> Result<&'p [u8], CheckError> {
    let line = proof.extra.as_deref().ok_or(CheckError::NoRecord)?;
    let origin = &proof.checkpoint.checkpoint().origin;
    let key = key
        .for_origin(origin)
        .ok_or_else(|| CheckError::OtherLog { origin: origin.clone(), key: key.name().to_owned() })?;
    proof.verify(&leaf_hash(line), &key).map_err(CheckError::Unproven)?;
    match Frame::parse(line) {
        Ok(frame) if frame.seq == proof.index => Ok(line),
        Ok(frame) => Err(CheckError::OtherRecord { detail: format!("it has number {}", frame.seq) }),
        Err(error) => Err(CheckError::OtherRecord { detail: error.to_string() }),
    }
}
