use std::pin::Pin;
use std::task::{Context, Poll, ready};

use audit_core::adapter::Recording;
use bytes::Buf;
use http_body::{Body, Frame, SizeHint};

use crate::body::note;

/// What an answer holds back until it is known not to be its end, or until its outcome is durable.
#[derive(Debug)]
pub(crate) struct Held<D, E> {
    given: Option<Result<Frame<D>, E>>,
    /// Nothing comes after what is held.
    is_last: bool,
    /// The end has been handed on.
    is_over: bool,
}

impl<D, E> Default for Held<D, E> {
    fn default() -> Self {
        Self { given: None, is_last: false, is_over: false }
    }
}

impl<D: Buf, E> Held<D, E> {
    /// The next frame that may go out.
    pub(crate) fn poll_frame<B: Body<Data = D, Error = E>>(
        &mut self,
        mut inner: Pin<&mut B>,
        recording: &mut Recording,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<D>, E>>> {
        while !self.is_last {
            let next = ready!(recording.during(|| inner.as_mut().poll_frame(cx)));
            self.is_last = note(recording, next.as_ref(), inner.is_end_stream());
            if !self.is_last && recording.is_complete() {
                // A server that has all it announced does not ask again.
                recording.end();
                self.is_last = true;
            }
            let Some(next) = next else { break };
            if let Some(before) = self.given.replace(next) {
                return Poll::Ready(Some(before));
            }
            if !self.is_last && recording.expects_more() {
                return Poll::Ready(self.given.take());
            }
        }
        ready!(recording.poll_ended(cx));
        self.is_over = true;
        Poll::Ready(self.given.take())
    }

    pub(crate) const fn is_over(&self) -> bool {
        self.is_over
    }

    /// The size of what is still to come, when that of what nobody has asked for is `hint`.
    pub(crate) fn size_hint(&self, mut hint: SizeHint) -> SizeHint {
        let held = self.given.as_ref().and_then(|given| given.as_ref().ok()?.data_ref()).map_or(0, Buf::remaining);
        if held > 0 {
            let (lower, upper) = (hint.lower(), hint.upper());
            let grown = |size: u64| size.saturating_add(held as u64);
            hint = SizeHint::new();
            if let Some(upper) = upper {
                hint.set_upper(grown(upper));
            }
            hint.set_lower(grown(lower));
        }
        hint
    }
}
