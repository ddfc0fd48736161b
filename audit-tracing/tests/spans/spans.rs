//! When a span becomes an activity, and when not.

use std::time::{Duration, Instant};

use serde_json::json;
use tracing::field::Empty;
use tracing::{Instrument as _, Level, Span, info_span};

use audit_core::{Actor, CurrentActivity};

use crate::support::{outcome, record, record_with, runtime};

#[test]
fn an_annotated_span_leaves_an_intent_and_an_outcome() {
    let records = record_with(
        |spans| spans.actor(Actor::service_account("settler")),
        |_| {
            let span = info_span!(
                "rotate",
                audit.action = "ledger.rotate",
                audit.resource = "ledger/7",
                audit.amount = 42,
                audit.result = Empty,
                audit.note = Empty,
                secret = "hush"
            );
            span.in_scope(|| {
                Span::current().record("audit.note", "late").record("secret", "hush");
                Span::current().record("audit.result", "success");
            });
        },
    );
    let [intent, outcome] = records.as_slice() else {
        panic!("{records:#?}");
    };
    assert_eq!(intent["action"], "ledger.rotate");
    assert_eq!(intent["resource"], "ledger/7");
    assert_eq!(intent["actor"]["id"], "settler");
    assert_eq!(intent["attrs"], json!({"amount": 42}));
    assert_eq!(intent["span"]["name"], "rotate");
    assert_eq!(intent["span"]["target"], module_path!());
    assert!(intent["span"]["line"].as_u64().unwrap() > 0);
    assert_eq!(outcome["id"], intent["id"]);
    assert_eq!(outcome["result"], "success");
    assert_eq!(outcome["attrs"], json!({"note": "late"}));
    assert!(!format!("{records:?}").contains("hush"), "only `audit.` fields are recorded");
}

#[test]
fn other_spans_leave_nothing() {
    let records = record(|_| info_span!("rotate", resource = "ledger/7", audit.note = 1).in_scope(|| ()));
    assert!(records.is_empty());
}

#[test]
fn spans_of_every_level_are_recorded() {
    let records = record(|_| {
        drop(tracing::span!(Level::ERROR, "span", audit.action = "a"));
        drop(tracing::span!(Level::TRACE, "span", audit.action = "b"));
    });
    assert_eq!(records.len(), 4);
}

#[test]
fn a_span_whose_action_has_no_value_is_named_after_the_span() {
    let records = record(|_| {
        info_span!("rotate", audit.action = Empty).record("audit.action", "ledger.rotate");
    });
    assert_eq!(records[0]["action"], "rotate");
    assert_eq!(records[1]["attrs"], json!({"action": "ledger.rotate"}));
}

#[test]
fn an_instrumented_future_is_one_activity_however_often_it_is_polled() {
    let records = record(|_| {
        let span = info_span!("rotate", audit.action = "a", audit.result = Empty);
        let work = async {
            let id = CurrentActivity::get().unwrap().id();
            for _ in 0..3 {
                tokio::task::yield_now().await;
                assert_eq!(CurrentActivity::get().unwrap().id(), id);
            }
            Span::current().record("audit.result", "success");
        };
        runtime().block_on(work.instrument(span));
        assert!(CurrentActivity::get().is_none());
    });
    assert_eq!(records.len(), 2);
    assert_eq!(records[1]["result"], "success");
}

#[test]
fn a_span_ends_once_its_last_clone_is_dropped_whichever_thread_has_it() {
    let records = record(|log| {
        let span = info_span!("rotate", audit.action = "a", audit.result = Empty);
        let other = info_span!("other");
        other.follows_from(&span);
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let span = span.clone();
                std::thread::spawn(move || span.in_scope(|| assert!(CurrentActivity::get().is_some())))
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(log.health().open_activities, 1);
        let end = move || {
            span.record("audit.result", "success");
        };
        std::thread::spawn(end).join().unwrap();
        let start = Instant::now();
        while log.health().open_activities > 0 {
            assert!(start.elapsed() < Duration::from_secs(5), "it never ended");
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    assert_eq!(records.len(), 2);
    assert_eq!(outcome(&records, "a")["result"], "success");
}
