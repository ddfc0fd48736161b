//! What is a record, and what is not.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

use audit_core::evidence::Hash;
use audit_core::record::{Frame, Kind, ParseError, Record};
use proptest::prelude::*;

const ID: &str = "0193580e-5f1a-7aaa-bbbb-0123456789ab";

fn line_with(members: &str) -> String {
    format!(
        "{{\"v\":1,\"seq\":41,\"prev\":\"{}\",\"time\":\"2026-11-23T11:40:06.757467Z\",\"kind\":\"event\"{members}}}",
        "9f".repeat(32)
    )
}

fn error_of(line: &str) -> ParseError {
    Record::parse(line.as_bytes()).expect_err(line)
}

#[test]
fn a_record_says_where_it_stands_and_what_it_is_about() {
    let line = line_with(&format!(",\"id\":\"{ID}\",\"action\":\"GET /v1/\\u00e9\",\"n\":7"));
    let record = Record::parse(line.as_bytes()).expect("a record");
    assert_eq!(record.seq(), 41);
    assert_eq!(record.prev(), &Hash::from_bytes([0x9f; 32]));
    assert_eq!(record.time_micros(), 1_795_434_006_757_467);
    assert_eq!(record.kind(), Some(Kind::Event));
    assert_eq!(record.id().map(|id| id.to_string()).as_deref(), Some(ID));
    assert_eq!(record.text("action").as_deref(), Some("GET /v1/é"));
    assert_eq!(record.number("n"), Some(7));
    assert_eq!(record.text("absent"), None);
}

#[test]
fn nested_members_are_found_by_name() {
    let line = line_with(",\"actor\":{\"type\":\"user\",\"verified\":true},\"empty\":{},\"list\":[1,{\"a\":null}]");
    let record = Record::parse(line.as_bytes()).expect("a record");
    let actor = record.member("actor").expect("actor");
    let kind = actor.member("type").expect("type");
    assert_eq!(kind.text().as_deref(), Some("user"));
    let verified = actor.member("verified").expect("verified");
    assert_eq!(verified.boolean(), Some(true));
    let empty = record.member("empty").expect("empty");
    assert!(empty.member("type").is_none());
}

#[test]
fn an_unknown_kind_is_a_record_of_a_kind_nobody_knows_here() {
    let line = line_with("").replace("\"event\"", "\"future.kind\"");
    let record = Record::parse(line.as_bytes()).expect("a record");
    assert_eq!(record.kind(), None);
    assert_eq!(record.kind_word(), "future.kind");
}

#[test]
fn the_frame_is_exact() {
    let good = line_with("");
    assert!(Frame::parse(good.as_bytes()).is_ok());
    for bad in [
        good.replacen("{\"v\"", "{ \"v\"", 1),
        good.replacen("\"v\":1", "\"v\":01", 1),
        good.replacen("\"v\":1", "\"v\": 1", 1),
        good.replacen("\"seq\":41", "\"seq\":041", 1),
        good.replacen("\"seq\":41", "\"seq\":-1", 1),
        good.replacen("\"seq\":41", "\"seq\":", 1),
        good.replacen("\"seq\":41", "\"seq\":9007199254740992", 1),
        good.replacen("\"seq\":41", "\"seq\":99999999999999999999999", 1),
        good.replacen("\"seq\":41", "\"seq\":41.0", 1),
        good.replacen("9f9f", "9F9F", 1),
        good.replacen("9f9f", "9f9g", 1),
        good.replacen("9f9f", "9f9", 1),
        good.replacen("\"prev\"", "\"prew\"", 1),
        "{\"v\":1,\"seq\":0}".to_owned(),
        String::new(),
        "{".to_owned(),
    ] {
        assert!(matches!(error_of(&bad), ParseError::Frame { .. }), "{bad}");
    }
}

#[test]
fn an_unknown_version_is_told_apart_from_a_broken_line() {
    let line = line_with("").replacen("\"v\":1", "\"v\":2", 1);
    assert_eq!(error_of(&line), ParseError::UnknownVersion { version: 2 });
    assert!(error_of(&line).is_unknown_version());
}

