//! From events and outcomes to the members that follow `prev` in a line.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use super::encode_captured::{REQUEST, RESPONSE};
use super::json::{write_float, write_integer, write_string, write_unsigned};
use super::line::FRAME_LIMIT;
use super::time::write_rfc3339;
use super::{
    ActivityId, Actor, Event, Http, Kind, Outcome, OutcomeResult, Protocol, RecordLimits, Rpc, Source, Span, Value,
};
use crate::capture::CapturedBody;

/// Room that is kept for the members that always come last: `policy`, `truncated` and the brace.
const CLOSING: usize = 512;

/// Writes the members of one record, within a limit, and remembers what did not fit.
#[derive(Debug)]
pub(crate) struct BodyWriter {
    out: Vec<u8>,
    limit: usize,
    truncated: Vec<Cow<'static, str>>,
}

impl BodyWriter {
    /// A writer for a record of `kind` that happened at `time`; the line stays within `line` bytes.
    pub(crate) fn new(time: SystemTime, kind: Kind, line: usize) -> Self {
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(b"\"time\":\"");
        write_rfc3339(time, &mut out);
        out.extend_from_slice(b"\",\"kind\":\"");
        out.extend_from_slice(kind.as_str().as_bytes());
        out.push(b'"');
        Self { out, limit: line.saturating_sub(FRAME_LIMIT + CLOSING), truncated: Vec::new() }
    }

    /// How many bytes there is room for.
    pub(super) fn room(&self) -> usize {
        self.limit.saturating_sub(self.out.len())
    }

    /// How many bytes have been written.
    pub(super) fn length(&self) -> usize {
        self.out.len()
    }

    /// Inserts what has been encoded elsewhere, and says how long that is.
    pub(super) fn insert(&mut self, at: usize, encoded: &[u8]) -> usize {
        let at = at.min(self.out.len());
        self.out.splice(at..at, encoded.iter().copied());
        encoded.len()
    }

