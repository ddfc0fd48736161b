use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use super::completion::Completion;
use super::shared::Shared;
use super::{CloseError, Refused};

/// The log was closed in order: everything is written, synced and signed, and the store is free
/// for the next writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed {
    /// How many lines the log has, `log.closed` included.
    pub records: u64,
    /// How many of them the replica that is furthest behind still lacks; 0 when all replicas have
    /// all lines. What is missing, the last checkpoint included, is shipped when the log is opened
    /// again.
    pub replicas_lack: u64,
}

/// The future of [`AuditLog::close`](super::AuditLog::close).
///
/// Dropping it does not stop the closing.
#[derive(Debug)]
#[must_use = "closing goes on without it, but only this tells whether everything was written"]
pub struct Close {
    pub(crate) shared: Arc<Shared>,
    pub(crate) already: bool,
}

impl Future for Close {
    type Output = Result<Closed, CloseError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.already {
            return Poll::Ready(Err(CloseError::AlreadyClosed));
        }
        self.shared.closing.poll(cx)
    }
}

/// Somebody who waits for a checkpoint.
#[derive(Clone, Debug)]
pub(crate) struct CheckpointRequest {
    pub(crate) deadline: Instant,
    pub(crate) done: Arc<Completion<Result<Vec<u8>, Refused>>>,
}

/// The future of [`AuditLog::checkpoint`](super::AuditLog::checkpoint).
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct CheckpointNow {
    pub(crate) done: Arc<Completion<Result<Vec<u8>, Refused>>>,
}

impl Future for CheckpointNow {
    type Output = Result<Vec<u8>, Refused>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.done.poll(cx)
    }
}
