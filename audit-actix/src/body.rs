use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;
use audit_core::adapter::Recording;
use pin_project_lite::pin_project;

use crate::held::Held;

pin_project! {
    /// A response body that writes the outcome of its call when it ends, fails, is dropped before
    /// its end, or panics.
    ///
    /// Chunks and sizes are those of `B`, its errors are boxed. Under a rule with `await_outcome` each chunk waits
    /// for the one after it, and the last for the outcome.
    #[derive(Debug)]
    pub struct AuditBody<B> {
        #[pin]
        inner: Inner<B>,
        recording: Option<Recording>,
        // Only under a rule that awaits outcomes.
        held: Option<Held>,
    }
}

pin_project! {
    #[project = InnerProjection]
    #[derive(Debug)]
    enum Inner<B> {
        /// The answer of the service.
        Service { #[pin] body: B },
        /// The answer to a refused call.
        Refusal { #[pin] body: BoxBody },
    }
}

impl<B> AuditBody<B> {
    /// A body whose end is the end of what `recording` records.
    pub(crate) fn new(body: B, recording: Recording) -> Self {
        let held = recording.awaits_outcome().then(Held::default);
        Self { inner: Inner::Service { body }, recording: Some(recording), held }
    }

    /// A body after the end of its call.
    pub(crate) const fn unrecorded(body: B) -> Self {
        Self { inner: Inner::Service { body }, recording: None, held: None }
    }

    /// The answer to a refused call.
    pub(crate) const fn refusal(body: BoxBody) -> Self {
        Self { inner: Inner::Refusal { body }, recording: None, held: None }
    }
}

impl<B: MessageBody> MessageBody for AuditBody<B> {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        match &self.inner {
            Inner::Service { body } => body.size(),
            Inner::Refusal { body } => body.size(),
        }
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.project();
        let body = match this.inner.project() {
            InnerProjection::Service { body } => body,
            InnerProjection::Refusal { body } => return body.poll_next(cx),
        };
        let Some(recording) = this.recording.as_mut() else {
            return body.poll_next(cx).map_err(Into::into);
        };
        if let Some(held) = this.held {
            return held.poll_next(body, recording, cx);
        }
        let chunk = ready!(recording.during(|| body.poll_next(cx)));
        note(recording, chunk.as_ref());
        Poll::Ready(chunk.map(|chunk| chunk.map_err(Into::into)))
    }
}

/// Tells `recording` what a body gave. Says whether the call has ended with it.
pub(crate) fn note<E>(recording: &mut Recording, given: Option<&Result<Bytes, E>>) -> bool {
    match given {
        None => recording.end(),
        Some(Err(_)) => recording.body_failed(),
        Some(Ok(bytes)) => {
            recording.delivered(bytes);
            return false;
        }
    }
    true
}
