//! The audited spans that this thread is in.

use std::cell::RefCell;

use audit_core::log::{CurrentActivity, Entered};
use audit_core::record::ActivityId;

use crate::activity::SpanKey;

thread_local! {
    static INSIDE: RefCell<Vec<Inside>> = const { RefCell::new(Vec::new()) };
}

struct Inside {
    span: SpanKey,
    activity: CurrentActivity,
    was_panicking: bool,
    entered: Entered,
}

impl Inside {
    fn new(span: SpanKey, activity: CurrentActivity, was_panicking: bool) -> Self {
        Self { span, entered: activity.enter(), activity, was_panicking }
    }
}

/// Makes `activity` the thread's current one until [`exit`].
pub(crate) fn enter(span: SpanKey, activity: &CurrentActivity) {
    // A thread that is being torn down is in no span any more.
    let _ = INSIDE.try_with(|inside| {
        inside.borrow_mut().push(Inside::new(span, activity.clone(), std::thread::panicking()));
    });
}

/// Undoes the newest [`enter`] of `span`. True when the span is left by unwinding.
pub(crate) fn exit(span: SpanKey) -> bool {
    let left = INSIDE.try_with(|inside| {
        let mut inside = inside.borrow_mut();
        let position = inside.iter().rposition(|inside| inside.span == span)?;
        // Guards are undone in order, newest first, so those of spans that stay are put back.
        let staying: Vec<_> = inside.drain(position + 1..).rev().map(Inside::leave).collect();
        let left = inside.pop();
        let was_panicking = left.map(|left| left.leave().was_panicking)?;
        inside.extend(staying.into_iter().rev().map(Left::enter));
        Some(was_panicking)
    });
    match left {
        Ok(Some(was_panicking)) => std::thread::panicking() && !was_panicking,
        _ => false,
    }
}

/// A span that was left.
struct Left {
    span: SpanKey,
    activity: CurrentActivity,
    was_panicking: bool,
}

impl Inside {
    fn leave(self) -> Left {
        drop(self.entered);
        Left { span: self.span, activity: self.activity, was_panicking: self.was_panicking }
    }
}

impl Left {
    fn enter(self) -> Inside {
        Inside::new(self.span, self.activity, self.was_panicking)
    }
}

/// The activity that was made current inside all the audited spans that this thread is in, by
/// somebody else.
pub(crate) fn other_activity() -> Option<ActivityId> {
    let current = CurrentActivity::get()?.id()?;
    let is_of_a_span = |inside: &Inside| inside.activity.id() == Some(current);
    let of_a_span = INSIDE.try_with(|inside| inside.borrow().iter().any(is_of_a_span));
    (!of_a_span.unwrap_or(true)).then_some(current)
}

/// Whether this thread is in `span`.
pub(crate) fn is_inside(span: SpanKey) -> bool {
    INSIDE.try_with(|inside| inside.borrow().iter().any(|inside| inside.span == span)).unwrap_or(false)
}
