use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use super::shared::lock;

/// A value that one thread gives and one future waits for. The first value given counts.
#[derive(Debug)]
pub(crate) struct Completion<T>(Mutex<State<T>>);

#[derive(Debug)]
enum State<T> {
    Waiting(Option<Waker>),
    Given(T),
    Taken,
}

impl<T> Completion<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(State::Waiting(None)))
    }

    /// Gives the value and wakes the future; a second value is dropped.
    pub(crate) fn give(&self, value: T) {
        let mut state = lock(&self.0);
        if let State::Waiting(waker) = &mut *state {
            let waker = waker.take();
            *state = State::Given(value);
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<T> {
        let mut state = lock(&self.0);
        match std::mem::replace(&mut *state, State::Taken) {
            State::Given(value) => Poll::Ready(value),
            replaced => {
                *state = State::Waiting(Some(cx.waker().clone()));
                // Dropping a waker may drop the task that waits here, which takes this lock.
                drop(state);
                drop(replaced);
                Poll::Pending
            }
        }
    }
}
