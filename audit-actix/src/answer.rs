use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::header;
use audit_core::adapter::{Head, content_length};

/// What the head of `response` tells about the rest of it.
pub(crate) fn head<B: MessageBody>(response: &ServiceResponse<B>) -> Head {
    let announced = || content_length(response.headers().get(header::CONTENT_LENGTH)?.as_bytes());
    let size = response.response().body().size();
    let length = match size {
        BodySize::None => Some(0),
        BodySize::Sized(size) => Some(size),
        BodySize::Stream => announced(),
    };
    Head::new(response.status().as_u16()).length(length).ends(size.is_eof())
}
