//! How a span ends: what `#[instrument]` says, and what the span says itself.

use std::fmt;
use std::future::pending;

use audit_core::OutcomeResult;
use audit_tracing::AuditSpans;
use serde_json::{Value, json};
use tracing::field::Empty;
use tracing::{Instrument as _, Span, info_span, instrument};

use crate::support::{outcome, record, record_unfiltered, record_with, runtime};

#[derive(Debug)]
struct Locked;

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the ledger is locked")
    }
}

#[instrument(ret, err, skip_all, fields(audit.action = "async"))]
async fn rotate(result: Result<u32, Locked>) -> Result<u32, Locked> {
    tokio::task::yield_now().await;
    result
}

#[instrument(ret, err, skip_all, fields(audit.action = "sync"))]
fn rotate_now(result: Result<u32, Locked>) -> Result<u32, Locked> {
    result
}

#[test]
fn a_function_that_returns_ok_succeeds_and_its_value_stays_out() {
    let records = record(|_| {
        rotate_now(Ok(4_711)).unwrap();
        runtime().block_on(rotate(Ok(4_711))).unwrap();
    });
    for action in ["sync", "async"] {
        assert_eq!(outcome(&records, action)["result"], "success");
        assert_eq!(outcome(&records, action)["attrs"], Value::Null);
    }
}

#[test]
fn a_returned_value_is_recorded_where_that_is_asked_for() {
    let records = record_with(AuditSpans::with_return_values, |_| {
        rotate_now(Ok(4_711)).unwrap();
    });
    assert_eq!(outcome(&records, "sync")["attrs"], json!({"return": "4711"}));
}

#[test]
fn a_function_that_returns_err_fails_and_says_why() {
    let records = record(|_| {
        rotate_now(Err(Locked)).unwrap_err();
        runtime().block_on(rotate(Err(Locked))).unwrap_err();
    });
    for action in ["sync", "async"] {
        assert_eq!(outcome(&records, action)["result"], "failure");
        assert_eq!(outcome(&records, action)["error"], "the ledger is locked");
    }
}

#[test]
fn texts_of_errors_can_be_left_out() {
    let records = record_with(AuditSpans::without_error_texts, |_| drop(rotate_now(Err(Locked))));
    assert_eq!(outcome(&records, "sync")["result"], "failure");
    assert_eq!(outcome(&records, "sync")["error"], Value::Null);
}

#[test]
fn every_form_of_ret_and_err_is_understood() {
    #[instrument(level = "trace", ret(Display, level = "debug"), fields(audit.action = "display"))]
    fn display() -> u32 {
        7
    }
    #[instrument(level = "debug", target = "elsewhere", err(Debug, level = "trace"), fields(audit.action = "debug"))]
    fn debug() -> Result<(), Locked> {
        Err(Locked)
    }
    #[instrument(err, fields(audit.action = "err alone"))]
    fn err_alone() -> Result<(), Locked> {
        Ok(())
    }
    #[instrument(
        name = "many lines",
        ret,
        fields(audit.action = "unit")
    )]
    fn unit() {}
    let records = record(|_| {
        display();
        debug().unwrap_err();
        err_alone().unwrap();
        unit();
    });
    assert_eq!(outcome(&records, "display")["result"], "success");
    assert_eq!(outcome(&records, "debug")["result"], "failure");
    assert_eq!(outcome(&records, "debug")["error"], "Locked");
    assert_eq!(outcome(&records, "err alone")["result"], "unknown", "nothing is said about an `Ok`");
    assert_eq!(outcome(&records, "unit")["result"], "success");
}

#[test]
fn an_err_is_no_success_where_only_ret_is_given() {
    #[instrument(ret, fields(audit.action = "ret alone"))]
    fn ret_alone() -> Result<(), Locked> {
        Err(Locked)
    }
    #[instrument(ret, fields(audit.action = "text"))]
    fn text() -> &'static str {
        "Err(not)"
    }
    let records = record(|_| {
        ret_alone().unwrap_err();
        text();
    });
    assert_eq!(outcome(&records, "ret alone")["result"], "failure");
    assert_eq!(outcome(&records, "text")["result"], "success");
}

#[test]
fn a_function_that_says_nothing_ends_as_unknown() {
    #[instrument(fields(audit.action = "sync"))]
    fn sync() {}
    #[instrument(fields(audit.action = "async"))]
    async fn finished() {}
    let records = record(|_| {
        sync();
        runtime().block_on(finished());
    });
    assert_eq!(outcome(&records, "sync")["result"], "unknown");
    assert_eq!(outcome(&records, "async")["result"], "unknown");
}

