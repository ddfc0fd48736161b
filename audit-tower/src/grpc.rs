//! What of the gRPC over HTTP/2 protocol matters here.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

/// The header or trailer with the code of a call.
pub(crate) const STATUS: HeaderName = HeaderName::from_static("grpc-status");
/// The header or trailer with the text that goes with the code, percent-encoded.
pub(crate) const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// The service cannot be used right now; trying again later may help.
pub(crate) const UNAVAILABLE: HeaderValue = HeaderValue::from_static("14");
const UNKNOWN: i32 = 2;

/// Whether a request with these headers is a gRPC call (gRPC over HTTP/2, "Content-Type").
pub(crate) fn is_call(headers: &HeaderMap) -> bool {
    const PREFIX: &[u8] = b"application/grpc";
    headers.get(header::CONTENT_TYPE).is_some_and(|value| {
        let value = value.as_bytes();
        value.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
            && matches!(value.get(PREFIX.len()), None | Some(b'+' | b';' | b'-'))
    })
}

/// The code that these headers or trailers carry; one that is no number counts as unknown.
pub(crate) fn code(headers: &HeaderMap) -> Option<i32> {
    let value = headers.get(STATUS)?.to_str().ok();
    Some(value.and_then(|text| text.parse().ok()).unwrap_or(UNKNOWN))
}

/// The code of a call that was answered without one (gRPC "HTTP to gRPC status code mapping").
pub(crate) fn code_of_status(status: StatusCode) -> i32 {
    match status.as_u16() {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502 | 503 | 504 => 14,
        _ => UNKNOWN,
    }
}