    /// Starts a member; `name` needs no escaping.
    fn key(&mut self, name: &str) {
        if !matches!(self.out.last(), Some(b'{' | b'[')) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// Notes that `name` was cut.
    pub(crate) fn note_truncated(&mut self, name: &str) {
        if self.truncated.len() < 8 && !self.truncated.iter().any(|known| known == name) {
            self.truncated.push(Cow::Owned(name.to_owned()));
        }
    }

    /// A text member of at most `limit` encoded bytes; what is cut is noted under `path`.
    pub(crate) fn text_as(&mut self, name: &str, path: &str, text: &str, limit: usize) {
        let room = self.room().saturating_sub(name.len() + 8);
        self.key(name);
        if !write_string(text, limit.min(room), &mut self.out) {
            self.note_truncated(path);
        }
    }

    /// A text member of at most `limit` encoded bytes.
    pub(crate) fn text(&mut self, name: &str, text: &str, limit: usize) {
        self.text_as(name, name, text, limit);
    }

    /// A member whose value is a word that needs no escaping.
    pub(crate) fn word(&mut self, name: &str, word: &str) {
        self.key(name);
        self.out.push(b'"');
        self.out.extend_from_slice(word.as_bytes());
        self.out.push(b'"');
    }

    /// A number member; from 2^53 on a string.
    pub(crate) fn number(&mut self, name: &str, value: u64) {
        self.key(name);
        write_unsigned(value, &mut self.out);
    }

    /// A number member whose name may need escaping.
    pub(crate) fn number_of(&mut self, name: &str, value: u64) {
        self.escaped_key(name);
        write_unsigned(value, &mut self.out);
    }

    /// A true-or-false member.
    pub(crate) fn boolean(&mut self, name: &str, value: bool) {
        self.key(name);
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// A time member.
    pub(crate) fn time(&mut self, name: &str, time: SystemTime) {
        self.key(name);
        self.out.push(b'"');
        write_rfc3339(time, &mut self.out);
        self.out.push(b'"');
    }

    /// An activity id member.
    pub(crate) fn id(&mut self, name: &str, id: ActivityId) {
        self.key(name);
        self.out.push(b'"');
        id.write(&mut self.out);
        self.out.push(b'"');
    }

    /// An object member, its own members written by `fill`.
    pub(crate) fn object(&mut self, name: &str, fill: impl FnOnce(&mut Self)) {
        self.key(name);
        self.out.push(b'{');
        fill(self);
        self.out.push(b'}');
    }

    /// An array member of objects, their members written by `fill`; none when there are no `items`.
    pub(super) fn array<T>(
        &mut self,
        name: &str,
        items: impl ExactSizeIterator<Item = T>,
        mut fill: impl FnMut(&mut Self, T),
    ) {
        if items.len() == 0 {
            return;
        }
        self.key(name);
        self.out.push(b'[');
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.out.push(b'{');
            fill(self, item);
            self.out.push(b'}');
        }
        self.out.push(b']');
    }

    /// An array member of texts, as many as `count` and the line allow; none when there are no `names`.
    pub(crate) fn names(&mut self, name: &str, names: &[String], count: usize) {
        if names.is_empty() {
            return;
        }
        self.key(name);
        self.out.push(b'[');
        for (index, text) in names.iter().enumerate() {
            if index == count || self.room() < text.len() * 6 + 64 {
                self.note_truncated(name);
                break;
            }
            if index > 0 {
                self.out.push(b',');
            }
            write_string(text, usize::MAX, &mut self.out);
        }
        self.out.push(b']');
    }

    /// Who did it.
    pub(crate) fn actor(&mut self, actor: &Actor, limits: &RecordLimits) {
        self.object("actor", |body| {
            body.word("type", actor.kind.as_str());
            let mut text = |name: &str, path: &str, value: &Option<String>| {
                if let Some(value) = value {
                    body.text_as(name, path, value, limits.name);
                }
            };
            text("id", "actor.id", &actor.id);
            text("issuer", "actor.issuer", &actor.issuer);
            text("auth", "actor.auth", &actor.auth);
            text("credential", "actor.credential", &actor.credential);
            text("reason", "actor.reason", &actor.reason);
            body.boolean("verified", actor.verified);
            body.principals(actor, limits);
        });
    }

    fn principals(&mut self, actor: &Actor, limits: &RecordLimits) {
        if actor.on_behalf_of.is_empty() {
            return;
        }
        self.key("on_behalf_of");
        self.out.push(b'[');
        for (index, principal) in actor.on_behalf_of.iter().enumerate() {
            if index == 8 || self.room() < 256 {
                self.note_truncated("actor.on_behalf_of");
                break;
            }
            if index > 0 {
                self.out.push(b',');
            }
            self.out.push(b'{');
            self.word("type", principal.kind.as_str());
            self.text_as("id", "actor.on_behalf_of", &principal.id, limits.name);
            if let Some(issuer) = &principal.issuer {
                self.text_as("issuer", "actor.on_behalf_of", issuer, limits.name);
            }
            self.out.push(b'}');
        }
        self.out.push(b']');
    }

    /// The attributes, as many as fit.
    pub(crate) fn attributes(&mut self, attributes: &[(Cow<'_, str>, Value<'_>)], limits: &RecordLimits) {
        if attributes.is_empty() {
            return;
        }
        self.object("attrs", |body| {
            for (index, (name, value)) in attributes.iter().enumerate() {
                if index == limits.attributes || body.room() < name.len() * 6 + 64 {
                    body.note_truncated("attrs");
                    break;
                }
                body.escaped_key(name);
                body.value(value, limits);
            }
        });
    }

    fn escaped_key(&mut self, name: &str) {
        if !matches!(self.out.last(), Some(b'{')) {
            self.out.push(b',');
        }
        write_string(name, usize::MAX, &mut self.out);
        self.out.push(b':');
    }

    fn value(&mut self, value: &Value<'_>, limits: &RecordLimits) {
        match value {
            Value::Text(text) => {
                let limit = limits.attribute.min(self.room());
                if !write_string(text, limit, &mut self.out) {
                    self.note_truncated("attrs");
                }
            }
            Value::Integer(value) => write_integer(*value, &mut self.out),
            Value::Unsigned(value) => write_unsigned(*value, &mut self.out),
            Value::Float(value) => write_float(*value, &mut self.out),
            Value::Bool(value) => self.out.extend_from_slice(if *value { b"true" } else { b"false" }),
        }
    }

    fn pairs(&mut self, name: &str, path: &str, pairs: &[(Cow<'_, str>, Cow<'_, str>)], limits: &RecordLimits) {
        if pairs.is_empty() {
            return;
        }
        self.object(name, |body| {
            for (index, (key, value)) in pairs.iter().enumerate() {
                if index == limits.attributes || body.room() < key.len() * 6 + 64 {
                    body.note_truncated(path);
                    break;
                }
                // A member stands once in an object: the first of a repeated name is kept.
                if pairs[..index].iter().any(|(earlier, _)| earlier == key) {
                    body.note_truncated(path);
                    continue;
                }
                body.escaped_key(key);
                let limit = limits.header.min(body.room());
                if !write_string(value, limit, &mut body.out) {
                    body.note_truncated(path);
                }
            }
        });
    }

    /// Ends the record: which rule applied, what was cut, and the closing brace.
    pub(crate) fn finish(mut self, policy: Option<&str>) -> Vec<u8> {
        if let Some(policy) = policy {
            self.key("policy");
            write_string(policy, 128, &mut self.out);
        }
        if !self.truncated.is_empty() {
            self.key("truncated");
            self.out.push(b'[');
            for (index, name) in self.truncated.iter().enumerate() {
                if index > 0 {
                    self.out.push(b',');
                }
                write_string(name, 32, &mut self.out);
            }
            self.out.push(b']');
        }
        self.out.push(b'}');
        self.out
    }
}

/// What the log knows of an event besides what the adapter said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventFrame<'a> {
    pub(crate) kind: Kind,
    pub(crate) id: ActivityId,
    pub(crate) time: SystemTime,
    pub(crate) parent: Option<ActivityId>,
    pub(crate) policy: &'a str,
}

