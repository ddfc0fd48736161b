//! The newest checkpoint: what has to be on disk whatever happened.

use super::create;
use super::layout::Layout;
use crate::backend::BackendError;
use crate::evidence::Hash;

/// The longest note that is read.
const NOTE_LIMIT: u64 = 1_000_000;

/// The newest checkpoint of a log; its signature is not checked here.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub(super) note: Vec<u8>,
    pub(super) size: u64,
    pub(super) root: Hash,
}

/// Reads the newest checkpoint of the log that `verifier_key` signs.
pub(super) fn read(layout: &Layout, verifier_key: &str) -> Result<Option<Signed>, BackendError> {
    let path = layout.checkpoint();
    let wrong = |what: &str| BackendError::Tampered {
        seq: None,
        detail: format!("{}: {what}; keep the directory as evidence and start a new log elsewhere", path.display()),
    };
    let note = create::read_small(&path, NOTE_LIMIT)
        .map_err(|source| super::fault::failed("reading the newest checkpoint", &path, source))?;
    let Some(note) = note else {
        return Ok(None);
    };
    let (origin, size, root) = parse(&note).ok_or_else(|| wrong("this is not a checkpoint"))?;
    let name = verifier_key.split('+').next().unwrap_or_default();
    if origin != name {
        return Err(wrong(&format!("a checkpoint of {origin:?} in the log of {name:?}")));
    }
    Ok(Some(Signed { note, size, root }))
}

/// Origin, size and root: the first three lines of a checkpoint.
fn parse(note: &[u8]) -> Option<(String, u64, Hash)> {
    let text = std::str::from_utf8(note).ok()?;
    let mut lines = text.split('\n');
    let origin = lines.next().filter(|origin| !origin.is_empty())?;
    let size = lines.next()?;
    let canonical = size == "0" || !size.starts_with('0');
    let digits = size.bytes().all(|byte| byte.is_ascii_digit());
    let size = size.parse().ok().filter(|_| canonical && digits)?;
    let root = Hash::from_base64(lines.next()?).ok()?;
    lines.next()?;
    Some((origin.to_owned(), size, root))
}
