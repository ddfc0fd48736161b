//! What becomes of the fields of a span.

use std::fmt;
use std::io;

use proptest::prelude::*;
use serde_json::{Value, json};
use tracing::field::{Empty, debug, display};
use tracing::info_span;

use crate::support::record;

#[derive(Debug)]
struct Ledger(#[expect(dead_code, reason = "shown by Debug")] u32);

#[test]
fn fields_of_every_type_are_recorded() {
    let error = io::Error::other("the ledger is locked");
    let bytes: &[u8] = &[0, 0x9f, 0xff];
    let records = record(|_| {
        let span = info_span!(
            "span",
            audit.action = %"ledger.rotate",
            audit.resource = ?Ledger(7),
            audit.signed = -7_i64,
            audit.unsigned = 7_u8,
            audit.large = u64::MAX,
            audit.float = 0.5,
            audit.no_number = f64::NAN,
            audit.truth = true,
            audit.small_wide = 7_i128,
            audit.wide = i128::MIN,
            audit.widest = u128::MAX,
            audit.bytes = bytes,
            audit.error = &error as &(dyn std::error::Error + 'static),
            audit.nested.name = "dotted",
            audit.nothing = Empty,
            audit.none = None::<u32>,
        );
        drop(span);
    });
    assert_eq!(records[0]["action"], "ledger.rotate");
    assert_eq!(records[0]["resource"], "Ledger(7)");
    assert_eq!(
        records[0]["attrs"],
        json!({
            "signed": -7, "unsigned": 7, "large": u64::MAX.to_string(), "float": 0.5, "no_number": "NaN",
            "truth": true, "small_wide": 7, "wide": i128::MIN.to_string(), "widest": u128::MAX.to_string(),
            "bytes": "009fff", "error": "the ledger is locked", "nested.name": "dotted",
        })
    );
}

#[test]
fn what_is_recorded_later_lands_in_the_outcome() {
    let records = record(|_| {
        let span = info_span!("span", audit.action = "a", audit.resource = Empty, audit.count = 1, audit.wide = Empty);
        span.record("audit.resource", display("ledger/8"));
        span.record("audit.count", 2).record("audit.wide", debug(Ledger(8)));
        span.record("audit.undeclared", 3);
    });
    assert_eq!(records[0]["attrs"], json!({"count": 1}));
    assert_eq!(records[1]["resource"], "ledger/8");
    assert_eq!(records[1]["attrs"], json!({"count": 2, "wide": "Ledger(8)"}));
}

#[test]
fn an_action_or_resource_that_is_no_text_becomes_one() {
    let records = record(|_| drop(info_span!("span", audit.action = 7, audit.resource = true)));
    assert_eq!(records[0]["action"], "7");
    assert_eq!(records[0]["resource"], "true");
}

/// Says the same without end.
struct Endless;

impl fmt::Debug for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        loop {
            f.write_str("and on … ")?;
        }
    }
}

#[test]
fn a_value_without_end_is_cut_and_the_record_says_so() {
    let records = record(|_| {
        let span = info_span!("span", audit.action = "a", audit.resource = ?Endless, audit.note = ?Endless, other = 1);
        span.record("audit.note", debug(Endless));
    });
    assert!(records[0]["resource"].as_str().unwrap().starts_with("and on … and on"));
    assert_eq!(records[0]["truncated"], json!(["resource", "attrs"]));
    assert_eq!(records[1]["truncated"], json!(["attrs"]));
}

#[test]
fn a_hostile_value_changes_no_other_member() {
    let hostile = "x\",\"actor\":{\"id\":\"root\"},\"seq\":0,\n\u{0}\u{202e}\"}";
    let records = record(|_| drop(info_span!("span", audit.action = hostile, audit.note = hostile)));
    assert_eq!(records[0]["action"], hostile);
    assert_eq!(records[0]["attrs"], json!({ "note": hostile }));
    assert_eq!(records[0]["actor"]["id"], Value::Null);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_value_keeps_a_span_from_being_recorded(action in ".{0,40}", text in "(.|\\n){0,300}", result in ".{0,12}") {
        let records = record(|_| {
            let span = info_span!("span", audit.action = %action, audit.resource = %text, audit.note = %text);
            span.in_scope(|| drop(info_span!("inner", audit.action = ?text, audit.result = %result)));
        });
        prop_assert_eq!(records.len(), 4);
        prop_assert_eq!(&records[0]["action"], &json!(action));
        prop_assert_eq!(&records[0]["resource"], &json!(text));
        prop_assert_eq!(&records[0]["attrs"]["note"], &json!(text));
        prop_assert_eq!(&records[1]["parent"], &records[0]["id"]);
    }
}
