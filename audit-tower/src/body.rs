use std::pin::Pin;
use std::task::{Context, Poll, ready};

use audit_core::adapter::Recording;
use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::answer::first;
use crate::held::Held;
use crate::slices::each_slice;

pin_project! {
    /// A response body that writes the outcome of its call when it ends, fails, is dropped before
    /// its end, or panics.
    ///
    /// Frames, trailers, errors and size hints are those of `B`. Under a rule with `await_outcome`
    /// each frame waits for the one after it, and the last for the outcome.
    #[derive(Debug)]
    pub struct AuditBody<B>
    where
        B: Body,
    {
        // None: an empty body for which no `B` had to be made.
        #[pin]
        inner: Option<B>,
        recording: Option<Recording>,
        // Only under a rule that awaits outcomes.
        held: Option<Box<Held<B::Data, B::Error>>>,
    }
}

impl<B: Body> AuditBody<B> {
    /// A body whose end is the end of what `recording` records.
    pub(crate) fn new(inner: B, recording: Option<Recording>) -> Self {
        let held = recording.as_ref().is_some_and(Recording::awaits_outcome).then(Box::default);
        Self { inner: Some(inner), recording, held }
    }

    /// A body whose call was not recorded.
    pub(crate) const fn unrecorded(inner: B) -> Self {
        Self { inner: Some(inner), recording: None, held: None }
    }

    pub(crate) const fn empty() -> Self {
        Self { inner: None, recording: None, held: None }
    }
}

/// An empty body: what layers outside that answer by themselves, such as timeouts, ask for.
impl<B: Body> Default for AuditBody<B> {
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
        if let Some(held) = this.held {
            return held.poll_frame(inner, recording, cx);
        }
        let frame = ready!(recording.during(|| inner.as_mut().poll_frame(cx)));
        note(recording, frame.as_ref(), inner.is_end_stream());
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.held {
            Some(held) => held.is_over(),
            None => self.inner.as_ref().is_none_or(Body::is_end_stream),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let Some(inner) = &self.inner else {
            return SizeHint::with_exact(0);
        };
        match &self.held {
            Some(held) => held.size_hint(inner.size_hint()),
            None => inner.size_hint(),
        }
    }
}

/// Tells `recording` what a body gave. Says whether the call has ended with it.
pub(crate) fn note<D: Buf, E>(recording: &mut Recording, given: Option<&Result<Frame<D>, E>>, is_end: bool) -> bool {
    match given {
        None => recording.end(),
        Some(Err(_)) => recording.body_failed(),
        Some(Ok(frame)) => {
            if let Some(trailers) = frame.trailers_ref() {
                recording.trailers(first(trailers));
                return true;
            }
            let unseen = frame.data_ref().map_or(0, |data| each_slice(data, |bytes| recording.delivered(bytes)));
            if unseen > 0 {
                recording.delivered_unseen(unseen);
            }
            // The last frame may be the last that is asked for.
            if is_end {
                recording.end();
            }
            return is_end;
        }
    }
    true
}
