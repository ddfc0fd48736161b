//! Proofs that travel (C2SP tlog-proof): index, inclusion proof and checkpoint in one file.

use std::error::Error;
use std::fmt;

use base64ct::{Base64, Encoding};

use super::checkpoint::parse_decimal;
use super::{CheckpointError, Hash, ProofError, SignatureError, SignedCheckpoint, verify_inclusion};
use crate::key::VerifierKey;

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The proof that a record stands in a log, checked offline with the log's verifier key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlogProof {
    /// Bytes beside the proof, for this crate the record line. Nothing vouches for them before
    /// their leaf hash has been verified. Empty is the same as none.
    pub extra: Option<Vec<u8>>,
    /// The index of the leaf.
    pub index: u64,
    /// From the leaf's sibling up to the child of the root.
    pub path: Vec<Hash>,
    /// The tree that the leaf stands in.
    pub checkpoint: SignedCheckpoint,
}

impl TlogProof {
    /// A proof is at most this many bytes long, checkpoint and `extra` included.
    pub const SIZE_LIMIT: usize = 1_200_000;

    /// A proof has at most this many hashes.
    pub const PATH_LIMIT: usize = 63;

    /// A proof without extra bytes.
    #[must_use]
    pub const fn new(index: u64, path: Vec<Hash>, checkpoint: SignedCheckpoint) -> Self {
        Self { extra: None, index, path, checkpoint }
    }

    /// The same proof with `extra` bytes beside it.
    #[must_use]
    pub fn with_extra(mut self, extra: impl Into<Vec<u8>>) -> Self {
        self.extra = Some(extra.into());
        self
    }

    /// Reads a proof. The form is checked strictly, so that the same bytes come out of
    /// [`to_bytes`](Self::to_bytes); nothing is verified.
    ///
    /// # Errors
    ///
    /// When the bytes are not a proof, or exceed [`SIZE_LIMIT`](Self::SIZE_LIMIT),
    /// [`PATH_LIMIT`](Self::PATH_LIMIT) or a limit of the checkpoint.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogProofError> {
        if bytes.len() > Self::SIZE_LIMIT {
            return Err(TlogProofError::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| TlogProofError::Header)?;
        let rest = text.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('\n')).ok_or(TlogProofError::Header)?;
        // No line of the proof itself is empty: the first that is ends it.
        let (proof, checkpoint) = rest.split_once("\n\n").ok_or(TlogProofError::Cut)?;
        let mut lines = proof.split('\n');
        let mut line = lines.next().unwrap_or_default();
        let mut extra = None;
        if let Some(base64) = line.strip_prefix("extra ") {
            let bytes = Base64::decode_vec(base64).map_err(|_| TlogProofError::Extra)?;
            if bytes.is_empty() {
                return Err(TlogProofError::Extra);
            }
            extra = Some(bytes);
            line = lines.next().unwrap_or_default();
        }
        let index = line.strip_prefix("index ").and_then(parse_decimal).ok_or(TlogProofError::Index)?;
        let mut path = Vec::new();
        for line in lines {
            if path.len() == Self::PATH_LIMIT {
                return Err(TlogProofError::TooManyHashes);
            }
            path.push(Hash::from_base64(line).map_err(|_| TlogProofError::Hash)?);
        }
        let checkpoint = SignedCheckpoint::parse(checkpoint.as_bytes()).map_err(TlogProofError::Checkpoint)?;
        Ok(Self { extra, index, path, checkpoint })
    }

    /// The bytes of the proof.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!("{HEADER}\n");
        if let Some(extra) = self.extra.as_deref().filter(|extra| !extra.is_empty()) {
            text.push_str("extra ");
            text.push_str(&Base64::encode_string(extra));
            text.push('\n');
        }
        text.push_str(&format!("index {}\n", self.index));
        for hash in &self.path {
            text.push_str(&hash.to_base64());
            text.push('\n');
        }
        text.push('\n');
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.checkpoint.to_bytes());
        bytes
    }

    /// Checks that `key` signed the checkpoint, and that the leaf with the hash `leaf` stands at
    /// [`index`](Self::index) in its tree.
    ///
    /// The caller computes `leaf` from bytes that it has or that it takes from
    /// [`extra`](Self::extra); what is proved is about those bytes. `key` has the log's origin as
    /// its name: see [`VerifierKey::for_origin`].
    ///
    /// # Errors
    ///
    /// When the checkpoint is of another log, not signed by `key`, or the proof does not lead
    /// from the leaf to its root.
    pub fn verify(&self, leaf: &Hash, key: &VerifierKey) -> Result<(), UnprovenError> {
        self.checkpoint.verify(key).map_err(UnprovenError::Signature)?;
        let checkpoint = self.checkpoint.checkpoint();
        verify_inclusion(self.index, checkpoint.size, leaf, &self.path, &checkpoint.root)
            .map_err(UnprovenError::Inclusion)
    }
}

/// Why bytes are not a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlogProofError {
    /// Longer than [`TlogProof::SIZE_LIMIT`].
    TooLong,
    /// Not text that begins with the name of the format.
    Header,
    /// No empty line between proof and checkpoint.
    Cut,
    /// An `extra` line that is not base64, or empty.
    Extra,
    /// No `index` line, or one without a decimal number.
    Index,
    /// A line of the inclusion proof that is not a hash.
    Hash,
    /// More than [`TlogProof::PATH_LIMIT`] hashes.
    TooManyHashes,
    /// What follows the empty line is not a signed checkpoint.
    Checkpoint(CheckpointError),
}

impl fmt::Display for TlogProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "a proof is at most 1,200,000 bytes long",
            Self::Header => "not a proof: the first line has to be c2sp.org/tlog-proof@v1",
            Self::Cut => "not a proof: no empty line sets off the checkpoint; it may have been cut off",
            Self::Extra => "not a proof: the line `extra` holds no standard base64",
            Self::Index => {
                "not a proof: there has to be a line `index` with a decimal number without \
                 leading zeros"
            }
            Self::Hash => "not a proof: a line of the inclusion proof is not 32 bytes in standard base64",
            Self::TooManyHashes => "not a proof: an inclusion proof has at most 63 hashes",
            Self::Checkpoint(source) => return write!(f, "not a proof: {source}"),
        })
    }
}

impl Error for TlogProofError {}

/// Why a proof does not prove that a record stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnprovenError {
    /// The checkpoint is not the log's.
    Signature(SignatureError),
    /// The leaf is not where the proof says, in the tree that was signed.
    Inclusion(ProofError),
}

impl fmt::Display for UnprovenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature(_) => f.write_str("the checkpoint in the proof is not accepted"),
            Self::Inclusion(_) => f.write_str("the record is not the one that the checkpoint covers"),
        }
    }
}

impl Error for UnprovenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Signature(source) => Some(source),
            Self::Inclusion(source) => Some(source),
        }
    }
}
