//! The audited spans that this thread is in.

use std::cell::RefCell;

use audit_core::log::{CurrentActivity, Entered};
use tracing::span::Id;

thread_local! {
    static STACK: RefCell<Vec<Inside>> = const { RefCell::new(Vec::new()) };
}

struct Inside {
    span: Id,
    was_panicking: bool,
    _entered: Entered,
}

/// Makes `activity` the thread's current one until [`exit`].
pub(crate) fn enter(span: &Id, activity: &CurrentActivity) {
    let inside = Inside { span: span.clone(), was_panicking: std::thread::panicking(), _entered: activity.enter() };
    // A thread that is being torn down has no stack any more, and no current activity.
    let _ = STACK.try_with(|stack| stack.borrow_mut().push(inside));
}

/// Undoes the newest [`enter`] of `span`. True when the span is left by unwinding.
pub(crate) fn exit(span: &Id) -> bool {
    let left = STACK.try_with(|stack| {
        let mut stack = stack.borrow_mut();
        let position = stack.iter().rposition(|inside| inside.span == *span)?;
        Some(stack.remove(position))
    });
    match left {
        Ok(Some(inside)) => std::thread::panicking() && !inside.was_panicking,
        _ => false,
    }
}
