use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An amount of memory that many bodies share.
#[derive(Debug)]
pub(super) struct SharedMemory {
    limit: usize,
    used: AtomicUsize,
}

impl SharedMemory {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0) })
    }

    /// A share of `bytes`, unless that is more than is left.
    pub(super) fn take(self: &Arc<Self>, bytes: usize) -> Option<Share> {
        let grant = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.limit);
        self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, grant).ok()?;
        Some(Share { memory: Arc::clone(self), bytes })
    }
}

/// A part of a [`SharedMemory`], given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    memory: Arc<SharedMemory>,
    bytes: usize,
}

impl Share {
    /// Gives back all but `bytes`.
    pub(super) fn shrink(&mut self, bytes: usize) {
        let spare = self.bytes.saturating_sub(bytes);
        self.memory.used.fetch_sub(spare, Ordering::AcqRel);
        self.bytes -= spare;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink(0);
    }
}
