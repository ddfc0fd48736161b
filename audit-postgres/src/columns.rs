//! Columns for queries, taken out of a line. They are convenience: only the line itself proves anything.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use audit_core::record::{ActivityId, Record};

/// What stands in the columns beside a line; nothing at all when the line is no record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Columns<'a> {
    pub(crate) time: Option<SystemTime>,
    pub(crate) kind: Option<Cow<'a, str>>,
    pub(crate) id: Option<ActivityId>,
    pub(crate) actor_type: Option<Cow<'a, str>>,
    pub(crate) actor_id: Option<Cow<'a, str>>,
    pub(crate) action: Option<Cow<'a, str>>,
    pub(crate) resource: Option<Cow<'a, str>>,
    pub(crate) result: Option<Cow<'a, str>>,
    pub(crate) status: Option<i32>,
    pub(crate) trace: Option<Cow<'a, str>>,
}

impl<'a> Columns<'a> {
    pub(crate) fn of(line: &'a [u8]) -> Self {
        let Ok(record) = Record::parse(line) else {
            return Self::default();
        };
        let mut columns = Self {
            time: system_time(record.time_micros()),
            kind: Some(without_nul(Cow::Borrowed(record.kind_word()))),
            id: record.id(),
            ..Self::default()
        };
        for (name, value) in Members::of(line) {
            match name {
                b"action" => columns.action = text(value, || record.text("action")),
                b"resource" => columns.resource = text(value, || record.text("resource")),
                b"result" => columns.result = text(value, || record.text("result")),
                b"trace" => columns.trace = text(value, || record.text("trace")),
                b"status" => columns.status = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok()),
                b"actor" => {
                    let member = |name: &'static str| move || record.member("actor")?.member(name)?.text();
                    for (name, value) in Members::of(value) {
                        match name {
                            b"type" => columns.actor_type = text(value, member("type")),
                            b"id" => columns.actor_id = text(value, member("id")),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        columns
    }
}

/// The text of a string, of which `slowly` resolves the escapes.
fn text<'a>(value: &'a [u8], slowly: impl FnOnce() -> Option<Cow<'a, str>>) -> Option<Cow<'a, str>> {
    let inner = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if inner.contains(&b'\\') {
        return slowly().map(without_nul);
    }
    std::str::from_utf8(inner).ok().map(Cow::Borrowed)
}

/// PostgreSQL's `text` holds every character but NUL.
fn without_nul(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { text }
}

fn system_time(micros: i64) -> Option<SystemTime> {
    let distance = Duration::from_micros(micros.unsigned_abs());
    if micros < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
}

/// The members of one object of a line that has been parsed before: names and values as they stand
/// there. One pass; what is not JSON ends it.
struct Members<'a>(&'a [u8]);

impl<'a> Members<'a> {
    fn of(object: &'a [u8]) -> Self {
        Self(object.strip_prefix(b"{").unwrap_or_default())
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = trim(self.0, |byte| is_space(byte) || byte == b',');
        let name_end = string_end(rest)?;
        let (name, rest) = rest.split_at_checked(name_end)?;
        let rest = trim(rest, |byte| is_space(byte) || byte == b':');
        let (value, rest) = rest.split_at_checked(value_end(rest)?)?;
        self.0 = rest;
        Some((name.get(1..name_end - 1)?, value))
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn trim(bytes: &[u8], passed: impl Fn(u8) -> bool) -> &[u8] {
    let start = bytes.iter().position(|byte| !passed(*byte)).unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or_default()
}

/// Where the string at the start of `bytes` ends, its quotes included.
fn string_end(bytes: &[u8]) -> Option<usize> {
    if bytes.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Where the value at the start of `bytes` ends.
fn value_end(bytes: &[u8]) -> Option<usize> {
    match bytes.first()? {
        b'"' => string_end(bytes),
        b'{' | b'[' => nested_end(bytes),
        _ => bytes.iter().position(|byte| matches!(byte, b',' | b'}' | b']') || is_space(*byte)),
    }
}

fn nested_end(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        match bytes.get(at)? {
            b'"' => {
                at += string_end(bytes.get(at..)?)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = concat!(
        r#"{"v":1,"seq":41,"prev":"0000000000000000000000000000000000000000000000000000000000000000","#,
        r#""time":"2026-11-23T11:40:06.757467Z","kind":"event","id":"0193580e-5f1a-7aaa-bbbb-0123456789ab","#,
        r#""actor":{"type":"user","id":"a\u0000b\"}","on_behalf_of":[{"type":"system","id":"x"}]},"#,
        r#""action":"POST /{id}","resource":"\u00e9","attrs":{"action":"not this","n":[1,{"result":"nor this"}]},"#,
        r#""result":"success","status":201,"trace":"00-1-2-01"}"#
    );

    #[test]
    fn columns_hold_what_stands_in_the_line_and_nothing_from_deeper_inside() {
        let columns = Columns::of(LINE.as_bytes());
        assert_eq!(columns.action.as_deref(), Some("POST /{id}"));
        assert_eq!(columns.resource.as_deref(), Some("é"));
        assert_eq!(columns.actor_type.as_deref(), Some("user"));
        assert_eq!(columns.actor_id.as_deref(), Some("a\u{fffd}b\"}"));
        assert_eq!(columns.result.as_deref(), Some("success"));
        assert_eq!(columns.status, Some(201));
        assert_eq!(columns.trace.as_deref(), Some("00-1-2-01"));
        assert_eq!(columns.kind.as_deref(), Some("event"));
        assert!(columns.id.is_some());
        assert_eq!(columns.time, Some(UNIX_EPOCH + Duration::from_micros(1_795_434_006_757_467)));
    }

    #[test]
    fn a_line_that_is_no_record_has_no_columns() {
        for line in [&b"not json"[..], b"", b"{}", b"{\"v\":1", b"\xff"] {
            assert_eq!(Columns::of(line), Columns::default());
        }
    }
}
