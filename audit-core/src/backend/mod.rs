//! Where lines are kept: the contract of a store, and the stores of this crate.

mod batching;
mod capabilities;
mod concern;
pub mod contract;
mod durability;
mod error;
mod file;
mod memory;

use std::fmt;
use std::ops::Range;
use std::time::Instant;

use crate::evidence::{CompactRange, Hash};

pub use batching::Batching;
pub use capabilities::{Capabilities, Fencing};
pub use concern::Concern;
pub use durability::Durability;
pub use error::BackendError;
pub use file::{File, FileReader};
pub use memory::Memory;

/// The end of a log: how many lines, and the leaf hash of the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many lines there are; the `seq` of the next one.
    pub size: u64,
    /// The leaf hash of the last line, [`Hash::ZERO`] in an empty log: the next line's `prev`.
    pub leaf: Hash,
}

impl Head {
    /// The head of a log without lines.
    pub const EMPTY: Self = Self { size: 0, leaf: Hash::ZERO };
}

/// Lines to be appended in one go.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Batch<'a> {
    /// The `seq` of the first line.
    pub first: u64,
    /// Whole lines, each ended by a line feed.
    pub bytes: &'a [u8],
    /// For each line, where it ends in `bytes`, its line feed included.
    pub ends: &'a [usize],
    /// For each line, its leaf hash.
    pub leaves: &'a [Hash],
    /// Whether the batch may use the room that is kept for outcomes and for the log's own
    /// records: it holds no new intents.
    pub may_use_reserve: bool,
}

impl<'a> Batch<'a> {
    /// A batch; `ends` and `leaves` have one entry for each line of `bytes`.
    #[must_use]
    pub const fn new(
        first: u64,
        bytes: &'a [u8],
        ends: &'a [usize],
        leaves: &'a [Hash],
        may_use_reserve: bool,
    ) -> Self {
        Self { first, bytes, ends, leaves, may_use_reserve }
    }

    /// The head of the log once the batch is in it; `None` for a batch without lines.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.leaves.last().map(|leaf| Head { size: self.first + self.leaves.len() as u64, leaf: *leaf })
    }
}

/// What was cut off the end of a log when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// The size of the newest checkpoint, up to which lines are signed.
    pub signed: u64,
    /// How many whole, chained lines after the newest checkpoint were kept.
    pub adopted: u64,
    /// Where the cut was made: a byte offset within the last segment or object.
    pub offset: u64,
    /// How many bytes were cut off; 0 if none.
    pub cut_bytes: u64,
    /// How many ended lines were among them.
    pub cut_lines: u64,
    /// SHA-256 of the bytes that were cut off; `None` if none were.
    pub cut_sha256: Option<Hash>,
}

impl Recovery {
    /// Nothing cut: `adopted` lines after a checkpoint of size `signed`.
    #[must_use]
    pub const fn adopted(signed: u64, adopted: u64) -> Self {
        Self { signed, adopted, offset: 0, cut_bytes: 0, cut_lines: 0, cut_sha256: None }
    }
}

/// What a store holds when a writer has taken it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Opened {
    /// The verifier key (C2SP vkey text) that the log was created with; `None` in an empty store.
    pub verifier_key: Option<String>,
    /// The newest checkpoint, a C2SP signed note, byte for byte; `None` if there is none.
    pub checkpoint: Option<Vec<u8>>,
    /// The compact range at the size of `checkpoint`, if the store could derive one whose root is
    /// the one in the checkpoint. Its signature is not checked by the store.
    pub signed_range: Option<CompactRange>,
    /// The end of the log.
    pub head: Head,
    /// Set when the last writer did not close the log in order.
    pub recovery: Option<Recovery>,
}

impl Opened {
    /// An empty store.
    #[must_use]
    pub const fn empty() -> Self {
        Self { verifier_key: None, checkpoint: None, signed_range: None, head: Head::EMPTY, recovery: None }
    }
}

/// A store of lines that only grows.
///
/// Blocking, and called only on the log's own threads. There is no update and no delete. The rules
/// that an implementation has to keep are those that the conformance suite checks:
///
/// 1. `append` is conditional on the head. Other bytes never take a position: a second writer gets
///    [`BackendError::Conflict`] and nothing is overwritten.
/// 2. The same lines sent again after an unknown result are recognised by their bytes.
/// 3. `read` returns, byte for byte, what `append` was given.
/// 4. Every call ends by its deadline with a typed error, whatever the store does.
/// 5. After a crash a whole-line prefix of what was sent is there, and everything acknowledged.
pub trait Backend: Send + fmt::Debug {
    /// The kind of store, for messages: `file`, `memory`, `s3`, …
    fn name(&self) -> &'static str;

