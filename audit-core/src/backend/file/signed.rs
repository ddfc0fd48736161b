//! The newest checkpoint: what has to be on disk whatever happened.

use super::layout::{Layout, checkpoint_size};
use super::{create, fault};
use crate::backend::BackendError;
use crate::evidence::{Checkpoint, Hash, SignedCheckpoint, SignedNote};
use crate::key::VerifierKey;

/// The newest checkpoint of a log; its signature is not checked here.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub(super) note: Vec<u8>,
    pub(super) size: u64,
    pub(super) root: Hash,
}

/// The size of the newest checkpoint that is kept for good, 0 if there is none.
pub(super) fn newest_kept(layout: &Layout) -> u64 {
    create::names(&layout.checkpoints(), checkpoint_size).into_iter().max().unwrap_or(0)
}

/// Reads the newest checkpoint of the log that `verifier_key` signs.
///
/// `kept` is the size of the newest checkpoint that is kept for good: the newest of all cannot be
/// older, for it is never replaced by an older one, and never removed.
pub(super) fn read(layout: &Layout, verifier_key: &VerifierKey, kept: u64) -> Result<Option<Signed>, BackendError> {
    let path = layout.checkpoint();
    let wrong = |what: String| BackendError::Tampered {
        seq: None,
        detail: format!("{}: {what}; keep the directory as evidence and start a new log elsewhere", path.display()),
    };
    let note = create::read_small(&path, SignedNote::SIZE_LIMIT as u64)
        .map_err(|source| fault::failed("reading the newest checkpoint", &path, source))?;
    let Some(note) = note else {
        return if kept == 0 {
            Ok(None)
        } else {
            Err(wrong(format!("it is gone, but checkpoints/{kept:020} is there")))
        };
    };
    let signed = SignedCheckpoint::parse(&note).map_err(|error| wrong(error.to_string()))?;
    let Checkpoint { origin, size, root, .. } = signed.checkpoint();
    if origin != verifier_key.name() {
        return Err(wrong(format!("a checkpoint of {origin:?} in the log of {:?}", verifier_key.name())));
    }
    if *size < kept {
        return Err(wrong(format!("it is about {size} lines, but checkpoints/{kept:020} is newer")));
    }
    Ok(Some(Signed { size: *size, root: *root, note }))
}
