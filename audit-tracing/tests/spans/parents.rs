//! Which activity a span belongs to, and which one belongs to the span.

use std::cell::RefCell;
use std::future::ready;

use audit_core::{AuditLog, CurrentActivity, Event};
use audit_tracing::audited;
use serde_json::Value;
use tracing::{Span, info_span};

use crate::support::{intent, nested, record, record_unfiltered, runtime};

fn parent<'a>(records: &'a [Value], action: &str) -> &'a Value {
    &intent(records, action)["parent"]
}

fn id<'a>(records: &'a [Value], action: &str) -> &'a Value {
    &intent(records, action)["id"]
}

fn span(action: &str) -> Span {
    info_span!("span", audit.action = action)
}

#[test]
fn spans_name_their_parents_across_plain_spans_and_from_activities() {
    let records = record(|log| {
        let inner = span("outer").in_scope(|| info_span!("plain").in_scope(|| span("inner")));
        inner.in_scope(|| nested(log, "nested"));
        assert!(CurrentActivity::get().is_none());
        let activity = log.begin(&Event::action("call")).without_waiting();
        let entered = activity.current().enter();
        span("under a call").in_scope(|| ());
        drop(entered);
    });
    assert_eq!(*parent(&records, "outer"), Value::Null);
    assert_eq!(parent(&records, "inner"), id(&records, "outer"));
    assert_eq!(parent(&records, "nested"), id(&records, "inner"));
    assert_eq!(parent(&records, "under a call"), id(&records, "call"));
    assert_eq!(records.len(), 10);
}

#[test]
fn an_explicit_parent_counts_wherever_it_is() {
    let records = record_unfiltered(|| {
        let outer = span("outer");
        let plain = info_span!(parent: &outer, "plain");
        let elsewhere = span("elsewhere");
        elsewhere.in_scope(|| drop(info_span!(parent: &plain, "span", audit.action = "inner")));
    });
    assert_eq!(parent(&records, "inner"), id(&records, "outer"));
}

#[test]
fn a_parent_is_found_on_another_thread() {
    let records = record(|_| {
        let plain =
            span("outer").in_scope(|| info_span!(parent: &Span::current(), "carried", audit.action = "carried"));
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let work = move || tracing::dispatcher::with_default(&dispatch, || plain.in_scope(|| drop(span("inner"))));
        std::thread::spawn(work).join().unwrap();
    });
    assert_eq!(parent(&records, "inner"), id(&records, "carried"));
    assert_eq!(parent(&records, "carried"), id(&records, "outer"));
}

#[test]
fn a_call_inside_a_span_is_nearer_than_the_span() {
    let records = record(|log| {
        let call = |log: &AuditLog| {
            let work = async {
                span("inside the call").in_scope(|| nested(log, "innermost"));
                Ok::<_, String>(())
            };
            runtime().block_on(audited(log, Event::action("call"), work)).unwrap();
        };
        span("outer").in_scope(|| call(log));
    });
    assert_eq!(parent(&records, "call"), id(&records, "outer"));
    assert_eq!(parent(&records, "inside the call"), id(&records, "call"));
    assert_eq!(parent(&records, "innermost"), id(&records, "inside the call"));
}

#[test]
fn spans_may_be_left_in_any_order() {
    let records = record(|log| {
        let spans = [span("first"), span("second"), span("third")];
        let mut entered: Vec<_> = spans.iter().map(Span::enter).collect();
        drop(entered.remove(1));
        nested(log, "in the third");
        drop(entered.remove(0));
        nested(log, "still in the third");
        drop(entered);
        assert!(CurrentActivity::get().is_none());
    });
    assert_eq!(parent(&records, "in the third"), id(&records, "third"));
    assert_eq!(parent(&records, "still in the third"), id(&records, "third"));
}

#[test]
fn a_span_entered_twice_stays_current_until_it_is_left_twice() {
    let records = record(|log| {
        let outer = span("outer");
        let inner = span("inner");
        outer.in_scope(|| {
            inner.in_scope(|| inner.in_scope(|| outer.in_scope(|| nested(log, "deep"))));
            nested(log, "shallow");
        });
        assert!(CurrentActivity::get().is_none());
    });
    assert_eq!(parent(&records, "deep"), id(&records, "outer"));
    assert_eq!(parent(&records, "shallow"), id(&records, "outer"));
}

#[test]
fn what_an_activity_is_told_inside_a_span_is_recorded() {
    let records = record(|log| {
        span("outer").in_scope(|| {
            let current = CurrentActivity::get().unwrap();
            current.resource("ledger/7").unwrap();
            runtime().block_on(audited(log, Event::action("inner"), ready(Ok::<_, String>(())))).unwrap();
        });
    });
    assert!(records.iter().any(|record| record["resource"] == "ledger/7"));
}

#[test]
fn a_thread_that_is_torn_down_may_still_be_in_spans() {
    struct Late(RefCell<Option<(Span, tracing::Dispatch)>>);
    impl Drop for Late {
        fn drop(&mut self) {
            if let Some((span, dispatch)) = self.0.take() {
                let _ = dispatch;
                span.in_scope(|| ());
            }
        }
    }
    thread_local!(static LATE: Late = const { Late(RefCell::new(None)) });
    let records = record(|_| {
        let late = (span("late"), tracing::dispatcher::get_default(Clone::clone));
        // Touched before and after the thread's other values, so that it outlives some of them.
        let work = move || {
            LATE.with(|slot| *slot.0.borrow_mut() = Some(late));
            drop(CurrentActivity::get());
        };
        std::thread::spawn(work).join().unwrap();
    });
    assert_eq!(records.len(), 2);
}
