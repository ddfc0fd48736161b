use audit_core::adapter::Recording;
use http::{HeaderValue, Request};
use http_body::Body;

use crate::RequestBody;

/// Which request body the service inside sees. Not for other crates to implement.
pub trait Capture<B>: sealed::Sealed {
    /// The body inside.
    type Body;

    /// Prepares a request whose call is recorded by `recording`.
    #[doc(hidden)]
    fn request(recording: &mut Recording, request: Request<B>) -> Request<Self::Body>;
}

/// Request bodies pass as they are: a layer before [`capture_bodies`](crate::AuditLayer::capture_bodies).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Untouched;

/// Request bodies are [`RequestBody`]: a layer after [`capture_bodies`](crate::AuditLayer::capture_bodies).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Captured;

impl<B> Capture<B> for Untouched {
    type Body = B;

    fn request(_: &mut Recording, request: Request<B>) -> Request<B> {
        request
    }
}

impl<B: Body> Capture<B> for Captured {
    type Body = RequestBody<B>;

    fn request(recording: &mut Recording, request: Request<B>) -> Request<RequestBody<B>> {
        let watch = recording.request_body(|name| request.headers().get(name).map(HeaderValue::as_bytes));
        request.map(|body| RequestBody::new(body, watch))
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Untouched {}
    impl Sealed for super::Captured {}
}
