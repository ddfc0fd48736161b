use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::recording::Recording;

pin_project! {
    /// A response body that writes the outcome of its call when it ends, fails, is dropped before
    /// its end, or panics.
    ///
    /// Frames, trailers, errors and size hints are those of `B`.
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

    /// A body whose call was not recorded.
    pub(crate) const fn unrecorded(inner: B) -> Self {
        Self::new(inner, None)
    }

    pub(crate) const fn empty() -> Self {
        Self { inner: None, recording: None }
    }
}

/// An empty body: what layers outside that answer by themselves, such as timeouts, ask for.
impl<B> Default for AuditBody<B> {
    fn default() -> Self {
        Self::empty()
    }
}

impl<B: Body> Body for AuditBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        let Some(mut inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(None);
        };
        let Some(recording) = this.recording.as_mut() else {
            return inner.poll_frame(cx);
        };
        let frame = ready!(recording.during(|| inner.as_mut().poll_frame(cx)));
        match &frame {
            None => recording.end(),
            Some(Err(_)) => this.recording.take().into_iter().for_each(Recording::body_failed),
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    recording.delivered(data.remaining());
                    // The last frame may be the last that is asked for.
                    if inner.is_end_stream() {
                        recording.end();
                    }
                } else if let Some(trailers) = frame.trailers_ref()
                    && let Some(recording) = this.recording.take()
                {
                    recording.trailers(trailers);
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Some(inner) => inner.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}
