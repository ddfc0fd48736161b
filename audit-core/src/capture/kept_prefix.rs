use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Withheld;
use super::shared_memory::{Share, SharedMemory};

/// The first bytes of a body as they came, until they are redacted.
pub(super) struct KeptPrefix {
    bytes: Zeroizing<Vec<u8>>,
    limit: usize,
    memory: Arc<SharedMemory>,
    share: Option<Share>,
    refused: bool,
}

impl KeptPrefix {
    /// Room for `limit` bytes, which is taken when the first one comes.
    pub(super) fn new(limit: usize, memory: &Arc<SharedMemory>) -> Self {
        let bytes = Zeroizing::new(Vec::new());
        Self { bytes, limit, memory: Arc::clone(memory), share: None, refused: false }
    }

    /// Keeps as much of `chunk` as there is room for.
    #[inline]
    pub(super) fn keep(&mut self, chunk: &[u8]) {
        if self.bytes.len() < self.limit && !self.refused && !chunk.is_empty() {
            self.keep_some(chunk);
        }
    }

    fn keep_some(&mut self, chunk: &[u8]) {
        if self.share.is_none() {
            self.share = self.memory.take(self.limit);
            self.refused = self.share.is_none();
            if self.refused {
                return;
            }
            // All of it at once: growing would leave copies behind that nobody wipes.
            self.bytes.reserve_exact(self.limit);
        }
        let room = self.limit.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&chunk[..room.min(chunk.len())]);
    }

    /// The bytes, which are wiped when dropped, and the memory that is set aside for them.
    pub(super) fn into_parts(self) -> Result<(Zeroizing<Vec<u8>>, Option<Share>), Withheld> {
        if self.refused { Err(Withheld::Memory) } else { Ok((self.bytes, self.share)) }
    }
}

impl fmt::Debug for KeptPrefix {
    /// Says how much there is, never what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptPrefix").field("bytes", &self.bytes.len()).field("limit", &self.limit).finish()
    }
}
