//! Checkpoints (C2SP tlog-checkpoint): the signed head of a tree.

use std::error::Error;
use std::fmt;

use super::{Hash, NoteError, SignatureError, SignedNote};
use crate::key::{Key, SignError, VerifierKey};

/// How long a log is, and the root of its tree.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// How many leaves the tree has.
    pub size: u64,
    /// The root of the tree.
    pub root: Hash,
    /// Further lines, opaque here; none are written by this crate.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// A checkpoint without extension lines.
    #[must_use]
    pub fn new(origin: impl Into<String>, size: u64, root: Hash) -> Self {
        Self { origin: origin.into(), size, root, extensions: Vec::new() }
    }

    /// Reads the text of a checkpoint, signature lines not included.
    ///
    /// # Errors
    ///
    /// When it is not: origin, size in decimal without leading zeros, root in standard base64,
    /// and any number of extension lines, none of them empty and each ended by a line feed.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let lines = text.strip_suffix('\n').ok_or(CheckpointError::Lines)?;
        if lines.split('\n').any(|line| line.is_empty() || line.contains(|character: char| character < ' ')) {
            return Err(CheckpointError::Lines);
        }
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(CheckpointError::Lines);
        };
        Ok(Self {
            origin: origin.to_owned(),
            size: parse_decimal(size).ok_or(CheckpointError::Size)?,
            root: Hash::from_base64(root).map_err(|_| CheckpointError::Root)?,
            extensions: lines.map(str::to_owned).collect(),
        })
    }

    /// The text that is signed.
    ///
    /// Fields that hold line feeds give a text that [`parse`](Self::parse) refuses or reads
    /// differently; [`SignedCheckpoint::sign`] signs no such text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let root = self.root.to_base64();
        let mut text = format!("{}\n{}\n{root}\n", self.origin, self.size);
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// An unsigned decimal without sign, leading zeros or anything else.
pub(super) fn parse_decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    (plain && !leading_zero).then(|| text.parse().ok())?
}

/// A checkpoint in its signed note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: SignedNote,
}

impl SignedCheckpoint {
    /// Reads a signed checkpoint. No signature is verified.
    ///
    /// # Errors
    ///
    /// When the bytes are not a signed note, or its text is not a checkpoint.
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let note = SignedNote::parse(bytes).map_err(CheckpointError::Note)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        Ok(Self { checkpoint, note })
    }

    /// Signs `checkpoint` with each of `keys`: one, or the old and the new where a key is
    /// replaced. The keys must have the log's origin as their name.
    ///
    /// Blocks as long as the keys' [`Signer`](crate::key::Signer)s do.
    ///
    /// # Errors
    ///
    /// When the checkpoint cannot be written as one, a key has another name, or does not sign.
    pub fn sign<'k>(checkpoint: Checkpoint, keys: impl IntoIterator<Item = &'k Key>) -> Result<Self, SignError> {
        let text = checkpoint.to_text();
        if Checkpoint::parse(&text).as_ref() != Ok(&checkpoint) {
            return Err(SignError::Text { fault: "an origin or extension line is empty or holds a control character" });
        }
        let keys: Vec<&Key> = keys.into_iter().collect();
        if keys.iter().any(|key| key.name() != checkpoint.origin) {
            return Err(SignError::Text { fault: "the origin is not the name of the key" });
        }
        let note = SignedNote::sign(&text, keys)?;
        Ok(Self { checkpoint, note })
    }

    /// The checkpoint.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note around it.
    #[must_use]
    pub const fn note(&self) -> &SignedNote {
        &self.note
    }

    /// Checks that `key` has the name of this log and signed this checkpoint. A key of a whole
    /// fleet takes the name first: [`VerifierKey::for_origin`].
    ///
    /// # Errors
    ///
    /// When the checkpoint is of another log, not signed by `key`, or its signature is bad.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), SignatureError> {
        if self.checkpoint.origin != key.name() {
            return Err(SignatureError::Origin {
                found: self.checkpoint.origin.clone(),
                expected: key.name().to_owned(),
            });
        }
        self.note.verify(key)
    }

    /// The bytes of the signed note.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.note.to_bytes()
    }
}

/// Why bytes are not a signed checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Not even a signed note.
    Note(NoteError),
    /// Fewer than three lines, an empty one, or one that is not ended.
    Lines,
    /// The second line is not a size.
    Size,
    /// The third line is not a hash.
    Root,
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note(source) => return write!(f, "not a checkpoint: {source}"),
            Self::Lines => {
                "not a checkpoint: it needs an origin, a size and a root, each on a line that \
                 is not empty"
            }
            Self::Size => {
                "not a checkpoint: its second line is not a size (decimal, below 2^64, no \
                 leading zeros)"
            }
            Self::Root => "not a checkpoint: its third line is not 32 bytes in standard base64",
        })
    }
}

impl Error for CheckpointError {}
