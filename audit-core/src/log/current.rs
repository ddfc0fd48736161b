use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::shared::lock;
use super::submission::{Amendments, Submission};
use super::tightening::Tightened;
use crate::record::{ActivityId, Actor, Value};

thread_local! {
    static CURRENT: RefCell<Option<CurrentActivity>> = const { RefCell::new(None) };
}

/// What handlers and inner layers see of the activity they run in.
///
/// Cheap to clone. What they add lands in the outcome; ending the activity is its owner's.
/// In a call that a rule excludes from the log, everything is accepted and nothing is recorded.
#[derive(Clone, Debug)]
pub struct CurrentActivity {
    submission: Option<Arc<Submission>>,
}

/// Why an addition to an activity was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AmendError {
    /// The activity has ended.
    Finished,
    /// The activity has as many attributes as a record may carry.
    Full,
}

impl fmt::Display for AmendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Finished => "the activity has ended",
            Self::Full => "the activity has as many attributes as a record may carry",
        })
    }
}

impl std::error::Error for AmendError {}

impl CurrentActivity {
    pub(crate) const fn new(submission: Option<Arc<Submission>>) -> Self {
        Self { submission }
    }

    /// The activity of the innermost [`scope`](Self::scope) or [`enter`](Self::enter) on this
    /// thread. A bare `spawn` starts without one.
    #[must_use]
    pub fn get() -> Option<Self> {
        // A thread that is being torn down is in no activity.
        CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
    }

    pub(crate) fn current_id() -> Option<ActivityId> {
        CURRENT.try_with(|current| current.borrow().as_ref().and_then(Self::id)).ok().flatten()
    }

    /// The identifier that joins intent and outcome; `None` when the call is not recorded.
    #[must_use]
    pub fn id(&self) -> Option<ActivityId> {
        self.submission.as_ref().map(|submission| submission.id)
    }

    /// Names what the call turned out to be about. A later name replaces an earlier one.
    ///
    /// # Errors
    ///
    /// [`AmendError::Finished`] after the end of the activity.
    pub fn resource(&self, resource: impl AsRef<str>) -> Result<(), AmendError> {
        self.amend(|amendments, Submission { limits, .. }| {
            // One byte more than is recorded, so that the record can say that it was cut.
            amendments.resource = Some(clip(resource.as_ref(), limits.resource + 1).to_owned());
            Ok(())
        })
    }

    /// Adds an attribute. A name given twice is recorded once, with the last value.
    ///
    /// # Errors
    ///
    /// [`AmendError::Finished`] after the end of the activity, [`AmendError::Full`] when it has as
    /// many attributes as a record may carry.
    pub fn attribute(&self, name: impl Into<String>, value: impl Into<Value<'static>>) -> Result<(), AmendError> {
        let name = clip(&name.into(), 256).to_owned();
        let value = value.into();
        self.amend(|amendments, Submission { limits, .. }| {
            let value = match value {
                Value::Text(text) => Value::Text(Cow::Owned(clip(&text, limits.attribute + 1).to_owned())),
                value => value,
            };
            if let Some((_, known)) = amendments.attributes.iter_mut().find(|(known, _)| *known == name) {
                *known = value;
            } else if amendments.attributes.len() >= limits.attributes {
                return Err(AmendError::Full);
            } else {
                amendments.attributes.push((Cow::Owned(name), value));
            }
            Ok(())
        })
    }

    /// Says who the caller turned out to be, once that is known.
    ///
    /// The intent keeps what was known then; the outcome carries this. Where the actor is verified,
    /// and the policy that decided about the intent has a stricter rule for it, the outcome names that
    /// rule and is waited for as that rule asks. An actor never loosens a rule, and a call that a rule
    /// excluded from the log stays excluded.
    ///
    /// # Errors
    ///
    /// [`AmendError::Finished`] after the end of the activity.
    pub fn actor(&self, actor: Actor) -> Result<(), AmendError> {
        self.amend(|amendments, submission| {
            let tightened = Tightened::by(submission, amendments.tightened.as_ref(), &actor);
            amendments.tightened = tightened.or_else(|| amendments.tightened.take());
            amendments.actor = Some(actor);
            Ok(())
        })
    }

    fn amend(
        &self,
        change: impl FnOnce(&mut Amendments, &Submission) -> Result<(), AmendError>,
    ) -> Result<(), AmendError> {
        let Some(submission) = &self.submission else {
            return Ok(());
        };
        let mut amendments = lock(&submission.amendments);
        if amendments.finished { Err(AmendError::Finished) } else { change(&mut amendments, submission) }
    }

    /// Makes this the thread's current activity until the guard is dropped. Never hold the guard
    /// across an `await`: use [`scope`](Self::scope).
    pub fn enter(&self) -> Entered {
        let before = CURRENT.try_with(|current| current.replace(Some(self.clone()))).ok().flatten();
        Entered { before, not_send: PhantomData }
    }

    /// Makes this the thread's current activity during each poll of `future`.
    pub const fn scope<F: Future>(self, future: F) -> Scope<F> {
        Scope { activity: self, future }
    }
}

/// The part of `text` that can matter: its first `limit` bytes, cut between characters.
fn clip(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Restores the thread's previous activity when dropped: see [`CurrentActivity::enter`].
#[derive(Debug)]
#[must_use = "the activity is current only while the guard lives"]
pub struct Entered {
    before: Option<CurrentActivity>,
    not_send: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let before = self.before.take();
        // A thread that is being torn down has no current activity to restore.
        let _ = CURRENT.try_with(|current| current.replace(before));
    }
}

pin_project_lite::pin_project! {
    /// A future that is polled with an activity as the thread's current one.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Scope<F> {
        activity: CurrentActivity,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Scope<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _entered = this.activity.enter();
        this.future.poll(cx)
    }
}
