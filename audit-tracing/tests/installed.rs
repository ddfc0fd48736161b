//! A layer that is installed for the whole process, as services do it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use audit_core::testing::TestLog;
use audit_tracing::{AuditSpans, check};
use tracing::{Level, debug_span, error, info_span, instrument};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[instrument(ret, err, fields(audit.action = "ledger.rotate"))]
async fn rotate() -> Result<(), String> {
    tokio::task::yield_now().await;
    Ok(())
}

#[test]
fn an_installed_layer_is_found_on_every_thread_and_makes_nothing_else_work() {
    let log = TestLog::open().unwrap();
    assert!(check().is_err(), "nothing is installed yet");
    tracing_subscriber::registry().with(AuditSpans::new(log.clone()).unwrap().with_default_filter()).init();
    check().unwrap();
    std::thread::spawn(|| check().unwrap()).join().unwrap();

    // What nobody wants is switched off where it stands.
    assert!(info_span!("plain", secret = 7).is_disabled());
    assert!(!tracing::event_enabled!(Level::ERROR));
    error!(code = 7, "not even formatted: {}", Unwanted);
    assert!(!debug_span!("audited", audit.action = "a").is_disabled());

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async { tokio::spawn(rotate()).await.unwrap().unwrap() });
    log.assert_recorded("", "ledger.rotate", "success");
    let probes = log.settled().iter().filter(|record| record["action"] == "audit_tracing.check").count();
    assert_eq!(probes, 0, "a probe leaves nothing");
}

struct Unwanted;

impl std::fmt::Display for Unwanted {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("nobody wants this event")
    }
}
