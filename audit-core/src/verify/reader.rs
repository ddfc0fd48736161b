use std::fmt;

use super::Finding;
use crate::evidence::CompactRange;

/// A log could not be read. Says nothing about what is in it.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// What is there is not a log.
    NotALog {
        /// What was looked for, where, and what to do.
        detail: String,
    },
    /// The store did not answer, or not in a way that makes sense.
    Unavailable {
        /// What was being read.
        doing: String,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ReadError {
    /// Wraps an error of the store.
    pub fn unavailable(doing: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable { doing: doing.into(), source: source.into() }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotALog { detail } => f.write_str(detail),
            Self::Unavailable { doing, source } => write!(f, "{doing} failed: {source}"),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unavailable { source, .. } => Some(source.as_ref()),
            Self::NotALog { .. } => None,
        }
    }
}

/// What a [`LineSource`] delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Piece {
    /// This many bytes, at least one.
    Bytes(usize),
    /// A file or object ended, and another follows. A line that is not ended here is not
    /// continued there.
    PartEnd,
    /// Nothing more, for now.
    End,
}

/// The bytes of a log, one after the other.
pub trait LineSource: fmt::Debug + Send {
    /// Fills `buffer` from its start, as far as is convenient. Blocks as long as the store does.
    ///
    /// # Errors
    ///
    /// When the store fails.
    fn read(&mut self, buffer: &mut [u8]) -> Result<Piece, ReadError>;
}

/// The reading side of a store.
///
/// Everything it delivers is untrusted: a verifier believes signatures and hashes only.
pub trait LogReader: fmt::Debug + Sync {
    /// The verifier key that stands beside the log (C2SP vkey text), if any.
    ///
    /// # Errors
    ///
    /// When the store fails.
    fn verifier_key(&self) -> Result<Option<Vec<u8>>, ReadError>;

    /// The newest checkpoint, byte for byte, if any.
    ///
    /// # Errors
    ///
    /// When the store fails.
    fn checkpoint(&self) -> Result<Option<Vec<u8>>, ReadError>;

    /// The older checkpoints that the store keeps, with their names, oldest first.
    ///
    /// # Errors
    ///
    /// When the store fails.
    fn kept_checkpoints(&self) -> Result<Vec<(String, Vec<u8>)>, ReadError>;

    /// The lines from number `from` on, in the order of the store. `from` is found by the numbers
    /// that the lines carry; 0 is the start of the store, whatever stands there.
    ///
    /// # Errors
    ///
    /// When the store fails.
    fn lines(&self, from: u64) -> Result<Box<dyn LineSource>, ReadError>;

    /// How many lines there are: one more than the number of the last ended line.
    ///
    /// # Errors
    ///
    /// When the store fails.
    fn size(&self) -> Result<u64, ReadError>;

    /// A hash tile (C2SP tlog-tiles), if the store has it: 8,192 bytes, or 32 for each hash that it
    /// has so far.
    ///
    /// # Errors
    ///
    /// When the store fails.
    fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>, ReadError> {
        let _ = (level, index);
        Ok(None)
    }

    /// The compact range that the store keeps for the checkpoint of `size`, if it does.
    ///
    /// # Errors
    ///
    /// When the store fails.
    fn compact_range(&self, size: u64) -> Result<Option<CompactRange>, ReadError> {
        let _ = size;
        Ok(None)
    }

    /// What the store itself shows of tampering, besides what the lines and checkpoints say: delete
    /// markers, second versions, messages or rows that are gone. Nothing by default.
    ///
    /// # Errors
    ///
    /// When the store fails.
    fn inspect(&self) -> Result<Vec<Finding>, ReadError> {
        Ok(Vec::new())
    }

    /// About how many bytes of lines there are, for showing progress.
    fn size_hint(&self) -> Option<u64> {
        None
    }
}
