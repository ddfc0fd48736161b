use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{HeaderMap, HeaderValue};
use audit_core::adapter::{Head, Recording};

/// Notes the head of `response`. Says whether a body is still to come.
pub(crate) fn note_head<B: MessageBody>(recording: &mut Recording, response: &ServiceResponse<B>) -> bool {
    let size = response.response().body().size();
    let length = match size {
        BodySize::None => Some(0),
        BodySize::Sized(size) => Some(size),
        BodySize::Stream => None,
    };
    let head = Head::new(response.status().as_u16()).length(length).ends(size.is_eof());
    recording.head(head, first(response.headers()))
}

/// The first value of a header by its name.
pub(crate) fn first<'h>(headers: &'h HeaderMap) -> impl Fn(&str) -> Option<&'h [u8]> {
    move |name| headers.get(name).map(HeaderValue::as_bytes)
}