/// The members of an intent, or of a single-shot event.
pub(crate) fn encode_event(event: &Event<'_>, frame: &EventFrame<'_>, limits: &RecordLimits) -> Vec<u8> {
    let mut body = BodyWriter::new(frame.time, frame.kind, limits.line);
    body.id("id", frame.id);
    if let Some(parent) = event.parent.or(frame.parent) {
        body.id("parent", parent);
    }
    body.actor(&event.actor, limits);
    body.text("action", &event.action, limits.name);
    if let Some(resource) = &event.resource {
        body.text("resource", resource, limits.resource);
    }
    if let Some(source) = &event.source {
        write_source(source, &mut body);
    }
    match &event.protocol {
        Protocol::None => {}
        Protocol::Http(http) => write_http(http, limits, &mut body),
        Protocol::Rpc(rpc) => write_rpc(rpc, limits, &mut body),
        Protocol::Span(span) => write_span(span, limits, &mut body),
    }
    if let Some(trace) = event.trace.as_deref().filter(|trace| is_traceparent(trace)) {
        body.word("trace", trace);
    }
    body.attributes(&event.attributes, limits);
    body.finish(Some(frame.policy))
}

fn write_source(source: &Source, body: &mut BodyWriter) {
    body.object("source", |body| {
        body.word("ip", &source.ip.to_string());
        if let Some(port) = source.port {
            body.number("port", port.into());
        }
    });
}

fn write_http(http: &Http<'_>, limits: &RecordLimits, body: &mut BodyWriter) {
    body.object("http", |body| {
        if let Some(version) = http.version {
            body.text_as("version", "http.version", version, 16);
        }
        if let Some(host) = &http.host {
            body.text_as("host", "http.host", host, limits.header);
        }
        if let Some(agent) = &http.user_agent {
            body.text_as("user_agent", "http.user_agent", agent, limits.header);
        }
        body.pairs("headers", "http.headers", &http.headers, limits);
        body.pairs("query", "http.query", &http.query, limits);
    });
}

