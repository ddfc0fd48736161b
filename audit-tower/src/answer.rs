use audit_core::adapter::{Head, content_length};
use http::{Response, header};
use http_body::Body;

use crate::grpc;

/// What the head of `response` tells about the rest of it.
pub(crate) fn head<B: Body>(response: &Response<B>) -> Head {
    let announced = || content_length(response.headers().get(header::CONTENT_LENGTH)?.as_bytes());
    Head::new(response.status().as_u16())
        .length(response.body().size_hint().exact().or_else(announced))
        .ends(response.body().is_end_stream())
        .grpc_status(grpc::status(response.headers()))
}