#[test]
fn a_byte_order_mark_is_refused() {
    let line = format!("\u{feff}{}", line_with(""));
    assert_eq!(error_of(&line), ParseError::ByteOrderMark);
}

#[test]
fn a_repeated_member_is_refused_at_any_depth_and_however_it_is_written() {
    let many: String = (0..200).map(|n| format!(",\"m{n}\":{n}")).collect();
    for members in [
        ",\"a\":1,\"a\":2".to_owned(),
        ",\"a\":1,\"\\u0061\":2".to_owned(),
        ",\"\\u0061\":1,\"a\":2".to_owned(),
        ",\"attrs\":{\"x\":1,\"y\":2,\"x\":3}".to_owned(),
        ",\"list\":[{\"x\":1,\"x\":1}]".to_owned(),
        ",\"v\":1".to_owned(),
        ",\"seq\":7".to_owned(),
        ",\"prev\":\"\"".to_owned(),
        ",\"kind\":\"intent\"".to_owned(),
        format!("{many},\"m3\":0"),
        format!("{many},\"m199\":0"),
    ] {
        let error = error_of(&line_with(&members));
        assert!(matches!(error, ParseError::DuplicateMember { .. }), "{members}");
    }
    assert!(Record::parse(line_with(&many).as_bytes()).is_ok());
}

#[test]
fn the_same_name_in_different_objects_is_no_repetition() {
    let line = line_with(",\"a\":{\"a\":{\"a\":1},\"b\":{\"a\":2}},\"b\":[{\"a\":1},{\"a\":1}]");
    assert!(Record::parse(line.as_bytes()).is_ok());
}

#[test]
fn what_is_not_json_is_refused() {
    for members in [
        ",",
        ",\"a\"",
        ",\"a\":",
        ",\"a\":01",
        ",\"a\":-",
        ",\"a\":1.",
        ",\"a\":.5",
        ",\"a\":1e",
        ",\"a\":+1",
        ",\"a\":tru",
        ",\"a\":True",
        ",\"a\":NaN",
        ",\"a\":'x'",
        ",\"a\":[1,]",
        ",\"a\":[1",
        ",\"a\":{\"b\":1,}",
        ",\"a\":{,}",
        ",a:1",
        ",\"a\":\"\u{1}\"",
        ",\"a\":\"\t\"",
        ",\"a\":\"\\x\"",
        ",\"a\":\"\\u12g4\"",
        ",\"a\":\"\\ud800\"",
        ",\"a\":\"\\ud800\\u0041\"",
        ",\"a\":\"\\udc00\"",
        ",\"a\":\"open",
        " \"a\":1",
        "}",
        "} x",
    ] {
        let error = error_of(&line_with(members));
        assert!(matches!(error, ParseError::Json { .. }), "{members}: {error:?}");
    }
}

#[test]
fn a_number_that_not_every_reader_can_hold_is_refused() {
    for number in ["9007199254740992", "-9007199254740992", "1e16", "123456789012345678901234567890", "1e400"] {
        let error = error_of(&line_with(&format!(",\"a\":{number}")));
        assert!(matches!(error, ParseError::NumberTooLarge { .. }), "{number}");
    }
    for number in ["9007199254740991", "-9007199254740991", "0", "-0.5", "1.25e3"] {
        let line = line_with(&format!(",\"a\":{number}"));
        assert!(Record::parse(line.as_bytes()).is_ok(), "{number}");
    }
}

