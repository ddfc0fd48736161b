//! Whether a replica keeps up with a file primary that takes so many records a second.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use audit_core::log::{Replica, ReplicaHealth};
use audit_core::{AuditLog, File, Key};

use crate::outstanding::{Outstanding, wait};
use crate::{Failure, record};

/// Appends `rate` records a second to a new log in `directory` for so many seconds; prints how many a
/// second it took, and how many of them the replica at `url` got in the same time.
pub(crate) fn measure(directory: &Path, url: &str, rate: u32, seconds: u32) -> Result<(), Failure> {
    let log = AuditLog::builder(ORIGIN)
        .key(Key::generate(ORIGIN)?)
        .backend(File::new(directory))
        .replica(Replica::boxed(audit_backends::open(url, &[])?))
        .policy(record::policy()?)
        .open()?;
    // The first second opens connections, and is not measured.
    feed(&log, rate, Duration::from_secs(1))?;
    let before = replica(&log)?.records;
    let start = Instant::now();
    let appended = feed(&log, rate, Duration::from_secs(seconds.into()))?;
    let time = start.elapsed().as_secs_f64();
    let after = replica(&log)?;

    let caught_up = Instant::now();
    while replica(&log)?.lag_records > 0 {
        if caught_up.elapsed() > CATCH_UP {
            return Err(format!("the replica does not catch up: {:?}", replica(&log)?).into());
        }
        thread::sleep(Duration::from_millis(5));
    }
    println!(
        r#"{{"appended_per_second":{},"replicated_per_second":{},"lag_records":{},"caught_up_ms":{}}}"#,
        appended as f64 / time,
        (after.records - before) as f64 / time,
        after.lag_records,
        caught_up.elapsed().as_secs_f64() * 1e3,
    );
    wait(log.close(CATCH_UP))?;
    Ok(())
}

/// Appends evenly for as long as `time`; says how many.
fn feed(log: &AuditLog, rate: u32, time: Duration) -> Result<u64, Failure> {
    let actor = record::actor();
    let mut outstanding = Outstanding::new();
    let mut appended = 0;
    let start = Instant::now();
    while start.elapsed() < time {
        let due = (start.elapsed().as_secs_f64() * f64::from(rate)) as u64;
        while appended < due {
            outstanding.append(log, &record::event(&actor))?;
            appended += 1;
        }
        thread::sleep(Duration::from_millis(5));
    }
    outstanding.finish()?;
    Ok(appended)
}

fn replica(log: &AuditLog) -> Result<ReplicaHealth, Failure> {
    log.health().replicas.into_iter().next().ok_or_else(|| "the log has no replica".into())
}

const ORIGIN: &str = "bench.example.com/replicate";
const CATCH_UP: Duration = Duration::from_secs(60);
