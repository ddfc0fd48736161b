use std::pin::Pin;
use std::task::{Context, Poll};

use super::Recording;
use super::call::Call;
use crate::log::{Begin, Refused};

/// A call whose intent is on its way into the log: a [`Recording`] once the handler may run.
///
/// Dropped before, it withdraws the intent. `Unpin`, `Send` and free of any runtime.
#[derive(Debug)]
#[must_use = "the intent is not recorded unless the future is polled"]
pub struct Beginning {
    begin: Begin,
    call: Call,
}

impl Beginning {
    pub(super) const fn new(begin: Begin, call: Call) -> Self {
        Self { begin, call }
    }
}

impl Future for Beginning {
    type Output = Result<Recording, Refused>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let call = self.call;
        Pin::new(&mut self.begin).poll(cx).map_ok(|activity| Recording::new(activity, call))
    }
}
