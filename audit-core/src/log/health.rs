use std::time::Duration;

/// How the log is doing, for a readiness probe: see [`AuditLog::health`](super::AuditLog::health).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Health {
    /// Whether the last append succeeded and the log is open.
    pub writable: bool,
    /// How long ago records were last appended; `None` before the first.
    pub last_commit_age: Option<Duration>,
    /// How many lines the log has.
    pub records: u64,
    /// How many of them are on stable storage.
    pub synced: u64,
    /// How many the newest checkpoint covers.
    pub signed: u64,
    /// Records that wait to be appended.
    pub queue_depth: usize,
    /// Activities that have begun and not ended.
    pub open_activities: usize,
    /// Calls known to be missing from the log that no `gap` record names yet.
    pub unreported_losses: u64,
    /// The last thing that went wrong, until an append succeeds.
    pub last_error: Option<String>,
}