#[test]
fn every_record_has_a_time_and_a_kind() {
    const TIME: &str = "2026-11-23T11:40:06.757467Z";
    let good = line_with("");
    for (from, to) in [
        (",\"time\":\"2026-11-23T11:40:06.757467Z\"", ""),
        (TIME, "2026-11-23T11:40:06Z"),
        (TIME, "2026-11-23T11:40:06.757467+00:00"),
        (TIME, "2026-02-30T11:40:06.757467Z"),
        (TIME, "2026-11-23T24:40:06.757467Z"),
        ("\"2026-11-23T11:40:06.757467Z\"", "1763898006"),
        (",\"kind\":\"event\"", ""),
        ("\"kind\":\"event\"", "\"kind\":7"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        assert!(matches!(error_of(&bad), ParseError::Member { .. }), "{bad}");
    }
}

#[test]
fn intents_and_outcomes_have_an_id() {
    let good = line_with(&format!(",\"id\":\"{ID}\"")).replace("\"event\"", "\"intent\"");
    assert!(Record::parse(good.as_bytes()).is_ok());
    for bad in [
        good.replace(&format!(",\"id\":\"{ID}\""), ""),
        good.replace(ID, "not-a-uuid"),
        good.replace(ID, &ID.to_uppercase()),
    ] {
        let error = error_of(&bad);
        assert!(matches!(error, ParseError::Member { name: "id", .. }), "{bad}");
    }
}

#[test]
fn limits_on_length_and_depth_hold() {
    let fill = 65_535 - line_with(",\"a\":\"\"").len();
    let longest = line_with(&format!(",\"a\":\"{}\"", "x".repeat(fill)));
    assert_eq!(longest.len(), 65_535);
    assert!(Record::parse(longest.as_bytes()).is_ok());
    let longer = line_with(&format!(",\"a\":\"{}\"", "x".repeat(fill + 1)));
    assert_eq!(error_of(&longer), ParseError::TooLong { bytes: 65_536 });

    let nested = |depth: usize| line_with(&format!(",\"a\":{}{}", "[".repeat(depth), "]".repeat(depth)));
    assert!(Record::parse(nested(31).as_bytes()).is_ok());
    assert!(matches!(error_of(&nested(32)), ParseError::TooDeep { .. }));
}

#[test]
fn bytes_that_are_not_utf8_are_refused_where_they_stand() {
    let mut line = line_with(",\"a\":\"\u{e9}\u{e9}\"").into_bytes();
    let at = line.iter().rposition(|byte| *byte == 0xc3).expect("é");
    line[at + 1] = b'(';
    let error = Record::parse(&line).expect_err("not UTF-8");
    assert_eq!(error, ParseError::NotUtf8 { at });
}

fn arbitrary_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i32>().prop_map(serde_json::Value::from),
        (-1.0e9_f64..1.0e9).prop_map(serde_json::Value::from),
        any::<String>().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 48, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(serde_json::Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..8)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_serde_json_writes_is_read_and_found_again(
        value in arbitrary_json(),
        name in "[a-z\"\\\\é]{1,12}",
    ) {
        prop_assume!(!["v", "seq", "prev", "time", "kind", "id"].contains(&name.as_str()));
        let key = serde_json::to_string(&name).expect("name");
        let line = line_with(&format!(",{key}:{value}"));
        let record = Record::parse(line.as_bytes()).expect("a record");
        let member = record.member(&name).expect("the member");
        if let Some(text) = value.as_str() {
            prop_assert_eq!(member.text().expect("text").into_owned(), text);
        } else {
            let written = value.to_string();
            prop_assert_eq!(member.raw(), written.as_bytes());
        }
    }

    #[test]
    fn what_is_accepted_is_json_for_serde_too(at in 0_usize..400, byte in any::<u8>()) {
        let mut line = line_with(&format!(
            ",\"id\":\"{ID}\",\"actor\":{{\"n\":[1,-2.5e3,true,null,\"\\u00e9\\n\"]}},\"é\":\"ü\""
        ))
        .into_bytes();
        let at = at % line.len();
        line[at] = byte;
        if Record::parse(&line).is_ok() {
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&line).is_ok());
        }
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut line = line_with("").into_bytes();
        line.truncate(110);
        line.extend_from_slice(&bytes);
        let _ = Record::parse(&line);
        let _ = Record::parse(&bytes);
    }
}
