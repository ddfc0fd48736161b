use std::time::Instant;

use super::shared::{Shared, lock};
use super::submission::Take;
use super::{CloseError, Refused};

/// Keeps every deadline of a log, on a thread that never touches the store.
pub(crate) fn keep_deadlines(shared: &Shared) {
    let mut rested = Instant::now();
    while shared.queue.wait_for_deadline(rested) {
        let look = std::panic::AssertUnwindSafe(|| look(shared));
        // A waker that panics is its runtime's trouble; everybody else still has a deadline.
        let _ = std::panic::catch_unwind(look);
        rested = Instant::now() + shared.limits.deadline_rest;
    }
}

/// Answers everybody whose deadline has passed.
fn look(shared: &Shared) {
    let now = Instant::now();
    let (may_land, late, earliest) = shared.inflight.expire(now);
    let earliest = [earliest, expire_checkpoints(shared, now)].into_iter().flatten().min();
    let expired = shared.queue.expire(now, earliest);
    for submission in may_land {
        shared.refuse(&submission, &Refused::Deadline, true);
    }
    for record in late {
        let landing = record.submission.land_late(Refused::Deadline);
        shared.settle(&record.submission, landing, "the intent was not durable in time");
    }
    for submission in &expired.submissions {
        if !shared.refuse(submission, &Refused::Deadline, false) && submission.take() == Take::Skip {
            // Its caller had gone while it was in line, and room was set aside for it later.
            shared.queue.release(submission);
        }
    }
    if let Some((open_activities, unwritten)) = expired.close {
        shared.closing.give(Err(CloseError::Deadline { open_activities, unwritten }));
    }
}

fn expire_checkpoints(shared: &Shared, now: Instant) -> Option<Instant> {
    let mut requests = lock(&shared.checkpoint_requests);
    requests.retain(|request| {
        let keep = request.deadline > now;
        if !keep {
            request.done.give(Err(Refused::Deadline));
        }
        keep
    });
    requests.iter().map(|request| request.deadline).min()
}
