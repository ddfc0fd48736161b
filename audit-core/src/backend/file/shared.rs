//! What the half that appends and the half that syncs share: no lock here is held across I/O.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::lock::Lock;
use crate::backend::BackendError;
use crate::evidence::Hash;

/// Leaf hashes that wait to go into tiles: 32 MiB. Those beyond are read from the lines again.
const WAITING_LEAVES: usize = 1 << 20;

/// The state of an open log that both halves need.
#[derive(Debug)]
pub(super) struct Shared {
    poison: OnceLock<String>,
    /// How many lines were written by calls that have returned.
    written: AtomicU64,
    /// The first line of the segment that is appended to.
    segment: AtomicU64,
    unsynced: Mutex<Unsynced>,
    leaves: Mutex<WaitingLeaves>,
    /// Given back when both halves are gone.
    _lock: Lock,
}

/// The files whose bytes may not be on stable storage yet.
#[derive(Clone, Debug)]
pub(super) struct Unsynced {
    /// Oldest first; the last one is being appended to.
    pub(super) files: Vec<Arc<fs::File>>,
    /// Whether the directory of the segments has new entries.
    pub(super) directory: bool,
}

/// Leaf hashes in a row, from line `first` on.
#[derive(Debug, Default)]
pub(super) struct WaitingLeaves {
    pub(super) first: u64,
    pub(super) hashes: Vec<Hash>,
}

impl Shared {
    pub(super) fn new(lock: Lock, written: u64, first: u64, current: Arc<fs::File>) -> Self {
        Self {
            poison: OnceLock::new(),
            written: AtomicU64::new(written),
            segment: AtomicU64::new(first),
            unsynced: Mutex::new(Unsynced { files: vec![current], directory: true }),
            leaves: Mutex::default(),
            _lock: lock,
        }
    }

    /// Refuses everything once stable storage has failed.
    pub(super) fn check(&self) -> Result<(), BackendError> {
        match self.poison.get() {
            None => Ok(()),
            Some(detail) => Err(BackendError::Poisoned { detail: detail.clone() }),
        }
    }

    /// Stops both halves for good if `error` says that the disk failed.
    pub(super) fn poison_if_broken(&self, error: BackendError) -> BackendError {
        if let BackendError::Poisoned { detail } = &error {
            self.poison(detail.clone());
        }
        error
    }

    /// Stops both halves for good; the first reason is kept.
    pub(super) fn poison(&self, detail: String) {
        // A second failure adds nothing to the first.
        let _first = self.poison.set(detail);
    }

    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    pub(super) fn set_written(&self, lines: u64) {
        self.written.store(lines, Ordering::Release);
    }

    /// The files to sync, as of now.
    pub(super) fn unsynced(&self) -> Unsynced {
        lock(&self.unsynced).clone()
    }

    /// The first line of the segment that is appended to.
    pub(super) fn segment(&self) -> u64 {
        self.segment.load(Ordering::Acquire)
    }

    /// From now on lines, the first of them `first`, go to `file`, whose directory entry is new.
    pub(super) fn rotated_to(&self, first: u64, file: Arc<fs::File>) {
        self.segment.store(first, Ordering::Release);
        let mut unsynced = lock(&self.unsynced);
        unsynced.files.push(file);
        unsynced.directory = true;
    }

    /// Forgets the files that `done` says are synced, but never the one that is appended to.
    pub(super) fn synced(&self, done: &Unsynced) {
        let mut unsynced = lock(&self.unsynced);
        let finished = done.files.len().saturating_sub(1);
        unsynced.files.drain(..finished);
        if unsynced.files.len() == 1 {
            unsynced.directory = false;
        }
    }

    /// Keeps the leaf hashes of lines from `first` on until they go into tiles.
    pub(super) fn add_leaves(&self, first: u64, leaves: &[Hash]) {
        let mut waiting = lock(&self.leaves);
        if waiting.hashes.is_empty() {
            waiting.first = first;
        }
        let follows = waiting.first + waiting.hashes.len() as u64 == first;
        if follows && waiting.hashes.len() + leaves.len() <= WAITING_LEAVES {
            waiting.hashes.extend_from_slice(leaves);
        }
    }

    /// Takes the leaf hashes that wait.
    pub(super) fn take_leaves(&self) -> WaitingLeaves {
        std::mem::take(&mut lock(&self.leaves))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
