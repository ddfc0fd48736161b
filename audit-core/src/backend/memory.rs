use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::{
    Backend, BackendError, Batch, Capabilities, Durability, Fencing, Head, Opened, Reader, Recovery, Synchronizer,
    contract,
};
use crate::evidence::CompactRange;

/// Bytes per chunk of memory; a larger batch gets a chunk of its own.
const CHUNK: usize = 1 << 20;

/// The most that one `read` returns, unless a single line is longer.
const READ: usize = 1 << 20;

/// A store in this process's memory, for tests and benches: it survives nothing.
///
/// Clones share the same lines, so that a test can keep one and look at what the log wrote into
/// the other. Lines are never removed: memory grows until the last clone is dropped.
///
/// By default it promises [`Durability::Accepted`], which is all that is true. Most rules ask for
/// more and are refused when the log opens; [`Memory::promising`] gets tests past that.
#[derive(Clone)]
pub struct Memory {
    store: Arc<Mutex<Store>>,
    capabilities: Capabilities,
}

impl Memory {
    /// An empty store that promises nothing but [`Durability::Accepted`].
    #[must_use]
    pub fn new() -> Self {
        Self::promising(Durability::Accepted)
    }

    /// An empty store that claims `durability` as soon as `append` returns.
    ///
    /// The claim is false: it is there so that tests and benches can run under rules that ask for
    /// more than memory can give.
    #[must_use]
    pub fn promising(durability: Durability) -> Self {
        Self::with_capabilities(Capabilities::new(durability, durability, Fencing::Enforced))
    }

    /// An empty store that claims `capabilities`: false claims, for tests and benches.
    #[must_use]
    pub fn with_capabilities(capabilities: Capabilities) -> Self {
        Self { store: Arc::default(), capabilities }
    }

    /// All lines, without their line feeds. Copies everything.
    #[must_use]
    pub fn lines(&self) -> Vec<Vec<u8>> {
        let store = self.store();
        let mut lines = Vec::with_capacity(usize::try_from(store.head.size).unwrap_or(0));
        for chunk in &store.chunks {
            let mut start = 0;
            for &end in &chunk.ends {
                lines.push(chunk.bytes[start..end - 1].to_vec());
                start = end;
            }
        }
        lines
    }

    /// The whole log as it would stand in a file. Copies everything.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let store = self.store();
        store.chunks.iter().flat_map(|chunk| chunk.bytes.iter().copied()).collect()
    }

    /// How many lines there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.store().head.size
    }

    /// The newest checkpoint that was published, byte for byte.
    #[must_use]
    pub fn checkpoint(&self) -> Option<Vec<u8>> {
        self.store().checkpoint.as_ref().map(|it| it.note.clone())
    }

    /// The text of the key that the log was created with.
    #[must_use]
    pub fn verifier_key(&self) -> Option<String> {
        self.store().verifier_key.clone()
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("head", &self.store().head)
            .field("capabilities", &self.capabilities)
            .finish_non_exhaustive()
    }
}

impl Backend for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn place(&self) -> Option<String> {
        Some(format!("memory:{:p}", Arc::as_ptr(&self.store)))
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn open(&mut self, deadline: Instant) -> Result<Opened, BackendError> {
        contract::in_time(deadline, "opening the log in memory")?;
        let store = self.store();
        let signed = store.checkpoint.as_ref().map_or(0, |it| it.range.size());
        let closed = store.last_line().is_none_or(contract::is_log_closed);
        Ok(Opened {
            verifier_key: store.verifier_key.clone(),
            checkpoint: store.checkpoint.as_ref().map(|it| it.note.clone()),
            signed_range: store.checkpoint.as_ref().map(|it| it.range.clone()),
            head: store.head,
            recovery: (!closed).then(|| Recovery::adopted(signed, store.head.size - signed)),
        })
    }

    fn create(&mut self, verifier_key: &str, deadline: Instant) -> Result<(), BackendError> {
        contract::in_time(deadline, "creating the log in memory")?;
        let mut store = self.store();
        if store.verifier_key.is_some() {
            return Err(BackendError::Conflict {
                found: Some(store.head),
                detail: "this memory holds a log already".into(),
            });
        }
        store.verifier_key = Some(verifier_key.to_owned());
        Ok(())
    }

    fn head(&mut self, deadline: Instant) -> Result<Head, BackendError> {
        contract::in_time(deadline, "reading the head from memory")?;
        Ok(self.store().head)
    }

