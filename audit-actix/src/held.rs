use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::MessageBody;
use actix_web::web::Bytes;
use audit_core::adapter::Recording;

use crate::body::note;

/// What an answer holds back until it is known not to be its end, or until its outcome is durable.
#[derive(Debug, Default)]
pub(crate) struct Held {
    given: Option<Result<Bytes, Box<dyn Error>>>,
    /// Nothing comes after what is held.
    is_last: bool,
}

impl Held {
    /// The next chunk that may go out.
    pub(crate) fn poll_next<B: MessageBody>(
        &mut self,
        mut body: Pin<&mut B>,
        recording: &mut Recording,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Box<dyn Error>>>> {
        while !self.is_last {
            let next = ready!(recording.during(|| body.as_mut().poll_next(cx)));
            self.is_last = note(recording, next.as_ref());
            if !self.is_last && recording.is_complete() {
                // A server that has all it announced does not ask again.
                recording.end();
                self.is_last = true;
            }
            let Some(next) = next else { break };
            if let Some(before) = self.given.replace(next.map_err(Into::into)) {
                return Poll::Ready(Some(before));
            }
            if !self.is_last && recording.expects_more() {
                return Poll::Ready(self.given.take());
            }
        }
        ready!(recording.poll_ended(cx));
        Poll::Ready(self.given.take())
    }
}
