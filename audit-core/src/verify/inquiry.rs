use super::Verdict;
use crate::evidence::{Hash, SignedCheckpoint};

/// A verdict on one log, and what else is needed to compare the log with another copy of it.
#[derive(Debug)]
pub(crate) struct Inquiry {
    pub(crate) verdict: Verdict,
    /// The largest checkpoint that is well signed and whose root fits.
    pub(crate) newest: Option<SignedCheckpoint>,
    /// One more than the last number.
    pub(crate) size: u64,
    /// Whether the log was read to its end.
    pub(crate) complete: bool,
    /// Whether the log should have gone on and did not.
    pub(crate) fell_silent: bool,
    /// How often the log promises a record, in microseconds.
    pub(crate) heartbeat: Option<i64>,
    /// Sizes, ascending, and the roots of the tree there.
    pub(crate) roots: Vec<(u64, Hash)>,
}

impl Inquiry {
    /// Of a log that could not be read at all.
    pub(crate) const fn unreadable(verdict: Verdict) -> Self {
        Self { verdict, newest: None, size: 0, complete: false, fell_silent: false, heartbeat: None, roots: Vec::new() }
    }
}
