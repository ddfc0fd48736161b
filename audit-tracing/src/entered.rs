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
    entered: Option<Entered>,
}

/// Makes `activity` the thread's current one until [`exit`].
pub(crate) fn enter(span: SpanKey, activity: &CurrentActivity) {
    // A thread that is being torn down is in no span any more.
    let _ = INSIDE.try_with(|inside| {
        let (activity, entered) = (activity.clone(), Some(activity.enter()));
        inside.borrow_mut().push(Inside { span, activity, was_panicking: std::thread::panicking(), entered });
    });
}

/// Undoes the newest [`enter`] of `span`. True when the span is left by unwinding.
pub(crate) fn exit(span: SpanKey) -> bool {
    let was_panicking = INSIDE.try_with(|inside| {
        let mut inside = inside.borrow_mut();
        let position = inside.iter().rposition(|inside| inside.span == span)?;
        // What was current before comes back newest first, so spans that stay are left and entered again.
        let mut staying = inside.split_off(position + 1);
        staying.iter_mut().rev().for_each(|inside| inside.entered = None);
        let was_panicking = inside.pop()?.was_panicking;
        staying.iter_mut().for_each(|inside| inside.entered = Some(inside.activity.enter()));
        inside.append(&mut staying);
        Some(was_panicking)
    });
    std::thread::panicking() && matches!(was_panicking, Ok(Some(false)))
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
