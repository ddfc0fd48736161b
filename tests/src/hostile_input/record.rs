//! A line of a log that somebody else wrote.

use audit_core::record::line::LINE_LIMIT;
use audit_core::record::{Frame, Record};
use serde_json::Value;

/// Whatever is taken for a record is JSON to every other reader too, and says the same to it.
pub(crate) fn check(data: &[u8]) {
    let Ok(record) = Record::parse(data) else {
        return;
    };
    assert!(data.len() <= LINE_LIMIT);
    assert!(!data.contains(&b'\n'), "only a line feed ends a line");
    let frame = Frame::parse(data).expect("a record has a frame");
    assert_eq!((frame.seq, frame.prev), (record.seq(), *record.prev()));

    let json: Value = serde_json::from_slice(data).expect("a record is JSON");
    assert_eq!(json["v"], 1);
    assert_eq!(json["seq"], record.seq());
    assert_eq!(json["prev"], record.prev().to_hex());
    if let Some(kind) = record.kind() {
        assert_eq!(json["kind"], kind.as_str());
    }
    for name in ["action", "resource", "result", "actor", "status", "no such member"] {
        let member = record.member(name);
        assert_eq!(member.is_some(), json.get(name).is_some(), "member {name}");
        if let Some(text) = member.and_then(|member| member.text()) {
            assert_eq!(json[name], *text, "member {name}");
        }
    }
    // A record that lost its end is none. Space behind its end is not a part of it.
    let end = data.trim_ascii_end().len();
    assert!(Record::parse(&data[..end - 1]).is_err());
}
