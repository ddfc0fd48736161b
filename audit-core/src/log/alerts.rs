//! What about its stores needs a human: `alert` records, and the look that finds it.

use std::time::{Duration, Instant, SystemTime};

use super::queue::Entry;
use super::sequencer::far;
use super::shared::Shared;
use crate::backend::{Concern, Synchronizer};
use crate::record::{BodyWriter, Kind};

/// How many concerns are remembered as told; more are told at every look.
const KNOWN: usize = 1_024;

/// Looks at one store again and again, and tells what is new.
#[derive(Debug)]
pub(crate) struct Watch {
    interval: Duration,
    next: Instant,
    /// The settings that were a concern at the last look.
    known: Vec<String>,
}

impl Watch {
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, next: far(Instant::now(), interval), known: Vec::new() }
    }

    /// When the next look is due.
    pub(crate) const fn next(&self) -> Instant {
        self.next
    }

    pub(crate) fn is_due(&self) -> bool {
        Instant::now() >= self.next
    }

    /// Asks the store `name`, and records what was not a concern at the last look. A log that is told
    /// to stops then.
    pub(crate) fn look(&mut self, shared: &Shared, name: &str, half: &mut dyn Synchronizer) {
        let found = half.inspect(shared.limits.backend_deadline());
        self.next = far(Instant::now(), self.interval);
        let concerns = match found {
            Ok(concerns) => concerns,
            // A store that cannot be asked now fails elsewhere too, where somebody waits for it.
            Err(error) if error.is_retryable() => return,
            Err(error) => vec![Concern::new("store", error.to_string())],
        };
        self.known.retain(|known| concerns.iter().any(|concern| concern.setting == *known));
        for concern in concerns {
            if self.known.contains(&concern.setting) || !about_store(shared, name, &concern) {
                continue;
            }
            if shared.stop_when_weakened {
                shared.stop_in_order(&format!("the store `{name}` is no longer what it was: {concern}"));
            }
            if self.known.len() < KNOWN {
                self.known.push(concern.setting);
            }
        }
    }
}

fn start(shared: &Shared, about: &str, reason: &str, store: &str) -> BodyWriter {
    let limits = &shared.limits.record;
    let mut body = BodyWriter::new(SystemTime::now(), Kind::Alert, limits.line);
    body.word("about", about);
    body.text("reason", reason, limits.error);
    body.text("store", store, 64);
    body
}

/// Queues an alert; false when there is no room for it now.
fn queue(shared: &Shared, body: BodyWriter) -> bool {
    shared.queue.push_own(Entry::own(body.finish(None))).is_ok()
}

/// A store is not what it was.
fn about_store(shared: &Shared, name: &str, concern: &Concern) -> bool {
    let mut body = start(shared, "store", &concern.detail, name);
    body.text("setting", &concern.setting, 256);
    queue(shared, body)
}

/// A replica cannot be filled.
pub(crate) fn replica(shared: &Shared, name: &str, reason: &str) -> bool {
    queue(shared, start(shared, "replica", reason, name))
}

/// A replica is further behind than it may be.
pub(crate) fn lag(shared: &Shared, name: &str, records: u64, time: Duration) -> bool {
    let mut body = start(shared, "replica", "it is further behind than its limit", name);
    body.number("lag_records", records);
    body.number("lag_ms", u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    queue(shared, body)
}
