use std::time::{Duration, Instant};

use super::{Check, Sample, Store, Violation, soon};
use crate::backend::{BackendError, Head};

/// How late a call may return whose deadline has passed before it began.
const GRACE: Duration = Duration::from_secs(5);

/// A call whose deadline has passed returns at once, with an error whose type tells whether
/// anything was written, or with a result that is true.
///
/// # Errors
///
/// When the store does otherwise.
pub fn a_deadline_that_has_passed_is_a_typed_error(store: &mut dyn Store) -> Result<(), Violation> {
    let check = Check("a_deadline_that_has_passed_is_a_typed_error");
    let mut writer = check.created(store)?;
    let sample = Sample::after(Head::EMPTY).lines(2, "late");
    let started = Instant::now();
    let appended = writer.append(Head::EMPTY, &sample.batch(), started);
    let read = writer.read(0..1, started);
    let head = writer.head(started);
    if started.elapsed() > GRACE {
        return Err(check.violation("the calls did not return in time"));
    }
    for error in [read.err(), head.err()].into_iter().flatten() {
        retryable(check, &error)?;
    }
    let lines = check.works("asking for the head", writer.head(soon()))?.size;
    match appended {
        Ok(_) => check.same("lines after an append that worked", &lines, &2)?,
        Err(error) => {
            retryable(check, &error)?;
            if error.outcome_is_known() {
                check.same("lines after an append that did nothing", &lines, &0)?;
            }
        }
    }
    check.append(writer.as_mut(), &sample)?;
    check.holds(writer.as_mut(), sample.bytes(), 2)
}

fn retryable(check: Check, error: &BackendError) -> Result<(), Violation> {
    if error.is_retryable() {
        return Ok(());
    }
    Err(check.violation(format!("an error that never passes: {error}")))
}
