use std::time::Duration;

/// Which batches suit a store. The log's own limits ([`LogLimits`](crate::log::LogLimits)) apply as
/// well: the smaller bound counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Batching {
    /// How long the first record of a batch may wait for company; zero by default, so that batches
    /// form only while the store is busy. It has to be well below the deadlines of the policy.
    pub linger: Duration,
    /// The most records in a batch; as many as the log allows by default.
    pub records: usize,
    /// The most bytes in a batch; as many as the log allows by default. A single record may have
    /// more.
    pub bytes: usize,
}

impl Default for Batching {
    fn default() -> Self {
        Self { linger: Duration::ZERO, records: usize::MAX, bytes: usize::MAX }
    }
}

impl Batching {
    /// Batches whose first record waits for `linger`.
    #[must_use]
    pub const fn lingering(linger: Duration) -> Self {
        Self { linger, records: usize::MAX, bytes: usize::MAX }
    }

    /// The most records in a batch.
    #[must_use]
    pub const fn records(mut self, records: usize) -> Self {
        self.records = records;
        self
    }

    /// The most bytes in a batch.
    #[must_use]
    pub const fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }
}
