use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What became of the calls that the log was told of since it was opened.
///
/// `seen = recorded + excluded + refused + lost` once nothing is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// Calls and events that callers brought.
    pub seen: u64,
    /// Those whose intent or event is in the log.
    pub recorded: u64,
    /// Those that a rule of level `none` excludes.
    pub excluded: u64,
    /// Those that are not in the log and did not go ahead.
    pub refused: u64,
    /// Those that are not in the log and went ahead, as their rule allows.
    pub lost: u64,
}

/// The counters behind [`Coverage`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) seen: AtomicU64,
    pub(crate) recorded: AtomicU64,
    pub(crate) excluded: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) lost: AtomicU64,
}

impl Counters {
    pub(crate) fn snapshot(&self) -> Coverage {
        Coverage {
            recorded: self.recorded.load(Relaxed),
            excluded: self.excluded.load(Relaxed),
            refused: self.refused.load(Relaxed),
            lost: self.lost.load(Relaxed),
            // Read last, so that a snapshot never counts more than was seen.
            seen: self.seen.load(Relaxed),
        }
    }
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
