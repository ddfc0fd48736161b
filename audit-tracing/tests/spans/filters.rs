//! What filters let pass.

use audit_core::testing::TestLog;
use audit_tracing::{AuditSpans, SilencedError, check};
use tracing::{Level, instrument};
use tracing_subscriber::filter::{EnvFilter, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::{fmt, registry};

use crate::support::{activities, outcome};

#[instrument(level = "trace", ret, err(level = "trace"), fields(audit.action = "rotate"))]
fn rotate(fail: bool) -> Result<(), &'static str> {
    if fail { Err("failed") } else { Ok(()) }
}

fn open() -> (TestLog, AuditSpans) {
    let log = TestLog::open().unwrap();
    let spans = AuditSpans::new(log.clone()).unwrap();
    (log, spans)
}

#[test]
fn the_filters_of_other_layers_hide_nothing() {
    for off in ["off", "error", "other=trace", "[{secret}]=info"] {
        let (log, spans) = open();
        let quiet = fmt::layer().with_writer(std::io::sink).with_filter(EnvFilter::new(off));
        let silent = fmt::layer().with_writer(std::io::sink).with_filter(LevelFilter::OFF);
        let subscriber = registry().with(quiet).with(spans.with_default_filter()).with(silent);
        tracing::subscriber::with_default(subscriber, || {
            check().unwrap();
            rotate(true).unwrap_err();
        });
        let records = activities(&log);
        assert_eq!(records.len(), 2, "the probe leaves nothing");
        assert_eq!(outcome(&records, "rotate")["result"], "failure");
    }
}

#[test]
fn a_layer_without_a_filter_records_the_same() {
    let (log, spans) = open();
    tracing::subscriber::with_default(registry().with(spans), || {
        check().unwrap();
        tracing::info_span!("plain").in_scope(|| rotate(false).unwrap());
    });
    let records = activities(&log);
    assert_eq!(records.len(), 2);
    assert_eq!(outcome(&records, "rotate")["result"], "success");
}

#[test]
fn check_finds_no_layer_where_there_is_none() {
    assert_eq!(check(), Err(SilencedError::NoLayer));
    let found = tracing::subscriber::with_default(registry().with(fmt::layer().with_writer(std::io::sink)), check);
    assert_eq!(found, Err(SilencedError::NoLayer));
}

#[test]
fn check_finds_a_filter_in_front() {
    let (_log, spans) = open();
    let subscriber = registry().with(spans.with_default_filter()).with(EnvFilter::new("warn"));
    let found = tracing::subscriber::with_default(subscriber, check);
    assert_eq!(found, Err(SilencedError::FilteredSpans { level: Level::INFO }));

    let (_log, spans) = open();
    let subscriber = registry().with(spans.with_filter(LevelFilter::ERROR));
    let found = tracing::subscriber::with_default(subscriber, check);
    assert_eq!(found, Err(SilencedError::FilteredSpans { level: Level::INFO }));
}

#[test]
fn check_finds_a_filter_that_hides_events_alone() {
    let (_log, spans) = open();
    let subscriber = registry().with(spans.with_filter(filter_fn(|metadata| !metadata.is_event())));
    let found = tracing::subscriber::with_default(subscriber, check);
    assert_eq!(found, Err(SilencedError::FilteredEvents { level: Level::INFO }));
}

#[test]
fn check_tries_the_level_that_the_layer_is_made_for() {
    for (level, passes) in [(Level::INFO, true), (Level::DEBUG, false), (Level::TRACE, false), (Level::ERROR, true)] {
        let log = TestLog::open().unwrap();
        let spans = AuditSpans::for_spans_at(level, log.clone()).unwrap();
        let subscriber = registry().with(spans.with_default_filter()).with(LevelFilter::INFO);
        let found = tracing::subscriber::with_default(subscriber, check);
        assert_eq!(found.is_ok(), passes, "{level}");
        assert!(activities(&log).is_empty());
    }
}