    fn append(&mut self, expected: Head, batch: &Batch<'_>, deadline: Instant) -> Result<Durability, BackendError> {
        contract::in_time(deadline, "appending to memory")?;
        contract::check_batch(expected, batch)?;
        let mut store = self.store();
        let here = contract::already_here(store.head, expected, batch, |range| Ok(store.read(range)))?;
        store.push(batch, here);
        Ok(self.capabilities.append)
    }

    fn read(&mut self, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
        contract::in_time(deadline, "reading from memory")?;
        Ok(self.store().read(range).to_vec())
    }

    fn reader(&mut self) -> Result<Box<dyn Reader>, BackendError> {
        Ok(Box::new(MemoryReader(self.clone())))
    }

    fn synchronizer(&mut self) -> Result<Box<dyn Synchronizer>, BackendError> {
        Ok(Box::new(MemorySynchronizer(self.clone())))
    }
}

#[derive(Debug)]
struct MemoryReader(Memory);

impl Reader for MemoryReader {
    fn read(&mut self, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
        self.0.read(range, deadline)
    }
}

#[derive(Debug)]
struct MemorySynchronizer(Memory);

impl Synchronizer for MemorySynchronizer {
    fn sync(&mut self, deadline: Instant) -> Result<Durability, BackendError> {
        contract::in_time(deadline, "syncing memory")?;
        Ok(self.0.capabilities.sync)
    }

    fn publish(&mut self, note: &[u8], range: &CompactRange, deadline: Instant) -> Result<(), BackendError> {
        contract::in_time(deadline, "keeping a checkpoint in memory")?;
        let mut store = self.0.store();
        let published = store.checkpoint.as_ref().map(|it| it.range.size());
        contract::check_published(published, range.size(), store.head.size)?;
        store.checkpoint = Some(Published { note: note.to_vec(), range: range.clone() });
        Ok(())
    }
}

/// What the clones of one [`Memory`] share.
#[derive(Debug)]
struct Store {
    verifier_key: Option<String>,
    chunks: Vec<Chunk>,
    head: Head,
    checkpoint: Option<Published>,
}

impl Default for Store {
    fn default() -> Self {
        Self { verifier_key: None, chunks: Vec::new(), head: Head::EMPTY, checkpoint: None }
    }
}

#[derive(Debug)]
struct Published {
    note: Vec<u8>,
    range: CompactRange,
}

/// Some lines in a row; no line spans two chunks.
#[derive(Debug)]
struct Chunk {
    first: u64,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Store {
    /// Appends the lines of `batch` from the `skip`th on, all into one chunk.
    fn push(&mut self, batch: &Batch<'_>, skip: usize) {
        let start = contract::start_of(batch, skip);
        let bytes = &batch.bytes[start..];
        if bytes.is_empty() {
            return;
        }
        let fits = |chunk: &Chunk| chunk.bytes.len() + bytes.len() <= chunk.bytes.capacity();
        if !self.chunks.last().is_some_and(fits) {
            self.chunks.push(Chunk {
                first: self.head.size,
                bytes: Vec::with_capacity(CHUNK.max(bytes.len())),
                ends: Vec::new(),
            });
        }
        if let Some(chunk) = self.chunks.last_mut() {
            let base = chunk.bytes.len();
            chunk.bytes.extend_from_slice(bytes);
            let ends = batch.ends[skip..].iter().map(|end| base + end - start);
            chunk.ends.extend(ends);
        }
        self.head = batch.head().unwrap_or(self.head);
    }

    /// The lines of `range` that stand together with its first one, within [`READ`] bytes.
    fn read(&self, range: Range<u64>) -> &[u8] {
        let after = self.chunks.partition_point(|chunk| chunk.first <= range.start);
        let Some(chunk) = after.checked_sub(1).and_then(|at| self.chunks.get(at)) else {
            return &[];
        };
        let from = usize::try_from(range.start - chunk.first).unwrap_or(usize::MAX);
        if range.is_empty() || from >= chunk.ends.len() {
            return &[];
        }
        let wanted = usize::try_from(range.end - chunk.first).unwrap_or(usize::MAX);
        let ends = &chunk.ends[from..wanted.min(chunk.ends.len())];
        let start = from.checked_sub(1).map_or(0, |before| chunk.ends[before]);
        let fitting = ends.partition_point(|end| end - start <= READ).max(1);
        &chunk.bytes[start..ends[fitting - 1]]
    }

    fn last_line(&self) -> Option<&[u8]> {
        let last = self.head.size.checked_sub(1)?;
        self.read(last..self.head.size).strip_suffix(b"\n")
    }
}
