//! Spans that were removed when `tracing` was compiled.
//!
//! Says the same under every level: `cargo test -p audit-tracing --features tracing/max_level_warn
//! --test compiled_level` is the case that users run into.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use audit_core::testing::TestLog;
use audit_tracing::{AuditSpans, SilencedError, check};
use tracing::Level;
use tracing::level_filters::STATIC_MAX_LEVEL;
use tracing_subscriber::layer::SubscriberExt as _;

#[test]
fn a_layer_for_spans_that_do_not_exist_cannot_be_made() {
    let log = TestLog::open().unwrap();
    for level in [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
        let made = AuditSpans::for_spans_at(level, log.clone());
        match made {
            Ok(spans) => {
                assert!(level <= STATIC_MAX_LEVEL);
                let subscriber = tracing_subscriber::registry().with(spans.with_default_filter());
                tracing::subscriber::with_default(subscriber, check).unwrap();
            }
            Err(error) => {
                assert!(level > STATIC_MAX_LEVEL);
                assert_eq!(error, SilencedError::Compiled { wanted: level, compiled: STATIC_MAX_LEVEL });
                assert!(error.to_string().contains("max_level"));
            }
        }
    }
    assert_eq!(AuditSpans::new(log.clone()).is_ok(), STATIC_MAX_LEVEL >= Level::INFO);
}
