//! How long requests wait for their intents at a given load, with a replica or without one.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use audit_core::log::Replica;
use audit_core::{AuditLog, File, Key, Outcome, OutcomeResult};

use crate::outstanding::wait;
use crate::{Failure, record};

/// Begins and finishes so many calls a second under the policy that nobody wrote, in a new log in
/// `directory`, with a replica at `url` if there is one; prints how long a call waited for its intent.
pub(crate) fn measure(directory: &Path, url: Option<&str>, rate: u32, seconds: u32) -> Result<(), Failure> {
    let mut log = AuditLog::builder(ORIGIN).key(Key::generate(ORIGIN)?).backend(File::new(directory));
    if let Some(url) = url {
        log = log.replica(Replica::boxed(audit_backends::open(url, &[])?));
    }
    let log = log.open()?;
    let waits = thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|at| {
                scope.spawn({
                    let log = &log;
                    move || call(log, at, rate, seconds)
                })
            })
            .collect();
        let mut waits = Vec::new();
        for caller in callers {
            waits.extend(caller.join().map_err(|_| "a caller panicked")??);
        }
        Ok::<_, Failure>(waits)
    });
    let mut waits = waits?;
    waits.sort();
    let share =
        |part: f64| waits.get((waits.len() as f64 * part) as usize).map_or(f64::NAN, |wait| wait.as_secs_f64() * 1e3);
    println!(r#"{{"requests":{},"p50_ms":{},"p99_ms":{}}}"#, waits.len(), share(0.5), share(0.99));
    // A replica that is dead does not get the end of the log.
    let closed = wait(log.close(Duration::from_secs(2)));
    if url.is_none() {
        closed?;
    }
    Ok(())
}

/// One of [`CALLERS`], each with its share of the rate, evenly and not at the same time. What counts is
/// the wait from the moment at which the call was due.
fn call(log: &AuditLog, at: u32, rate: u32, seconds: u32) -> Result<Vec<Duration>, Failure> {
    let actor = record::actor();
    let pause = Duration::from_secs(1) * CALLERS / rate;
    let start = Instant::now() + Duration::from_secs(1) * at / rate;
    let mut waits = Vec::new();
    let mut due = start;
    while due.duration_since(start) < Duration::from_secs(seconds.into()) {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let activity = wait(log.begin(&record::event(&actor)))?;
        waits.push(due.elapsed());
        activity.finish(Outcome::new(OutcomeResult::Success));
        due += pause;
    }
    Ok(waits)
}

const ORIGIN: &str = "bench.example.com/requests";
const CALLERS: u32 = 16;
