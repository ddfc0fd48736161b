use std::error::Error;
use std::fmt::{self, Display};
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::open::block_on;
use super::{Activity, AuditLog, Begin, Finish, Refused};
use crate::record::{Event, Outcome, OutcomeResult, Value};

/// Runs `future` on record: not before its intent is as durable as the policy asks, and never when
/// the log refuses it.
///
/// While it runs, its activity is the current one: see
/// [`CurrentActivity`](super::CurrentActivity). It ends as
///
/// * `success` after `Ok`;
/// * `failure` after `Err`, with the error's text, cut to the log's limit. [`Audited::outcome`]
///   decides otherwise, or leaves the text out;
/// * `panicked` when a poll unwinds;
/// * `cancelled` when it is dropped before its end.
///
/// Under a rule with `await_outcome` the result is held back until the outcome is as durable as the
/// intent, at most for the rule's deadline. Under one with `on_failure = "allow"`, or of level
/// `none`, the future runs unrecorded rather than not at all.
///
/// Encodes the event at once. Never blocks, and needs no runtime.
///
/// # Errors
///
/// The future's output is [`AuditedError::Refused`] when `future` has not run, and
/// [`AuditedError::Failed`] with the error of `future` when it has.
///
/// # Examples
///
/// ```
/// use audit_core::log::{AuditedError, audited};
/// use audit_core::{AuditLog, Event};
///
/// async fn rotate(ledger: &str) -> std::io::Result<()> {
///     // … the work …
/// #   let _ = ledger;
///     Ok(())
/// }
///
/// async fn serve(log: &AuditLog) -> Result<(), AuditedError<std::io::Error>> {
///     audited(log, Event::action("ledger.rotate").resource("ledger/7"), rotate("7")).await
/// }
/// ```
#[expect(clippy::needless_pass_by_value, reason = "an event is made for one call")]
pub fn audited<F, T, E>(log: &AuditLog, event: Event<'_>, future: F) -> Audited<F, Describe<T, E>>
where
    F: Future<Output = Result<T, E>>,
    E: Display,
{
    Audited {
        future: Some(future),
        activity: None,
        begin: Some(log.begin(&event)),
        ending: None,
        describe: Some(by_result),
    }
}

/// Runs `work` on record, as [`audited`] does, on this thread.
///
/// **Blocks** until the intent is durable, at most for the deadline of its rule: not for async code.
///
/// # Errors
///
/// [`AuditedError::Refused`] when `work` has not run, [`AuditedError::Failed`] with its error when
/// it has.
///
/// # Examples
///
/// ```
/// use audit_core::log::audited_blocking;
/// # use audit_core::{Event, testing::TestLog};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let log = TestLog::open()?;
/// let rotated = audited_blocking(&log, Event::action("ledger.rotate"), || "7".parse::<u32>())?;
/// # assert_eq!(rotated, 7);
/// # Ok(()) }
/// ```
pub fn audited_blocking<T, E: Display>(
    log: &AuditLog,
    event: Event<'_>,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, AuditedError<E>> {
    block_on(pin!(audited(log, event, async move { work() })))
}

/// How [`audited`] describes a result unless told otherwise.
pub type Describe<T, E> = for<'a> fn(&'a Result<T, E>) -> Outcome<'a>;

fn by_result<T, E: Display>(result: &Result<T, E>) -> Outcome<'_> {
    let error = match result {
        Ok(_) => return Outcome::new(OutcomeResult::Success),
        Err(error) => Value::display(error),
    };
    let outcome = Outcome::new(OutcomeResult::Failure);
    if let Value::Text(text) = error { outcome.error(text) } else { outcome }
}

pin_project! {
    /// The future of [`audited`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Audited<F: Future, D> {
        // Before the activity, so that a call that is given up has been dropped when it ends.
        #[pin]
        future: Option<F>,
        activity: Option<Activity>,
        begin: Option<Begin>,
        ending: Option<(Finish, F::Output)>,
        describe: Option<D>,
    }
}