fn write_rpc(rpc: &Rpc<'_>, limits: &RecordLimits, body: &mut BodyWriter) {
    body.object("rpc", |body| {
        body.text_as("system", "rpc.system", rpc.system, 32);
        if let Some(host) = &rpc.host {
            body.text_as("host", "rpc.host", host, limits.header);
        }
        if let Some(agent) = &rpc.user_agent {
            body.text_as("user_agent", "rpc.user_agent", agent, limits.header);
        }
        body.pairs("metadata", "rpc.metadata", &rpc.metadata, limits);
    });
}

fn write_span(span: &Span<'_>, limits: &RecordLimits, body: &mut BodyWriter) {
    body.object("span", |body| {
        body.text_as("name", "span.name", span.name, limits.name);
        body.text_as("target", "span.target", span.target, limits.name);
        if let Some(file) = span.file {
            body.text_as("file", "span.file", file, limits.name);
        }
        if let Some(line) = span.line {
            body.number("line", line.into());
        }
    });
}

/// What the log and the handler know of an outcome besides how it ended.
#[derive(Debug)]
pub(crate) struct OutcomeFrame<'a> {
    pub(crate) id: ActivityId,
    pub(crate) time: SystemTime,
    pub(crate) latency: Duration,
    pub(crate) actor: Option<&'a Actor>,
    pub(crate) resource: Option<&'a str>,
    pub(crate) attributes: &'a [(Cow<'static, str>, Value<'static>)],
    /// The rule, where it is another than that of the intent.
    pub(crate) policy: Option<&'a str>,
}

/// The members of an outcome, in a line of at most `line` bytes.
pub(crate) fn encode_outcome(
    outcome: &Outcome<'_>,
    frame: &OutcomeFrame<'_>,
    limits: &RecordLimits,
    line: usize,
) -> Vec<u8> {
    let mut body = BodyWriter::new(frame.time, Kind::Outcome, line);
    body.id("id", frame.id);
    if let Some(actor) = frame.actor {
        body.actor(actor, limits);
    }
    if let Some(resource) = frame.resource {
        body.text("resource", resource, limits.resource);
    }
    body.word("result", outcome.result.as_str());
    if let Some(status) = outcome.status {
        body.number("status", status.into());
    }
    if let Some(code) = outcome.code {
        body.number("code", u64::try_from(code).unwrap_or(2));
    }
    if outcome.result != OutcomeResult::Refused {
        body.number("latency_us", u64::try_from(frame.latency.as_micros()).unwrap_or(u64::MAX));
    }
    if let Some(bytes) = outcome.request_bytes {
        body.number("request_bytes", bytes);
    }
    if let Some(bytes) = outcome.response_bytes {
        body.number("response_bytes", bytes);
    }
    if let Some(digest) = outcome.request_sha256 {
        body.word("request_sha256", &digest.to_hex());
    }
    let request = outcome.request_body.as_deref().and_then(|captured| body.captured(REQUEST, captured));
    if let Some(digest) = outcome.response_body.as_deref().and_then(CapturedBody::sha256) {
        body.word("response_sha256", &digest.to_hex());
    }
    let response = outcome.response_body.as_deref().and_then(|captured| body.captured(RESPONSE, captured));
    if let Some(error) = &outcome.error {
        body.text("error", error, limits.error);
    }
    body.attributes(frame.attributes, limits);
    body.texts([request, response]);
    body.finish(frame.policy)
}

/// Whether `text` is a version 00 `traceparent`, or a longer one of a later version
/// (W3C Trace Context §3.2).
pub(crate) fn is_traceparent(text: &str) -> bool {
    let bytes = text.as_bytes();
    let hex = |range: std::ops::Range<usize>| bytes[range].iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let nonzero = |range: std::ops::Range<usize>| bytes[range].iter().any(|byte| *byte != b'0');
    // Only the first 55 characters mean anything; a longer value is not worth recording.
    bytes.len() == 55
        && bytes[2] == b'-'
        && bytes[35] == b'-'
        && bytes[52] == b'-'
        && hex(0..2)
        && &bytes[..2] != b"ff"
        && hex(3..35)
        && nonzero(3..35)
        && hex(36..52)
        && nonzero(36..52)
        && hex(53..55)
}
