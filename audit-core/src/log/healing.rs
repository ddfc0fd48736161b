//! Filling a primary that holds less than one of its replicas, before the log is open.

use std::time::{Duration, Instant};

use super::copied::{Broken, Copied};
use super::{LogLimits, OpenError};
use crate::backend::{Backend, BackendError, Head};

/// How long is waited before a store that failed is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// Copies the lines behind `head` from the replica `name`, which ends at `theirs`, to the primary.
pub(crate) fn heal(
    primary: &mut dyn Backend,
    head: Head,
    name: &str,
    replica: &mut dyn Backend,
    theirs: Head,
    limits: &LogLimits,
    deadline: Instant,
) -> Result<Head, OpenError> {
    let mut head = head;
    while head.size < theirs.size {
        let bytes = patiently(deadline, limits, |until| replica.read(head.size..theirs.size, until))
            .map_err(|source| OpenError::Replica { name: name.to_owned(), source })?;
        let copied = Copied::new(head, bytes, limits.batch_records, limits.batch_bytes);
        let copied = copied.map_err(|Broken(seq)| broken(name, seq))?;
        if copied.is_empty() {
            return Err(broken(name, head.size));
        }
        let append = |until| primary.append(copied.before(), &copied.batch(), until);
        patiently(deadline, limits, append).map_err(OpenError::Backend)?;
        head = copied.head();
    }
    if head == theirs { Ok(head) } else { Err(broken(name, theirs.size.saturating_sub(1))) }
}

fn broken(name: &str, seq: u64) -> OpenError {
    OpenError::Tampered {
        detail: format!(
            "the replica `{name}` holds more than the primary, but its record {seq} does not continue the log; keep it as \
             evidence, see `audit verify`"
        ),
    }
}

/// Tries again while that may help and there is time.
fn patiently<T>(
    deadline: Instant,
    limits: &LogLimits,
    mut attempt: impl FnMut(Instant) -> Result<T, BackendError>,
) -> Result<T, BackendError> {
    loop {
        match attempt(limits.backend_deadline().min(deadline)) {
            Err(error) if error.is_retryable() && Instant::now() + PAUSE < deadline => std::thread::sleep(PAUSE),
            ended => return ended,
        }
    }
}