    /// Which store it is, however it is reached: the same text for the same log in the same place, and
    /// another one for every other. Asked after `open` or `create`; holds no secret. `None`, the
    /// default, when nobody can tell.
    fn place(&self) -> Option<String> {
        None
    }

    /// What the store can promise. Before `open` this is what its configuration says; afterwards,
    /// what was found.
    fn capabilities(&self) -> Capabilities;

    /// Which batches suit the store: one that charges for each request wants few.
    fn batching(&self) -> Batching {
        Batching::default()
    }

    /// Takes the log for this writer, repairs what a crash left, and says what is there.
    ///
    /// # Errors
    ///
    /// [`BackendError::InUse`] when another writer has it, [`BackendError::Tampered`] when it holds
    /// less than its newest checkpoint says or a line that does not chain, and the others as for
    /// any call.
    fn open(&mut self, deadline: Instant) -> Result<Opened, BackendError>;

    /// Makes an empty store into a log that `verifier_key` (C2SP vkey text) signs.
    ///
    /// # Errors
    ///
    /// [`BackendError::Conflict`] when it is one already.
    fn create(&mut self, verifier_key: &str, deadline: Instant) -> Result<(), BackendError>;

    /// The end of the log as the store has it now: asked after an unknown result.
    ///
    /// # Errors
    ///
    /// As for any call.
    fn head(&mut self, deadline: Instant) -> Result<Head, BackendError>;

    /// Appends `batch` after `expected`, and says which durability its lines have now.
    ///
    /// # Errors
    ///
    /// [`BackendError::outcome_is_known`] tells whether nothing was written or nobody knows.
    fn append(&mut self, expected: Head, batch: &Batch<'_>, deadline: Instant) -> Result<Durability, BackendError>;

    /// Reads whole lines from `range.start` on: at least one, at most `range`, as many as fit one
    /// convenient read. Empty when the log ends at or before `range.start`.
    ///
    /// # Errors
    ///
    /// As for any call.
    fn read(&mut self, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError>;

    /// A reader of the same log for other threads: what replicas are filled from. It sees every line
    /// whose `append` has returned. Called after `open` or `create`, as often as there are replicas.
    ///
    /// # Errors
    ///
    /// As for any call.
    fn reader(&mut self) -> Result<Box<dyn Reader>, BackendError>;

    /// The half that makes appended lines durable and publishes checkpoints, for use on a second
    /// thread. Called once, after `open` or `create`.
    ///
    /// # Errors
    ///
    /// As for any call.
    fn synchronizer(&mut self) -> Result<Box<dyn Synchronizer>, BackendError>;
}

/// The half of a [`Backend`] that waits for stable storage.
pub trait Synchronizer: Send + fmt::Debug {
    /// Makes every line whose `append` returned before this call as durable as the store can,
    /// and says how durable that is.
    ///
    /// # Errors
    ///
    /// [`BackendError::Poisoned`] when stable storage failed: nothing is acknowledged after that.
    fn sync(&mut self, deadline: Instant) -> Result<Durability, BackendError>;

    /// Persists a signed checkpoint over lines that are already synced, so that it survives a
    /// crash once this returns. `range` is the compact range at the checkpoint's size. One whose result
    /// was unknown is published again, byte for byte, before any other.
    ///
    /// # Errors
    ///
    /// As for any call.
    fn publish(&mut self, note: &[u8], range: &CompactRange, deadline: Instant) -> Result<(), BackendError>;

    /// Looks whether the store is still what it was when it was opened: settings that somebody may
    /// have changed since, rights that were added, things that were deleted. Called now and then
    /// while the log is open. Each concern becomes an `alert` record, once; by default there is none.
    ///
    /// # Errors
    ///
    /// As for any call; an error that may pass says nothing about the store and is ignored.
    fn inspect(&mut self, deadline: Instant) -> Result<Vec<Concern>, BackendError> {
        let _ = deadline;
        Ok(Vec::new())
    }
}

/// Reads lines of an open log, on another thread than its writer.
pub trait Reader: Send + fmt::Debug {
    /// As [`Backend::read`].
    ///
    /// # Errors
    ///
    /// As for any call.
    fn read(&mut self, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError>;
}
