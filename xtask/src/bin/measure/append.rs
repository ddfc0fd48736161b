//! Appending to a log in memory, and hashing the same lines with nothing else.

use std::time::{Duration, Instant};

use audit_core::{AuditLog, Durability, Key, Memory};
use sha2::{Digest, Sha256};

use crate::outstanding::{Outstanding, wait};
use crate::{Failure, record};

/// Prints how many records a second were appended, and hashed.
pub(crate) fn measure(records: u64) -> Result<(), Failure> {
    let store = Memory::promising(Durability::Synced);
    let log = AuditLog::builder(ORIGIN)
        .key(Key::generate(ORIGIN)?)
        .backend(store.clone())
        .policy(record::policy()?)
        .open()?;
    let actor = record::actor();
    let start = Instant::now();
    let mut outstanding = Outstanding::new();
    for _ in 0..records {
        outstanding.append(&log, &record::event(&actor))?;
    }
    outstanding.finish()?;
    let appending = start.elapsed();
    wait(log.close(Duration::from_secs(60)))?;

    let lines = store.bytes();
    let count = store.size();
    let separate: Vec<&[u8]> = lines.split(|byte| *byte == b'\n').collect();
    let start = Instant::now();
    let mut last = None;
    for line in separate {
        let leaf = Sha256::new().chain_update([0]).chain_update(line);
        last = Some(leaf.finalize());
    }
    let hashing = start.elapsed();
    // Without a use of the result there would be nothing to compute.
    std::hint::black_box(last);

    println!(
        r#"{{"appended_per_second":{},"hashed_per_second":{},"line_bytes":{}}}"#,
        per_second(records, appending),
        per_second(count, hashing),
        lines.len() as u64 / count.max(1),
    );
    Ok(())
}

fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

const ORIGIN: &str = "bench.example.com/append";
