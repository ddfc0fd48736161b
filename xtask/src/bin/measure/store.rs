//! Logs on disk: making long ones, and opening them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use audit_core::{AuditLog, File, Key};

use crate::outstanding::{Outstanding, wait};
use crate::{Failure, record};

/// Makes a log of `records` records in `directory`, and its key beside it.
pub(crate) fn generate(directory: &Path, records: u64) -> Result<(), Failure> {
    Key::generate(ORIGIN)?.write_new_file(key(directory))?;
    let log = opened(directory)?;
    let actor = record::actor();
    let mut outstanding = Outstanding::new();
    for _ in 0..records {
        outstanding.append(&log, &record::event(&actor))?;
    }
    outstanding.finish()?;
    wait(log.close(CLOSE_DEADLINE))?;
    Ok(())
}

/// Opens and closes the log `times` times; prints the milliseconds that each opening took.
pub(crate) fn open(directory: &Path, times: u32) -> Result<(), Failure> {
    for _ in 0..times {
        let start = Instant::now();
        let log = opened(directory)?;
        println!("{}", start.elapsed().as_secs_f64() * 1e3);
        wait(log.close(CLOSE_DEADLINE))?;
    }
    Ok(())
}

fn opened(directory: &Path) -> Result<AuditLog, Failure> {
    let log = AuditLog::builder(ORIGIN)
        .key(Key::from_file(key(directory))?)
        .backend(File::new(directory))
        .policy(record::policy()?)
        .open()?;
    Ok(log)
}

fn key(directory: &Path) -> PathBuf {
    directory.with_extension("key")
}

const ORIGIN: &str = "bench.example.com/store";
const CLOSE_DEADLINE: Duration = Duration::from_secs(600);
