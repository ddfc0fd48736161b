use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use pin_project_lite::pin_project;

use crate::recording::Recording;

pin_project! {
    /// A response body that writes the outcome of its call when it ends, fails, is dropped before
    /// its end, or panics.
    #[derive(Debug)]
    pub struct AuditBody<B> {
        // None: an empty body for which no `B` had to be made.
        #[pin]
        inner: Option<B>,
        recording: Option<Recording>,
    }
}

impl<B> AuditBody<B> {
    pub(crate) const fn new(inner: B, recording: Option<Recording>) -> Self {
        Self { inner: Some(inner), recording }
    }

    pub(crate) const fn empty() -> Self {
        Self { inner: None, recording: None }
    }
}

impl<B: MessageBody> MessageBody for AuditBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.inner.as_ref().map_or(BodySize::Sized(0), MessageBody::size)
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(None);
        };
        let Some(recording) = this.recording.as_mut() else {
            return inner.poll_next(cx);
        };
        let chunk = ready!(recording.during(|| inner.poll_next(cx)));
        match &chunk {
            None => recording.end(),
            Some(Ok(bytes)) => recording.delivered(bytes.len()),
            Some(Err(_)) => {
                if let Some(recording) = this.recording.take() {
                    recording.body_failed();
                }
            }
        }
        Poll::Ready(chunk)
    }
}
