use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use audit_core::adapter::{Recording, RequestBody};
use futures_core::Stream;

use crate::answer::first;

/// Has the payload of `request` watched, if the rule of its call asks for that.
pub(crate) fn watch(recording: &mut Recording, request: &mut ServiceRequest) {
    let Some(mut watch) = recording.request_body(first(request.headers())) else {
        return;
    };
    match request.take_payload() {
        Payload::None => watch.end(),
        payload => request.set_payload(Payload::Stream { payload: Box::pin(Watched { payload, watch }) }),
    }
}

/// A payload whose bytes are hashed as they are read. Nothing is read that the handler does not read.
struct Watched {
    payload: Payload,
    watch: RequestBody,
}

impl Stream for Watched {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = ready!(Pin::new(&mut self.payload).poll_next(cx));
        match &chunk {
            None => self.watch.end(),
            Some(Ok(bytes)) => self.watch.passed(bytes),
            Some(Err(_)) => {}
        }
        Poll::Ready(chunk)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.payload.size_hint()
    }
}
