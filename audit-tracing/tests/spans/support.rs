use std::time::Duration;

use audit_core::testing::TestLog;
use audit_core::{AuditLog, Event, Outcome, OutcomeResult};
use audit_tracing::AuditSpans;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::layer::SubscriberExt as _;

pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Runs `work` under a layer with its filter, and returns all intents and outcomes.
pub(crate) fn record(work: impl FnOnce(&AuditLog)) -> Vec<Value> {
    record_with(|spans| spans, work)
}

/// The same under a layer with settings.
pub(crate) fn record_with(set: impl FnOnce(AuditSpans) -> AuditSpans, work: impl FnOnce(&AuditLog)) -> Vec<Value> {
    let log = TestLog::open().unwrap();
    let layer = set(AuditSpans::new(log.clone()).unwrap()).with_default_filter();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || work(&log));
    activities(&log)
}

/// Runs `work` under a layer without a filter, as it is when other layers want every span.
pub(crate) fn record_unfiltered(work: impl FnOnce()) -> Vec<Value> {
    let log = TestLog::open().unwrap();
    let layer = AuditSpans::new(log.clone()).unwrap();
    let others = tracing_subscriber::fmt::layer().with_writer(std::io::sink);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(others).with(layer), work);
    activities(&log)
}

/// Closes `log`, and returns all intents and outcomes.
pub(crate) fn activities(log: &TestLog) -> Vec<Value> {
    runtime().block_on(log.close(Duration::from_secs(10))).unwrap();
    let is_of_an_activity = |record: &Value| record["kind"] == "intent" || record["kind"] == "outcome";
    log.records().into_iter().filter(is_of_an_activity).collect()
}

pub(crate) fn intent<'a>(records: &'a [Value], action: &str) -> &'a Value {
    let found = records.iter().find(|record| record["action"] == action);
    found.unwrap_or_else(|| panic!("no {action} in {records:#?}"))
}

pub(crate) fn outcome<'a>(records: &'a [Value], action: &str) -> &'a Value {
    let id = &intent(records, action)["id"];
    let mut found = records.iter().filter(|record| record["kind"] == "outcome" && record["id"] == *id);
    let outcome = found.next().unwrap_or_else(|| panic!("no outcome of {action} in {records:#?}"));
    assert!(found.next().is_none(), "an activity ends once");
    outcome
}

/// An activity inside of which ever it is begun.
pub(crate) fn nested(log: &AuditLog, action: &str) {
    log.begin(&Event::action(action)).without_waiting().finish(Outcome::new(OutcomeResult::Success));
}
