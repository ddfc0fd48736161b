//! The headers of gRPC over HTTP/2 that matter here.

use audit_core::adapter;
use http::{HeaderMap, HeaderName, HeaderValue, header};

/// The header or trailer with the code of a call.
pub(crate) const STATUS: HeaderName = HeaderName::from_static("grpc-status");
/// The header or trailer with the text that goes with the code, percent-encoded.
pub(crate) const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// The service cannot be used right now; trying again later may help.
pub(crate) const UNAVAILABLE: HeaderValue = HeaderValue::from_static("14");

/// Whether a request with these headers is a gRPC call.
pub(crate) fn is_call(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| adapter::is_grpc(value.as_bytes()))
}
