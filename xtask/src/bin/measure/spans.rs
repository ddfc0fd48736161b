//! A function full of spans, recorded by the audit log or by `fmt().json()` and an appender that
//! loses nothing. Either writes two lines a span: that it began, and what it returned.

use std::fs::OpenOptions;
use std::hint::black_box;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use audit_core::{AuditLog, File, Key};
use audit_tracing::AuditSpans;
use tracing::instrument;
use tracing::subscriber::with_default;
use tracing_appender::non_blocking::NonBlockingBuilder;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::outstanding::wait;
use crate::{Failure, record};

const ORIGIN: &str = "bench.example.com/spans";
/// Spans in one call of [`rotate`].
const SPANS: u64 = 5;

#[instrument(ret, err, skip_all, fields(audit.action = "ledger.rotate", audit.resource = %format_args!("ledger/{ledger}")))]
fn rotate(ledger: u64) -> Result<u64, Failure> {
    (1..SPANS).try_fold(0, |sum, entry| Ok(sum + post(ledger, entry)?))
}

#[instrument(ret, err, skip_all, fields(audit.action = "ledger.post", audit.resource = %format_args!("ledger/{ledger}"), audit.entry = entry))]
fn post(ledger: u64, entry: u64) -> Result<u64, Failure> {
    Ok(black_box(ledger ^ entry))
}

/// Calls the function `calls` times under the audit log, and waits until all is written. Prints how
/// many spans a second that were.
pub(crate) fn audited(directory: &Path, calls: u64) -> Result<(), Failure> {
    let log = AuditLog::builder(ORIGIN)
        .key(Key::generate(ORIGIN)?)
        .backend(File::new(directory))
        .policy(record::policy()?)
        .open()?;
    let subscriber = tracing_subscriber::registry().with(AuditSpans::new(log.clone())?.with_default_filter());
    let start = Instant::now();
    with_default(subscriber, || {
        (0..calls).try_for_each(|ledger| {
            // A span waits for nothing, so something has to keep this loop from outrunning the log.
            while ledger % 64 == 0 && log.health().queue_depth > 8_192 {
                thread::sleep(Duration::from_micros(50));
            }
            rotate(ledger).map(drop)
        })
    })?;
    wait(log.close(Duration::from_secs(60)))?;
    let elapsed = start.elapsed();
    if log.coverage().recorded != calls * SPANS {
        return Err(format!("the log is not complete: {:?}", log.coverage()).into());
    }
    print(calls, elapsed);
    Ok(())
}

/// The same under `fmt().json()`, until its appender has written all.
pub(crate) fn formatted(file: &Path, calls: u64) -> Result<(), Failure> {
    let file = OpenOptions::new().create(true).append(true).open(file)?;
    let (writer, flushes_when_dropped) = NonBlockingBuilder::default().lossy(false).finish(file);
    let subscriber = tracing_subscriber::fmt().json().with_span_events(FmtSpan::NEW).with_writer(writer).finish();
    let start = Instant::now();
    with_default(subscriber, || (0..calls).try_for_each(|ledger| rotate(ledger).map(drop)))?;
    drop(flushes_when_dropped);
    print(calls, start.elapsed());
    Ok(())
}

fn print(calls: u64, elapsed: Duration) {
    println!(r#"{{"spans_per_second":{}}}"#, (calls * SPANS) as f64 / elapsed.as_secs_f64());
}
