//! Several layers, several subscribers, layers that are replaced, and logs that take nothing.

use audit_core::testing::{Call, Fault, TestLog};
use audit_core::{CurrentActivity, Policy};
use audit_tracing::{AuditSpans, check};
use tracing::{Span, info_span};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer, registry, reload};

use crate::support::{activities, intent, outcome};

fn open() -> (TestLog, AuditSpans) {
    let log = TestLog::open().unwrap();
    let spans = AuditSpans::new(log.clone()).unwrap();
    (log, spans)
}

fn span(action: &str) -> Span {
    info_span!("span", audit.action = action, audit.result = "success")
}

#[test]
fn two_layers_record_the_same_spans_into_two_logs() {
    let (first, first_spans) = open();
    let (second, second_spans) = open();
    let subscriber = registry().with(first_spans.with_default_filter()).with(second_spans.with_default_filter());
    tracing::subscriber::with_default(subscriber, || {
        span("outer").in_scope(|| drop(span("inner")));
        assert!(CurrentActivity::get().is_none());
    });
    for log in [first, second] {
        let records = activities(&log);
        assert_eq!(records.len(), 4);
        assert_eq!(intent(&records, "inner")["parent"], intent(&records, "outer")["id"], "its own log's");
        assert_eq!(outcome(&records, "inner")["result"], "success");
    }
}

#[test]
fn two_subscribers_on_one_thread_do_not_mix_up_their_spans() {
    let (log, spans) = open();
    let one = tracing::Dispatch::new(registry().with(spans.clone().with_default_filter()));
    let two = tracing::Dispatch::new(registry().with(spans.with_default_filter()));
    let first = tracing::dispatcher::with_default(&one, || span("first"));
    let second = tracing::dispatcher::with_default(&two, || span("second"));
    assert_eq!(first.id(), second.id(), "otherwise this shows nothing");
    let left = first.enter();
    let stays = second.enter();
    drop(left);
    tracing::dispatcher::with_default(&two, || drop(span("inner")));
    drop(stays);
    assert!(CurrentActivity::get().is_none());
    drop((first, second));
    let records = activities(&log);
    assert_eq!(intent(&records, "inner")["parent"], intent(&records, "second")["id"]);
}

#[test]
fn a_replaced_layer_leaves_its_open_spans_to_the_new_one() {
    let (old, old_spans) = open();
    let (new, new_spans) = open();
    let (layer, handle) = reload::Layer::new(old_spans);
    tracing::subscriber::with_default(registry().with(layer), || {
        check().unwrap();
        let open = info_span!("span", audit.action = "open", audit.result = tracing::field::Empty);
        open.in_scope(|| {
            handle.reload(new_spans).unwrap();
            open.record("audit.result", "success");
            drop(span("later"));
        });
        assert!(CurrentActivity::get().is_none());
    });
    let records = activities(&old);
    assert_eq!(records.len(), 2);
    assert_eq!(outcome(&records, "open")["result"], "success");
    let records = activities(&new);
    assert_eq!(records.len(), 2);
    assert_eq!(outcome(&records, "later")["result"], "success");
}

#[test]
fn a_layer_may_be_boxed_or_optional() {
    let (log, spans) = open();
    let boxed: Box<dyn Layer<_> + Send + Sync> = spans.with_default_filter().boxed();
    let none: Option<AuditSpans> = None;
    tracing::subscriber::with_default(registry().with(Some(boxed)).with(none), || {
        check().unwrap();
        drop(span("boxed"));
    });
    assert_eq!(activities(&log).len(), 2);
}

#[test]
fn a_closed_log_harms_nobody() {
    let (log, spans) = open();
    assert!(activities(&log).is_empty());
    tracing::subscriber::with_default(registry().with(spans.with_default_filter()), || {
        span("late").in_scope(|| span("inner").record("audit.result", "failure").in_scope(|| ()));
    });
    let coverage = log.coverage();
    assert_eq!((coverage.recorded, coverage.lost), (0, 2));
}

#[test]
fn what_a_full_log_cannot_take_is_counted_as_lost() {
    let log = TestLog::configured(|builder| builder.tune(|limits| limits.queue_records = 8)).unwrap();
    let spans = AuditSpans::new(log.clone()).unwrap();
    log.faults().until_healed(Call::Append, Fault::Unavailable);
    tracing::subscriber::with_default(registry().with(spans.with_default_filter()), || {
        for _ in 0..10 {
            span("many").in_scope(|| ());
        }
    });
    let lost = log.coverage().lost;
    assert!(lost > 0);
    log.faults().heal();
    let records = activities(&log);
    let intents = records.iter().filter(|record| record["kind"] == "intent").count();
    assert_eq!(intents as u64 + lost, 10);
    assert!(log.records().iter().any(|record| record["kind"] == "gap"));
}

#[test]
fn spans_that_a_rule_excludes_are_passed_over() {
    let policy = Policy::from_toml("[[rule]]\nname = \"none\"\nlevel = \"none\"\nactions = [\"middle\"]\n").unwrap();
    let log = TestLog::with_policy(policy).unwrap();
    let spans = AuditSpans::new(log.clone()).unwrap();
    tracing::subscriber::with_default(registry().with(spans.with_default_filter()), || {
        span("outer").in_scope(|| span("middle").in_scope(|| drop(span("inner"))));
    });
    let records = activities(&log);
    assert_eq!(records.len(), 4);
    assert_eq!(intent(&records, "inner")["parent"], intent(&records, "outer")["id"]);
}
