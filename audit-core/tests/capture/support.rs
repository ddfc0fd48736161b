use audit_core::capture::{BodyCapture, BodyFormat, CapturedBody};
use audit_core::log::Builder;
use audit_core::{AuditLog, Durability, Event, Key, Memory, Outcome};
use serde_json::Value;

/// What is captured of a whole body that comes in chunks of `size`.
pub(crate) fn capture_in(capture: &BodyCapture, content_type: &str, body: &[u8], size: usize) -> CapturedBody {
    let mut recorder = capture.recorder(Some(content_type.as_bytes()), None, BodyFormat::Http);
    body.chunks(size.max(1)).for_each(|chunk| recorder.update(chunk));
    recorder.end();
    recorder.finish()
}

/// What is captured of a whole body.
pub(crate) fn capture(capture: &BodyCapture, content_type: &str, body: &[u8]) -> CapturedBody {
    capture_in(capture, content_type, body, usize::MAX)
}

/// What is captured of a whole JSON body with the settings of `BodyCapture::new`.
pub(crate) fn json(body: impl AsRef<[u8]>) -> CapturedBody {
    capture(&BodyCapture::new(), "application/json", body.as_ref())
}

/// What is captured of a whole form.
pub(crate) fn form(body: &str) -> CapturedBody {
    capture(&BodyCapture::new(), "application/x-www-form-urlencoded", body.as_bytes())
}

/// A builder of a log in `memory`.
pub(crate) fn builder(memory: &Memory) -> Builder {
    AuditLog::builder("test.example/log").key(Key::generate("test.example").unwrap()).backend(memory.clone())
}

pub(crate) fn memory() -> Memory {
    Memory::promising(Durability::Synced)
}

/// The line of an outcome, and what it says.
pub(crate) async fn recorded(outcome: Outcome<'_>) -> (String, Value) {
    let memory = memory();
    let log = builder(&memory).open().unwrap();
    let activity = log.begin(&Event::action("test")).await.unwrap();
    activity.finish_durably(outcome).await.unwrap();
    outcome_in(&memory)
}

/// The line of the only outcome in `memory`, and what it says.
pub(crate) fn outcome_in(memory: &Memory) -> (String, Value) {
    let lines = memory.lines().into_iter().map(|line| String::from_utf8(line).unwrap());
    let mut outcomes = lines.filter(|line| line.contains("\"kind\":\"outcome\""));
    let line = outcomes.next().unwrap();
    assert!(outcomes.next().is_none());
    let value = serde_json::from_str(&line).unwrap();
    (line, value)
}
