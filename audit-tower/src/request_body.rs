use std::pin::Pin;
use std::task::{Context, Poll, ready};

use audit_core::adapter;
use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::slices::each_slice;

pin_project! {
    /// The request body that services see inside of a layer with
    /// [`capture_bodies`](crate::AuditLayer::capture_bodies): where the rule asks for it, its bytes
    /// are hashed as they are read.
    ///
    /// Frames, trailers, errors, size hints and backpressure are those of `B`. Nothing is read
    /// that the handler does not read.
    #[derive(Debug)]
    pub struct RequestBody<B> {
        #[pin]
        inner: B,
        watch: Option<adapter::RequestBody>,
    }
}

impl<B: Body> RequestBody<B> {
    pub(crate) fn new(inner: B, mut watch: Option<adapter::RequestBody>) -> Self {
        if let Some(watch) = watch.as_mut().filter(|_| inner.is_end_stream()) {
            watch.end();
        }
        Self { inner, watch }
    }
}

/// An empty body, of which nothing is recorded: what layers inside may put in its place.
impl<B: Default> Default for RequestBody<B> {
    fn default() -> Self {
        Self { inner: B::default(), watch: None }
    }
}

impl<B: Body> Body for RequestBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        if let Some(watch) = this.watch {
            note(watch, frame.as_ref());
            // The last frame may be the last that is asked for.
            if matches!(frame, Some(Ok(_))) && this.inner.is_end_stream() {
                watch.end();
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn note<D: Buf, E>(watch: &mut adapter::RequestBody, frame: Option<&Result<Frame<D>, E>>) {
    match frame {
        None => watch.end(),
        Some(Err(_)) => {}
        Some(Ok(frame)) => match frame.data_ref() {
            // Nothing follows trailers.
            None => watch.end(),
            Some(data) => {
                if each_slice(data, |bytes| watch.passed(bytes)) > 0 {
                    watch.passed_unseen();
                }
            }
        },
    }
}
