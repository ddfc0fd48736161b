//! Appending from one thread with a bounded number of receipts outstanding, all of them awaited.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use audit_core::log::Append;
use audit_core::{AuditLog, Event, Receipt};

use crate::Failure;

/// The appends whose receipts have not come yet, oldest first.
pub(crate) struct Outstanding {
    appends: VecDeque<Append>,
    waker: Waker,
}

impl Outstanding {
    pub(crate) fn new() -> Self {
        Self { appends: VecDeque::with_capacity(LIMIT), waker: Arc::new(Unpark(thread::current())).into() }
    }

    /// Appends `event`; first waits for the oldest receipt when too many are outstanding.
    pub(crate) fn append(&mut self, log: &AuditLog, event: &Event<'_>) -> Result<(), Failure> {
        if self.appends.len() == LIMIT {
            self.oldest()?;
        }
        let mut append = log.record(event);
        let mut context = Context::from_waker(&self.waker);
        // The first poll queues the record.
        match Pin::new(&mut append).poll(&mut context) {
            Poll::Ready(receipt) => recorded(receipt?),
            Poll::Pending => {
                self.appends.push_back(append);
                Ok(())
            }
        }
    }

    /// Waits for all receipts.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        while !self.appends.is_empty() {
            self.oldest()?;
        }
        Ok(())
    }

    fn oldest(&mut self) -> Result<(), Failure> {
        match self.appends.pop_front() {
            Some(append) => recorded(block_on(append, &self.waker)?),
            None => Ok(()),
        }
    }
}

/// Runs a future on this thread.
pub(crate) fn wait<F: Future + Unpin>(future: F) -> F::Output {
    block_on(future, &Arc::new(Unpark(thread::current())).into())
}

fn block_on<F: Future + Unpin>(mut future: F, waker: &Waker) -> F::Output {
    let mut context = Context::from_waker(waker);
    loop {
        match Pin::new(&mut future).poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn recorded(receipt: Option<Receipt>) -> Result<(), Failure> {
    match receipt {
        Some(_) => Ok(()),
        None => Err("a record was not written, so this measures nothing".into()),
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

const LIMIT: usize = 1_024;