impl<F: Future, D> Audited<F, D> {
    /// Decides how a result is recorded: `denied` for an error that says so, an error without its
    /// text.
    ///
    /// ```
    /// # use audit_core::log::audited;
    /// # use audit_core::{AuditLog, Event, Outcome, OutcomeResult};
    /// # use std::io::{self, ErrorKind};
    /// # async fn serve(log: &AuditLog, work: impl Future<Output = io::Result<()>>) {
    /// let work = audited(log, Event::action("ledger.rotate"), work).outcome(|result| match result {
    ///     Ok(()) => Outcome::new(OutcomeResult::Success),
    ///     Err(error) if error.kind() == ErrorKind::PermissionDenied => Outcome::new(OutcomeResult::Denied),
    ///     Err(_) => Outcome::new(OutcomeResult::Failure),
    /// });
    /// # work.await.ok();
    /// # }
    /// ```
    pub fn outcome<O>(self, describe: O) -> Audited<F, O>
    where
        O: for<'a> FnOnce(&'a F::Output) -> Outcome<'a>,
    {
        Audited {
            future: self.future,
            activity: self.activity,
            begin: self.begin,
            ending: self.ending,
            describe: Some(describe),
        }
    }
}

impl<F, T, E, D> Future for Audited<F, D>
where
    F: Future<Output = Result<T, E>>,
    D: for<'a> FnOnce(&'a Result<T, E>) -> Outcome<'a>,
{
    type Output = Result<T, AuditedError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(begin) = this.begin {
            let begun = ready!(Pin::new(begin).poll(cx));
            *this.begin = None;
            match begun {
                Ok(activity) => *this.activity = Some(activity),
                Err(refused) => {
                    this.future.set(None);
                    return Poll::Ready(Err(AuditedError::Refused(refused)));
                }
            }
        }
        // Unwinding out of here drops the activity, which then ends as `panicked`.
        if let Some(activity) = this.activity.take() {
            let entered = activity.current().enter();
            let polled = this.future.as_mut().as_pin_mut().map_or(Poll::Pending, |future| future.poll(cx));
            let Poll::Ready(result) = polled else {
                drop(entered);
                *this.activity = Some(activity);
                return Poll::Pending;
            };
            this.future.set(None);
            drop(entered);
            let outcome = match this.describe.take() {
                Some(describe) => describe(&result),
                None => Outcome::new(OutcomeResult::Unknown),
            };
            if !activity.awaits_outcome() {
                activity.finish(outcome);
                return Poll::Ready(result.map_err(AuditedError::Failed));
            }
            let finish = activity.finish_durably(outcome);
            *this.ending = Some((finish, result));
        }
        if let Some((finish, _)) = this.ending {
            // What is not durable by the deadline is counted by the log; the work is done all the same.
            let _ = ready!(Pin::new(finish).poll(cx));
        }
        match this.ending.take() {
            Some((_, result)) => Poll::Ready(result.map_err(AuditedError::Failed)),
            None => Poll::Pending,
        }
    }
}

impl<F: Future, D> fmt::Debug for Audited<F, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audited").field("begin", &self.begin).field("activity", &self.activity).finish_non_exhaustive()
    }
}

/// Why an audited function gave no value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AuditedError<E> {
    /// It has not run, because it could not be recorded.
    Refused(Refused),
    /// It ran, and failed by itself.
    Failed(E),
}

impl<E> AuditedError<E> {
    /// The function's own error, if it ran.
    pub fn failed(self) -> Option<E> {
        match self {
            Self::Refused(_) => None,
            Self::Failed(error) => Some(error),
        }
    }
}

impl<E: Display> Display for AuditedError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(_) => f.write_str("not run, because it could not be recorded"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for AuditedError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused(refused) => Some(refused),
            Self::Failed(error) => error.source(),
        }
    }
}
