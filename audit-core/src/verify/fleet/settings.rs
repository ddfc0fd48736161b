use std::fmt;
use std::num::NonZero;
use std::time::SystemTime;

use super::{Copies, FleetState, LogAt};
use crate::evidence::SignedCheckpoint;
use crate::key::VerifierKey;
use crate::verify::Progress;

/// Checks many logs, and copies of them, and gives one verdict.
///
/// ```no_run
/// use audit_core::backend::FileReader;
/// use audit_core::verify::{Fleet, LogAt};
///
/// let log = |dir: &'static str| LogAt::new(dir, move || Ok(Box::new(FileReader::open(dir)?)));
/// let verdict = Fleet::of([log("/var/lib/payments/a"), log("/var/lib/payments/b")])
///     .replica("/mnt/replica", [log("/mnt/replica/a"), log("/mnt/replica/b")])
///     .run();
/// println!("{}", verdict.judgement());
/// ```
///
/// Logs are read one after the other, each with all cores and the memory that a
/// [`Verifier`](crate::verify::Verifier) needs; copies before what they are copies of, so that a
/// replica never seems to be ahead of a log that is being written.
pub struct Fleet<'a> {
    pub(super) logs: Vec<LogAt<'a>>,
    /// Whether these are all the logs that should be there.
    pub(super) whole: bool,
    /// Where they were looked for.
    pub(super) under: Option<String>,
    pub(super) replicas: Vec<Copies<'a>>,
    pub(super) key: Option<VerifierKey>,
    pub(super) against: Vec<SignedCheckpoint>,
    pub(super) now: Option<SystemTime>,
    pub(super) threads: Option<NonZero<usize>>,
    pub(super) earlier: FleetState,
    pub(super) progress: Option<&'a mut dyn FnMut(Progress)>,
}

impl fmt::Debug for Fleet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet")
            .field("logs", &self.logs)
            .field("whole", &self.whole)
            .field("replicas", &self.replicas)
            .field("key", &self.key)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

impl<'a> Fleet<'a> {
    /// A whole fleet: a log that only a replica holds has vanished from it.
    #[must_use]
    pub fn of(logs: impl IntoIterator<Item = LogAt<'a>>) -> Self {
        Self {
            logs: logs.into_iter().collect(),
            whole: true,
            under: None,
            replicas: Vec::new(),
            key: None,
            against: Vec::new(),
            now: None,
            threads: None,
            earlier: FleetState::default(),
            progress: None,
        }
    }

    /// One log: what else a replica's store holds belongs to others, and is not looked at. If nothing
    /// says any more which log it is, a place that is named as its copy says it.
    #[must_use]
    pub fn only(log: LogAt<'a>) -> Self {
        Self { whole: false, ..Self::of([log]) }
    }

    /// Adds a store that should hold a copy of each log, and the logs that are there. Copies are
    /// found by the names of the logs.
    #[must_use]
    pub fn replica(self, location: impl Into<String>, logs: impl IntoIterator<Item = LogAt<'a>>) -> Self {
        self.copies(Copies::new(location, logs))
    }

    /// Adds a store that should hold a copy of each log, or the copy of one.
    #[must_use]
    pub fn copies(mut self, copies: Copies<'a>) -> Self {
        self.replicas.push(copies);
        self
    }

    /// Says where the logs were looked for, as [`LogAt::known_as`] says it: of what an earlier run saw,
    /// only what was there can be gone. Without it, of a whole fleet all of it can be, and of one log
    /// what was at its place.
    #[must_use]
    pub fn under(mut self, place: impl Into<String>) -> Self {
        self.under = Some(place.into());
        self
    }

    /// Pins the key that signs all of the logs. It may have the name of one log, of the origin, or of
    /// a parent of that; see [`VerifierKey::for_origin`].
    #[must_use]
    pub fn key(mut self, key: VerifierKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Adds a checkpoint that was kept somewhere else: the log that it names has to be there and to
    /// extend it.
    #[must_use]
    pub fn against(mut self, checkpoint: SignedCheckpoint) -> Self {
        self.against.push(checkpoint);
        self
    }

    /// Sets the present time, so that logs that have fallen silent are noticed. Copies may lag and
    /// are not measured by it.
    #[must_use]
    pub const fn now(mut self, now: SystemTime) -> Self {
        self.now = Some(now);
        self
    }

    /// Sets how many threads work. Without it, as many as there are cores.
    #[must_use]
    pub const fn threads(mut self, threads: NonZero<usize>) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Compares with what an earlier run saw.
    #[must_use]
    pub fn earlier(mut self, state: FleetState) -> Self {
        self.earlier = state;
        self
    }

    /// Is told from time to time, on the calling thread, how far the work has come in all logs
    /// together.
    #[must_use]
    pub fn progress(mut self, progress: &'a mut dyn FnMut(Progress)) -> Self {
        self.progress = Some(progress);
        self
    }
}
