use audit_core::log::Refused;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use http_body::Body;

use crate::{AuditBody, grpc};

/// Answers a call that the log refused and whose handler therefore never runs.
///
/// Implemented for closures `Fn(&Refused, &Parts) -> Response<B>`, which
/// [`AuditLayer::on_refused`](crate::AuditLayer::on_refused) takes.
pub trait OnRefused<B: Body> {
    /// The response to send.
    fn respond(&self, refused: &Refused, request: &Parts) -> Response<AuditBody<B>>;
}

impl<F, B> OnRefused<B> for F
where
    B: Body,
    F: Fn(&Refused, &Parts) -> Response<B>,
{
    fn respond(&self, refused: &Refused, request: &Parts) -> Response<AuditBody<B>> {
        self(refused, request).map(AuditBody::unrecorded)
    }
}

/// The default answer: `503 Service Unavailable` with `Retry-After` and no body; to gRPC calls a
/// trailers-only `UNAVAILABLE` (14).
///
/// It does not say why: that is in the service's own log and in [`Refused`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unavailable;

impl<B: Body> OnRefused<B> for Unavailable {
    fn respond(&self, refused: &Refused, request: &Parts) -> Response<AuditBody<B>> {
        let mut response = Response::new(AuditBody::empty());
        if grpc::is_call(&request.headers) {
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
            headers.insert(grpc::STATUS, grpc::UNAVAILABLE);
            headers.insert(grpc::MESSAGE, HeaderValue::from_static("audit log unavailable"));
            return response;
        }
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        let headers = response.headers_mut();
        let seconds = refused.retry_after().as_secs().max(1);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        response
    }
}
