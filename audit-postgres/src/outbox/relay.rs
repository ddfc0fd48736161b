use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use audit_core::AuditLog;
use tokio::sync::oneshot;

use super::doubts::Doubts;
use super::registry::Claim;
use super::round::{Interrupted, Rounds};
use super::start::{self, RelayError};
use crate::rows::Log;
use crate::server::Server;
use crate::settings::Settings;

/// How a relay works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelaySettings {
    /// The most events that are read and given to the log at once: 1 to 4,096, 256 by default. As many
    /// at most are in doubt at any time.
    pub batch: usize,
    /// How long an empty outbox is left alone: 200 ms by default, at least 1 ms.
    pub interval: Duration,
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self { batch: 256, interval: Duration::from_millis(200) }
    }
}

impl RelaySettings {
    /// The most events at once.
    #[must_use]
    pub const fn batch(mut self, batch: usize) -> Self {
        self.batch = batch;
        self
    }

    /// How long an empty outbox is left alone.
    #[must_use]
    pub const fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }
}

/// How a relay is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelayStatus {
    /// Events that it got receipts for.
    pub recorded: u64,
    /// Events that it took out of the outbox because the policy excludes them.
    pub excluded: u64,
    /// Events of which it is not known yet whether they landed. They are looked at again.
    pub in_doubt: usize,
    /// What went wrong last, until a round works.
    pub last_error: Option<String>,
    /// Whether it has ended: it was told to, or there is no sense in going on, which `last_error` says.
    pub ended: bool,
}

/// Records what was committed to the outbox, on a thread of its own.
///
/// Reads events in the order in which they were put, and gives them to the log as it would any event:
/// rules, durability and deadlines apply. An event whose receipt does not come is given to the log
/// again only when it is certain that it did not land. While the log or the server fails, it waits
/// longer and longer, up to 30 s, and up to a quarter more.
///
/// Dropping it ends it after the round that it is in, and does not wait for that.
#[derive(Debug)]
pub struct OutboxRelay {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stop: bool,
    status: RelayStatus,
}

impl OutboxRelay {
    /// Starts to relay the outbox of the log that `url` names into `audit`, which has to be that log,
    /// open, with this PostgreSQL as its primary. URL and options as for
    /// [`Postgres::from_url`](crate::Postgres::from_url), for a writer.
    ///
    /// Ready once that is checked and the log has appended something, in a minute at most. Does not
    /// block; any executor may poll it.
    ///
    /// # Errors
    ///
    /// [`RelayError`], for a log whose primary is elsewhere among others.
    pub async fn start(
        audit: &AuditLog,
        url: &str,
        options: &[(String, String)],
        settings: RelaySettings,
    ) -> Result<Self, RelayError> {
        let places = Settings::of_log(url, options).map_err(RelayError::Url)?;
        let shared = Arc::new(Shared::default());
        let (started, starting) = oneshot::channel();
        let (audit, of_thread) = (audit.clone(), Arc::clone(&shared));
        let run = move || {
            match prepare(audit, &places, settings) {
                Ok((claim, rounds)) => {
                    if started.send(Ok(())).is_ok() {
                        run(claim, rounds, settings, &of_thread);
                    }
                }
                // Whoever started it may have gone.
                Err(error) => drop(started.send(Err(error))),
            }
            of_thread.lock().status.ended = true;
            of_thread.changed.notify_all();
        };
        thread::Builder::new().name("audit-outbox".to_owned()).spawn(run).map_err(RelayError::Thread)?;
        let relay = Self { shared };
        let gone = || RelayError::Thread(std::io::Error::other("the thread of the relay ended"));
        starting.await.unwrap_or_else(|_| Err(gone()))?;
        Ok(relay)
    }

    /// How it is doing. Takes a short lock.
    #[must_use]
    pub fn status(&self) -> RelayStatus {
        self.shared.lock().status.clone()
    }

    /// Ends it and waits for at most `patience` until it has ended; says whether it has. What is in the
    /// outbox then stays there for the next relay. Blocks the thread.
    pub fn close(self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut state = self.shared.lock();
        state.stop = true;
        self.shared.changed.notify_all();
        while !state.status.ended {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Drop for OutboxRelay {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for `time`, or until the relay is told to end; says whether it goes on.
    fn rest(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut state = self.lock();
        while !state.stop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }

    fn note(&self, rounds: &Rounds, error: Option<String>) {
        let status = &mut self.lock().status;
        status.recorded = rounds.recorded;
        status.excluded = rounds.excluded;
        status.in_doubt = rounds.doubts.len();
        status.last_error = error;
    }
}

fn prepare(audit: AuditLog, places: &Settings, settings: RelaySettings) -> Result<(Claim, Rounds), RelayError> {
    let (claim, left) = Claim::take(audit.verifier_key().name()).ok_or(RelayError::AlreadyRelayed)?;
    let server = Server::new(places).map_err(RelayError::Backend)?;
    let log = Log { server, schema: places.schema.clone(), name: places.location.log.clone() };
    start::is_primary(&audit, &log)?;
    let batch = settings.batch.clamp(1, MOST);
    let doubts = Doubts::of(left);
    Ok((claim, Rounds { audit, log, batch, doubts, just_recorded: Vec::new(), recorded: 0, excluded: 0 }))
}

fn run(mut claim: Claim, mut rounds: Rounds, settings: RelaySettings, shared: &Shared) {
    let mut pause = BACKOFF.0;
    loop {
        let rest = match rounds.round() {
            Ok(more) => {
                shared.note(&rounds, None);
                pause = BACKOFF.0;
                if more { Duration::ZERO } else { settings.interval.max(Duration::from_millis(1)) }
            }
            Err(Interrupted::ForNow(why)) => {
                shared.note(&rounds, Some(why));
                // Up to a quarter more, so that many relays do not come back together.
                let rest = pause + pause.mul_f64(fastrand::f64() / 4.0);
                pause = (pause * 2).min(BACKOFF.1);
                rest
            }
            Err(Interrupted::ForGood(why)) => {
                shared.note(&rounds, Some(why));
                break;
            }
        };
        claim.leave(rounds.doubts.ids());
        if !shared.rest(rest) {
            break;
        }
    }
    claim.leave(rounds.doubts.ids());
}

/// The first and the longest wait after something failed.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(30));

/// The most events at once, whatever is asked for.
const MOST: usize = 4_096;
