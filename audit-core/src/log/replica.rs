use std::time::Duration;

use crate::backend::Backend;

/// A further place of a log, filled from its primary.
///
/// Gets every synced line, in order and once, from a thread of its own that keeps its own place. It
/// catches up after an outage, and never slows the primary down unless a rule asks for `copies` or
/// for a class that only a replica reaches.
#[derive(Debug)]
#[must_use = "a replica is given to `Builder::replica`"]
pub struct Replica {
    pub(crate) backend: Box<dyn Backend>,
    pub(crate) name: Option<String>,
    pub(crate) lag_records: u64,
    pub(crate) lag_time: Duration,
}

impl Replica {
    /// A replica in `backend`, called by the kind of its store.
    pub fn new(backend: impl Backend + 'static) -> Self {
        Self::boxed(Box::new(backend))
    }

    /// As [`new`](Self::new), for a store that is boxed already.
    pub fn boxed(backend: Box<dyn Backend>) -> Self {
        Self { backend, name: None, lag_records: 100_000, lag_time: Duration::from_secs(300) }
    }

    /// What records, errors and [`Health`](super::Health) call it: at most 64 bytes of it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// When it is behind by more records than this, the log says so in an `alert`: 100,000.
    pub const fn lag_records(mut self, records: u64) -> Self {
        self.lag_records = records;
        self
    }

    /// When its oldest missing record is older than this, the log says so in an `alert`: 5 min.
    pub const fn lag_time(mut self, time: Duration) -> Self {
        self.lag_time = time;
        self
    }
}
