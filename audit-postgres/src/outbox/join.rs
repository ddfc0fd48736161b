//! Several records that are awaited together.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use audit_core::log::Append;
use audit_core::{Receipt, Refused};

/// What became of one record.
pub(super) type Answer = Result<Option<Receipt>, Refused>;

/// Ready when all are. They are polled in order, so that they are queued in order.
#[derive(Debug)]
pub(super) struct Join(Vec<(Option<Append>, Option<Answer>)>);

impl Join {
    pub(super) fn new(appends: Vec<Append>) -> Self {
        Self(appends.into_iter().map(|append| (Some(append), None)).collect())
    }
}

impl Future for Join {
    type Output = Vec<Answer>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Vec<Answer>> {
        let mut waits = false;
        for (append, answer) in &mut self.0 {
            let Some(pending) = append else { continue };
            match Pin::new(pending).poll(cx) {
                Poll::Ready(ready) => {
                    *answer = Some(ready);
                    *append = None;
                }
                Poll::Pending => waits = true,
            }
        }
        if waits {
            return Poll::Pending;
        }
        Poll::Ready(self.0.drain(..).filter_map(|(_, answer)| answer).collect())
    }
}
