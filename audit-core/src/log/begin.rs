use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use super::queue::Entry;
use super::shared::Shared;
use super::submission::{Ended, Role, Submission};
use super::{Activity, Receipt, Refused};

/// The future of [`AuditLog::begin`](super::AuditLog::begin): an [`Activity`] once the intent is
/// durable.
///
/// `Unpin`, `Send` and free of any runtime. Fails with [`Refused`] only under rules that deny on
/// failure; under a rule that allows it, the activity goes on without a receipt.
#[derive(Debug)]
#[must_use = "the intent is not recorded unless the future is polled"]
pub struct Begin {
    way: Option<Way>,
}

/// The future of [`AuditLog::record`](super::AuditLog::record): a receipt once the record is
/// durable.
///
/// `None` instead of a receipt when the rule excludes the event, asks only for `accepted`, or
/// allows it to be lost.
#[derive(Debug)]
#[must_use = "the event is not recorded unless the future is polled"]
pub struct Append {
    way: Option<Way>,
}

/// A submission and how far its caller has followed it.
#[derive(Debug)]
struct Way {
    shared: Arc<Shared>,
    submission: Arc<Submission>,
    started: Instant,
    /// The encoded record, until it is queued.
    body: Option<Vec<u8>>,
}

impl Begin {
    pub(crate) fn new(shared: Arc<Shared>, body: Vec<u8>, submission: Arc<Submission>) -> Self {
        Self { way: Some(Way::new(shared, body, submission)) }
    }

    pub(crate) const fn excluded() -> Self {
        Self { way: None }
    }

    /// Queues the intent now and does not wait for it: for callers that cannot, such as a span.
    ///
    /// The activity has no receipt, and no deadline applies to its intent. An intent that finds no
    /// room in the queue is counted as lost.
    pub fn without_waiting(mut self) -> Activity {
        let Some(mut way) = self.way.take() else {
            return Activity::inert();
        };
        let failure = way.submit(false).err();
        way.into_activity(None, failure)
    }
}

impl Append {
    pub(crate) fn new(shared: Arc<Shared>, body: Vec<u8>, submission: Arc<Submission>) -> Self {
        Self { way: Some(Way::new(shared, body, submission)) }
    }

    pub(crate) const fn excluded() -> Self {
        Self { way: None }
    }
}

impl Way {
    fn new(shared: Arc<Shared>, body: Vec<u8>, submission: Arc<Submission>) -> Self {
        Self { shared, started: submission.started, submission, body: Some(body) }
    }

    /// Puts the record into the queue, or in line for it if the caller `may_wait`. Says whether the
    /// caller need not wait for more.
    fn submit(&mut self, may_wait: bool) -> Result<bool, Refused> {
        let Some(body) = self.body.take() else {
            return Ok(false);
        };
        if self.shared.is_forked() {
            // The losses belong to a log that is in another process.
            return Err(Refused::Forked);
        }
        let entry = Entry::new(body, Arc::clone(&self.submission));
        self.shared.queue.submit(entry, may_wait).inspect_err(|refused| {
            let ran = self.submission.allows_failure() || !may_wait;
            self.shared.lose(&self.submission, refused, ran);
        })
    }

    fn poll(&mut self, cx: &Context<'_>) -> Poll<Result<Option<Receipt>, Refused>> {
        if self.body.is_some() {
            self.submission.wake_by(cx.waker());
            if self.submit(true)? {
                return Poll::Ready(Ok(None));
            }
        }
        self.submission.poll(cx).map_ok(Some)
    }

    fn into_activity(self, receipt: Option<Receipt>, failure: Option<Refused>) -> Activity {
        if failure.is_some() {
            self.shared.queue.reserve_late(&self.submission);
        }
        Activity::new(self.shared, self.submission, self.started, receipt, failure)
    }

    /// The caller goes away without having seen the answer.
    fn give_up(self) {
        if self.shared.is_forked() {
            return;
        }
        if self.body.is_some() {
            self.shared.lose(&self.submission, &Refused::Withdrawn, false);
            return;
        }
        match self.submission.withdraw() {
            Ended::Lost => {
                self.shared.lose(&self.submission, &Refused::Withdrawn, false);
                self.shared.queue.release(&self.submission);
            }
            Ended::Landed if self.submission.role == Role::Intent => {
                self.shared.end_as_refused(&self.submission, "the call was given up before its handler ran");
            }
            Ended::Already if self.submission.allows_failure() => self.shared.queue.release(&self.submission),
            _ => {}
        }
    }
}

impl Future for Begin {
    type Output = Result<Activity, Refused>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(way) = &mut self.way else {
            return Poll::Ready(Ok(Activity::inert()));
        };
        let answer = match way.poll(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(answer) => answer,
        };
        let Some(way) = self.way.take() else {
            return Poll::Ready(Ok(Activity::inert()));
        };
        Poll::Ready(match answer {
            Ok(receipt) => Ok(way.into_activity(receipt, None)),
            Err(refused) if way.submission.allows_failure() => Ok(way.into_activity(None, Some(refused))),
            Err(refused) => Err(refused),
        })
    }
}

impl Future for Append {
    type Output = Result<Option<Receipt>, Refused>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(way) = &mut self.way else {
            return Poll::Ready(Ok(None));
        };
        let answer = match way.poll(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(answer) => answer,
        };
        let allowed = way.submission.allows_failure();
        self.way = None;
        Poll::Ready(match answer {
            Err(_) if allowed => Ok(None),
            answer => answer,
        })
    }
}

impl Drop for Begin {
    fn drop(&mut self) {
        if let Some(way) = self.way.take() {
            way.give_up();
        }
    }
}

impl Drop for Append {
    fn drop(&mut self) {
        if let Some(way) = self.way.take() {
            way.give_up();
        }
    }
}
