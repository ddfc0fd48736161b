//! What spans leave in the log.
#![allow(clippy::unwrap_used)] // a test ends at the first surprise

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use audit_core::backend::Memory;
use audit_core::{Actor, AuditLog, CurrentActivity, Durability, Event, Key, Outcome, OutcomeResult};
use audit_tracing::AuditSpans;
use serde_json::{Value, json};
use tracing::{Instrument as _, Span, info_span};
use tracing_subscriber::layer::SubscriberExt as _;

const DEADLINE: Duration = Duration::from_secs(10);

/// Opens a log in memory, runs `work` under the layer, and returns all intents and outcomes.
fn record(work: impl FnOnce(&AuditLog)) -> Vec<Value> {
    let memory = Memory::promising(Durability::Synced);
    let log = AuditLog::builder("payments.example.com/test")
        .key(Key::generate("payments.example.com/test").unwrap())
        .backend(memory.clone())
        .open()
        .unwrap();
    let layer = AuditSpans::new(log.clone()).unwrap().actor(Actor::service_account("settler"));
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || work(&log));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(log.close(DEADLINE)).unwrap();
    memory
        .lines()
        .iter()
        .map(|line| serde_json::from_slice(line).unwrap())
        .filter(|record: &Value| record["kind"] == "intent" || record["kind"] == "outcome")
        .collect()
}

#[test]
fn an_annotated_span_leaves_an_intent_and_an_outcome() {
    let records = record(|_| {
        let span = info_span!(
            "rotate",
            audit.action = "ledger.rotate",
            audit.resource = "ledger/7",
            audit.amount = 42,
            audit.result = tracing::field::Empty,
            audit.note = tracing::field::Empty,
            secret = "hush"
        );
        span.in_scope(|| {
            Span::current().record("audit.note", "late");
            Span::current().record("audit.result", "success");
        });
    });
    let [intent, outcome] = records.as_slice() else {
        panic!("{records:#?}");
    };
    assert_eq!(intent["action"], "ledger.rotate");
    assert_eq!(intent["resource"], "ledger/7");
    assert_eq!(intent["actor"]["id"], "settler");
    assert_eq!(intent["attrs"], json!({"amount": 42}));
    assert_eq!(intent["span"]["name"], "rotate");
    assert_eq!(intent["span"]["target"], "spans");
    assert!(intent["span"]["line"].as_u64().unwrap() > 0);
    assert_eq!(outcome["id"], intent["id"]);
    assert_eq!(outcome["result"], "success");
    assert_eq!(outcome["attrs"], json!({"note": "late"}));
    assert!(!format!("{records:?}").contains("hush"), "only `audit.` fields are recorded");
}

#[test]
fn other_spans_leave_nothing() {
    let records = record(|_| info_span!("rotate", resource = "ledger/7").in_scope(|| ()));
    assert!(records.is_empty());
}

#[test]
fn a_span_that_says_nothing_of_its_result_ends_as_unknown() {
    for result in [None, Some("splendid")] {
        let records = record(|_| {
            let span = info_span!("rotate", audit.action = "a", audit.result = tracing::field::Empty);
            if let Some(result) = result {
                span.record("audit.result", result);
            }
        });
        assert_eq!(records[1]["result"], "unknown");
    }
}

#[test]
fn a_span_that_is_left_by_unwinding_panicked() {
    let records = record(|_| {
        let span = info_span!("rotate", audit.action = "a", audit.result = "success");
        let caught = catch_unwind(AssertUnwindSafe(|| span.in_scope(|| panic!("scripted panic"))));
        assert!(caught.is_err());
    });
    assert_eq!(records[1]["result"], "panicked");
}

#[test]
fn spans_name_their_parents_across_plain_spans_and_from_activities() {
    let records = record(|log| {
        let outer = info_span!("outer", audit.action = "outer");
        let inner = outer.in_scope(|| info_span!("plain").in_scope(|| info_span!("inner", audit.action = "inner")));
        inner.in_scope(|| {
            let nested = log.begin(&Event::action("nested")).without_waiting();
            nested.finish(Outcome::new(OutcomeResult::Success));
        });
        assert!(CurrentActivity::get().is_none());
        let activity = log.begin(&Event::action("call")).without_waiting();
        let entered = activity.current().enter();
        info_span!("under a call", audit.action = "under").in_scope(|| ());
        drop(entered);
    });
    let id = |action: &str| records.iter().find(|record| record["action"] == action).unwrap()["id"].clone();
    let parent = |action: &str| records.iter().find(|record| record["action"] == action).unwrap()["parent"].clone();
    assert_eq!(parent("outer"), Value::Null);
    assert_eq!(parent("inner"), id("outer"));
    assert_eq!(parent("nested"), id("inner"));
    assert_eq!(parent("under"), id("call"));
    assert_eq!(records.len(), 10);
}

#[test]
fn an_instrumented_future_is_one_activity_however_often_it_is_polled() {
    let records = record(|_| {
        let span = info_span!("rotate", audit.action = "a", audit.result = tracing::field::Empty);
        let work = async {
            let id = CurrentActivity::get().unwrap().id();
            for _ in 0..3 {
                tokio::task::yield_now().await;
                assert_eq!(CurrentActivity::get().unwrap().id(), id);
            }
            Span::current().record("audit.result", "success");
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(work.instrument(span));
        assert!(CurrentActivity::get().is_none());
    });
    assert_eq!(records.len(), 2);
    assert_eq!(records[1]["result"], "success");
}

#[test]
fn a_span_kept_after_the_log_was_closed_harms_nobody() {
    let memory = Memory::promising(Durability::Synced);
    let log = AuditLog::builder("payments.example.com/test")
        .key(Key::generate("payments.example.com/test").unwrap())
        .backend(memory)
        .open()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(log.close(DEADLINE)).unwrap();
    let subscriber = tracing_subscriber::registry().with(AuditSpans::new(log.clone()).unwrap());
    tracing::subscriber::with_default(subscriber, || {
        info_span!("late", audit.action = "late").in_scope(|| ());
    });
    assert_eq!(log.coverage().recorded, 0);
}