#[test]
fn a_dropped_future_ends_as_unknown() {
    #[instrument(ret, err, fields(audit.action = "dropped"))]
    async fn forever() -> Result<(), Locked> {
        pending().await
    }
    let records = record(|_| {
        runtime().block_on(async {
            let soon = std::time::Duration::from_millis(5);
            tokio::time::timeout(soon, forever()).await.unwrap_err();
        });
    });
    assert_eq!(outcome(&records, "dropped")["result"], "unknown");
}

#[test]
fn events_of_the_function_itself_say_nothing_about_its_end() {
    #[instrument(fields(audit.action = "events"))]
    fn events() {
        let e = Locked;
        tracing::error!(error = %e);
        tracing::error!(error = %e, "with a message");
        tracing::info!(return = ?7);
    }
    let records = record(|_| events());
    assert_eq!(outcome(&records, "events")["result"], "unknown");
    assert_eq!(outcome(&records, "events")["error"], Value::Null);
}

#[instrument(err)]
fn plain() -> Result<(), Locked> {
    Err(Locked)
}

#[instrument(ret, err, fields(audit.action = "inner"))]
fn inner() -> Result<(), Locked> {
    Err(Locked)
}

#[instrument(skip_all, fields(audit.action = "outer"))]
fn outer(call: impl FnOnce() -> Result<(), Locked>) {
    call().unwrap_err();
}

#[test]
fn an_error_inside_is_not_that_of_the_span_around_it() {
    let records = record(|_| outer(plain));
    assert_eq!(outcome(&records, "outer")["result"], "unknown");
    let records = record_unfiltered(|| outer(plain));
    assert_eq!(outcome(&records, "outer")["result"], "unknown");
    let records = record(|_| outer(inner));
    assert_eq!(outcome(&records, "outer")["result"], "unknown");
    assert_eq!(outcome(&records, "inner")["result"], "failure");
}

#[test]
fn each_call_of_a_recursive_function_has_its_own_end() {
    #[instrument(ret, err, fields(audit.action = %format_args!("depth {depth}")))]
    fn descend(depth: u32) -> Result<(), Locked> {
        if depth == 2 {
            return Err(Locked);
        }
        descend(depth + 1).ok();
        Ok(())
    }
    let records = record(|_| descend(0).unwrap());
    assert_eq!(outcome(&records, "depth 0")["result"], "success");
    assert_eq!(outcome(&records, "depth 1")["result"], "success");
    assert_eq!(outcome(&records, "depth 2")["result"], "failure");
}

#[test]
fn a_span_may_say_every_result() {
    for result in OutcomeResult::ALL {
        let records = record(|_| drop(info_span!("span", audit.action = "a", audit.result = result.as_str())));
        assert_eq!(records[1]["result"], result.as_str());
    }
}

#[test]
fn the_last_result_counts() {
    let records = record(|_| {
        let span = info_span!("span", audit.action = "a", audit.result = "failure");
        span.record("audit.result", tracing::field::display("denied"));
    });
    assert_eq!(records[1]["result"], "denied");
}

#[test]
fn a_word_that_is_no_result_is_kept_beside_unknown() {
    #[instrument(ret, fields(audit.action = "a", audit.result = Empty))]
    fn says(word: &str) {
        Span::current().record("audit.result", word);
    }
    let records = record(|_| says("Splendid"));
    assert_eq!(outcome(&records, "a")["result"], "unknown");
    assert_eq!(outcome(&records, "a")["attrs"], json!({"result": "Splendid"}));
}

#[test]
fn what_the_span_says_counts_more_than_the_attribute_except_that_an_err_is_no_success() {
    #[instrument(ret, err, skip_all, fields(audit.action = word, audit.result = word))]
    fn fails(word: &str) -> Result<(), Locked> {
        Err(Locked)
    }
    #[instrument(ret, fields(audit.action = "returns", audit.result = "denied"))]
    fn returns() {}
    let records = record(|_| {
        fails("denied").unwrap_err();
        fails("success").unwrap_err();
        returns();
    });
    assert_eq!(outcome(&records, "denied")["result"], "denied");
    assert_eq!(outcome(&records, "denied")["error"], "the ledger is locked");
    assert_eq!(outcome(&records, "success")["result"], "failure");
    assert_eq!(outcome(&records, "returns")["result"], "denied");
}

#[test]
fn a_span_made_by_hand_is_no_attribute() {
    let records = record(|_| {
        let work = async { tracing::error!(error = %Locked) };
        runtime().block_on(work.instrument(info_span!("span", audit.action = "a")));
    });
    assert_eq!(outcome(&records, "a")["result"], "unknown");
}
