//! Comparing a replica with the log: does one continue the other, or do they contradict each other?

use std::ops::Range;
use std::time::Instant;

use crate::backend::{Backend, BackendError, Head, Opened};
use crate::evidence::{Hash, SignedCheckpoint};
use crate::key::VerifierKey;
use crate::record::line;

/// What an opened replica is to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// It holds no log yet.
    Empty,
    /// It holds a beginning of the log, or all of it.
    Beginning,
    /// It holds all of the log, and more that continues it.
    Continuation,
}

/// Why there is no relation.
#[derive(Debug)]
pub(crate) enum Mismatch {
    /// It contradicts the log.
    Forked(String),
    /// It, or the log, could not be read.
    Store(BackendError),
}

impl From<BackendError> for Mismatch {
    fn from(error: BackendError) -> Self {
        Self::Store(error)
    }
}

/// Reads lines of one side.
pub(crate) type Read<'a> = dyn FnMut(Range<u64>) -> Result<Vec<u8>, BackendError> + 'a;

/// Compares the log that ends at `own`, named and signed as `key` says, with what the replica `name`
/// held when it was opened.
pub(crate) fn compare(
    name: &str,
    key: &VerifierKey,
    own: Head,
    read_own: &mut Read<'_>,
    replica: &mut dyn Backend,
    opened: &Opened,
    deadline: Instant,
) -> Result<Relation, Mismatch> {
    let Some(text) = &opened.verifier_key else {
        return Ok(Relation::Empty);
    };
    same_log(name, key, text)?;
    signed_by(name, key, opened)?;
    let theirs = opened.head;
    let mut read_theirs = |range| replica.read(range, deadline);
    let common = own.size.min(theirs.size);
    if common > 0 {
        let last = common - 1;
        let ours_there = if own.size == common { own.leaf } else { leaf_at(last, read_own)? };
        let theirs_there = if theirs.size == common { theirs.leaf } else { leaf_at(last, &mut read_theirs)? };
        if ours_there != theirs_there {
            // That they differ is known; where is worth a search, and not worth forgetting that.
            let place = match first_difference(common, read_own, &mut read_theirs) {
                Ok(seq) => format!("from record {seq} on"),
                Err(_) => format!("at or before record {last}"),
            };
            return Err(Mismatch::Forked(format!(
                "the primary has {} records and the replica `{name}` {}, and they are not the same {place}",
                own.size, theirs.size
            )));
        }
    }
    Ok(if theirs.size > own.size { Relation::Continuation } else { Relation::Beginning })
}

fn same_log(name: &str, key: &VerifierKey, text: &str) -> Result<(), Mismatch> {
    let known = VerifierKey::parse(text.trim_end())
        .map_err(|error| Mismatch::Forked(format!("the verifier key in the replica `{name}` is none: {error}")))?;
    if known.name() == key.name() && known.public_key() == key.public_key() {
        return Ok(());
    }
    Err(Mismatch::Forked(format!("the replica `{name}` holds another log, `{known}`; this one is `{key}`")))
}

fn signed_by(name: &str, key: &VerifierKey, opened: &Opened) -> Result<(), Mismatch> {
    let Some(note) = &opened.checkpoint else {
        return Ok(());
    };
    let wrong = |what: String| Mismatch::Forked(format!("the newest checkpoint in the replica `{name}` {what}"));
    let signed = SignedCheckpoint::parse(note).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    signed.verify(key).map_err(|error| wrong(format!("is not signed by the log's key: {error}")))?;
    let checkpoint = signed.checkpoint();
    if checkpoint.origin != key.name() {
        return Err(wrong(format!("is of the log `{}`", checkpoint.origin)));
    }
    if checkpoint.size > opened.head.size {
        return Err(wrong(format!("covers {} records, and it holds {}", checkpoint.size, opened.head.size)));
    }
    Ok(())
}

/// The leaf hash of one line.
pub(crate) fn leaf_at(seq: u64, read: &mut Read<'_>) -> Result<Hash, BackendError> {
    let bytes = read(seq..seq + 1)?;
    let found = bytes.strip_suffix(b"\n");
    found.map(line::leaf).ok_or_else(|| BackendError::Tampered {
        seq: Some(seq),
        detail: "the line is not there although the store says that it holds more".into(),
    })
}

/// The first line in which two logs differ whose lines at `common - 1` differ: each line's hash covers
/// all before it.
fn first_difference(common: u64, ours: &mut Read<'_>, theirs: &mut Read<'_>) -> Result<u64, BackendError> {
    let (mut same, mut differs) = (0, common - 1);
    while same < differs {
        let middle = same + (differs - same) / 2;
        if leaf_at(middle, ours)? == leaf_at(middle, theirs)? {
            same = middle + 1;
        } else {
            differs = middle;
        }
    }
    Ok(differs)
}
