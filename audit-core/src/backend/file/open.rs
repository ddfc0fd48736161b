//! Telling what a directory holds, and putting the halves of an open log together.

use std::fmt;
use std::fs;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::layout::Layout;
use super::lock::Lock;
use super::range::SignedEnd;
use super::segment::Segment;
use super::shared::Shared;
use super::synchronizer::FileSynchronizer;
use super::tiler::Tiler;
use super::writer::Writer;
use super::{File, OpenLog, State, create, fault, recover, signed};
use crate::backend::{BackendError, Opened};
use crate::key::VerifierKey;

/// The longest text of a verifier key that is read.
const KEY_LIMIT: u64 = 4_096;

/// Opens the log in `layout`, whose lock is held, and makes it safe to append to.
pub(super) fn log(
    options: &File,
    layout: Layout,
    lock: Lock,
    verifier_key: &VerifierKey,
    deadline: Instant,
) -> Result<(State, Opened), BackendError> {
    make_directories(&layout)?;
    let kept = signed::newest_kept(&layout);
    let signed = signed::read(&layout, verifier_key, kept)?;
    let mut found = recover::recover(&layout, signed.as_ref(), deadline)?;
    let current = match found.firsts.last() {
        Some(first) => Segment::open(&layout, *first, found.len)?,
        None => {
            found.firsts.push(0);
            Segment::create(&layout, 0)?
        }
    };
    let shared = Arc::new(Shared::new(lock, found.head.size, current.first(), Arc::clone(current.file())));
    let size = signed.as_ref().map(|signed| signed.size);
    shared.add_leaves(size.unwrap_or(0), &found.leaves);
    let SignedEnd { range, leaves } = found.signed;
    let first = size.unwrap_or(0) - leaves.len() as u64;
    let tiler = Tiler::new(layout.clone(), first, leaves);
    let synchronizer = FileSynchronizer::new(layout.clone(), Arc::clone(&shared), tiler, found.head.size, size, kept);
    let writer = Writer::new(options, layout, shared, found.firsts, current, found.head);
    let opened = Opened {
        verifier_key: Some(verifier_key.to_string()),
        signed_range: signed.is_some().then_some(range),
        checkpoint: signed.map(|signed| signed.note),
        head: found.head,
        recovery: found.recovery,
    };
    let state = State::Open(Box::new(OpenLog { writer, synchronizer: Some(synchronizer) }));
    Ok((state, opened))
}

/// Takes a directory without a log for an empty store, unless it holds what is left of one.
pub(super) fn empty(layout: &Layout, lock: Lock) -> Result<(State, Opened), BackendError> {
    let has_lines = fs::read_dir(layout.segments())
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| entry.metadata().is_ok_and(|metadata| metadata.len() > 0));
    if !has_lines && !layout.checkpoint().exists() {
        return Ok((State::Empty(lock), Opened::empty()));
    }
    Err(BackendError::Misconfigured {
        detail: format!(
            "{} is missing, but {} holds a log: put back the verifier key that it was created with",
            layout.verifier_key().display(),
            layout.dir().display()
        ),
    })
}

/// Makes a directory into a log: once the key is there, it is one.
pub(super) fn found(layout: &Layout, verifier_key: &VerifierKey) -> Result<(), BackendError> {
    make_directories(layout)?;
    let path = layout.verifier_key();
    create::replace(&path, format!("{verifier_key}\n").as_bytes())
        .map_err(|error| fault::failed("writing the verifier key", &path, error))
}

/// Makes the directories that are missing: a crash may have come before they were made.
fn make_directories(layout: &Layout) -> Result<(), BackendError> {
    for path in [layout.segments(), layout.checkpoints(), layout.tiles(), layout.quarantine()] {
        create::directory(&path)?;
    }
    Ok(())
}

/// The verifier key of the log, if there is a log.
pub(super) fn verifier_key(layout: &Layout) -> Result<Option<VerifierKey>, BackendError> {
    let path = layout.verifier_key();
    let wrong = |what: &dyn fmt::Display| BackendError::Misconfigured {
        detail: format!("{}: {what}; put back the verifier key that the log was created with", path.display()),
    };
    let bytes = create::read_small(&path, KEY_LIMIT).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => wrong(&error),
        _ => fault::failed("reading the verifier key", &path, error),
    })?;
    let Some(bytes) = bytes else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&bytes).map_err(|error| wrong(&error))?;
    VerifierKey::parse(text).map(Some).map_err(|error| wrong(&error))
}

/// Refuses a directory that holds something else than a log.
pub(super) fn refuse_foreign(layout: &Layout) -> Result<(), BackendError> {
    if layout.verifier_key().exists() {
        return Ok(());
    }
    let failed = |error| fault::failed("looking at the directory", layout.dir(), error);
    for entry in fs::read_dir(layout.dir()).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if !name.to_str().is_some_and(Layout::is_own_name) {
            return Err(BackendError::Misconfigured {
                detail: format!(
                    "{} is not empty and not a log: {} is there; name a directory of its own for the log",
                    layout.dir().display(),
                    name.display()
                ),
            });
        }
    }
    Ok(())
}
