//! A `traceparent` that a caller sends (W3C Trace Context §3.2).

use audit_core::record::Event;

use super::recorded::intent_of;

/// Recorded as it is, or not at all; nothing else changes.
pub(crate) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let intent = intent_of(&Event::action("GET /v1/refunds").resource("/v1/refunds").trace(text.as_ref()));
    assert_eq!(intent["action"], "GET /v1/refunds");
    assert_eq!(intent["resource"], "/v1/refunds");
    assert_eq!(intent["actor"]["type"], "unknown");
    assert_eq!(intent["policy"], "default");
    if let Some(trace) = intent.get("trace") {
        assert_eq!(*trace, *text);
        assert_eq!(data.len(), 55);
        assert!(!data.starts_with(b"ff"));
        assert!(data.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-')));
    }
}
