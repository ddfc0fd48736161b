use audit_core::adapter::{Head, Recording};
use http::{HeaderMap, HeaderValue, Response};
use http_body::Body;

/// Notes the head of `response`. Says whether a body is still to come.
pub(crate) fn note_head<B: Body>(recording: &mut Recording, response: &Response<B>) -> bool {
    let body = response.body();
    let head = Head::new(response.status().as_u16()).length(body.size_hint().exact()).ends(body.is_end_stream());
    recording.head(head, first(response.headers()))
}

/// The first value of a header or trailer by its name.
pub(crate) fn first<'h>(headers: &'h HeaderMap) -> impl Fn(&str) -> Option<&'h [u8]> {
    move |name| headers.get(name).map(HeaderValue::as_bytes)
}
