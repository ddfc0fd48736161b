use std::time::Duration;

use super::LogAt;

/// Where copies are kept: a store of many, or the copy of one log.
#[derive(Debug)]
pub struct Copies<'a> {
    pub(super) location: String,
    /// The place by which an earlier run knows it.
    pub(super) place: String,
    pub(super) logs: Vec<LogAt<'a>>,
    /// Whether this is one log, rather than a store that may hold others too.
    pub(super) one: bool,
    pub(super) lag_records: Option<u64>,
    pub(super) lag_time: Option<Duration>,
}

impl<'a> Copies<'a> {
    /// The store at `location`, a directory or URL for messages, and the logs that are there. If the
    /// only one of them has this very location, it is the copy of one log.
    #[must_use]
    pub fn new(location: impl Into<String>, logs: impl IntoIterator<Item = LogAt<'a>>) -> Self {
        let (location, logs) = (location.into(), logs.into_iter().collect::<Vec<_>>());
        let one = matches!(logs.as_slice(), [log] if log.location() == location);
        Self { place: location.clone(), location, logs, one, lag_records: None, lag_time: None }
    }

    /// Gives the text that stands for the location however it is spelled; see [`LogAt::known_as`].
    /// If the only log there is known as the same, it is the copy of one log.
    #[must_use]
    pub fn known_as(mut self, place: impl Into<String>) -> Self {
        self.place = place.into();
        self.one = matches!(self.logs.as_slice(), [log] if log.place() == self.place);
        self
    }

    /// Warns of a copy that is behind by more than so many records.
    #[must_use]
    pub const fn lag_records(mut self, records: u64) -> Self {
        self.lag_records = Some(records);
        self
    }

    /// Warns of a copy that has been behind for longer than this. Without it, for longer than the
    /// heartbeat of the log where the records that it lacks are signed. Needs
    /// [`Fleet::now`](super::Fleet::now).
    #[must_use]
    pub const fn lag_time(mut self, lag: Duration) -> Self {
        self.lag_time = Some(lag);
        self
    }
}
