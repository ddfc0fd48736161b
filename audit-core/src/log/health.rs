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
    /// The replicas, in the order in which they were given.
    pub replicas: Vec<ReplicaHealth>,
}

/// How a replica is doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReplicaHealth {
    /// What it is called.
    pub name: String,
    /// Whether it has been compared with the primary since the log was opened. While one has not,
    /// nothing is signed.
    pub compared: bool,
    /// How many lines it is known to hold.
    pub records: u64,
    /// How many synced lines it lacks; of one that has not been compared yet, how many have been
    /// synced since the log was opened.
    pub lag_records: u64,
    /// How long ago the oldest line that it lacks was synced, to within 100 ms or a thousandth of the
    /// outage.
    pub lag_time: Duration,
    /// The last thing that went wrong with it, until something works again.
    pub last_error: Option<String>,
}
