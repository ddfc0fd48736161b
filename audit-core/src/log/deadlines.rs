use std::sync::Arc;
use std::time::Instant;

use super::shared::{Shared, lock};
use super::{CloseError, Refused};

/// Keeps every deadline of a log, on a thread that never touches the store.
pub(crate) fn keep_deadlines(shared: &Arc<Shared>) {
    while shared.queue.wait_for_deadline() {
        let now = Instant::now();
        let (may_land, late, earliest) = shared.inflight.expire(now);
        for submission in may_land {
            shared.refuse(&submission, &Refused::Deadline, true);
        }
        for record in late {
            // In the log, but not durable in time: a call that may not go on ends here.
            let refused = record.submission.refuse(Refused::Deadline, true);
            if refused == super::submission::Ended::MayLand
                && record.submission.role == super::submission::Role::Intent
                && !record.submission.allows_failure()
            {
                shared.end_as_refused(&record.submission, "the intent was not durable in time");
            }
        }
        let earliest = [earliest, expire_checkpoints(shared, now)].into_iter().flatten().min();
        let expired = shared.queue.expire(now, earliest);
        for submission in &expired.submissions {
            shared.refuse(submission, &Refused::Deadline, false);
        }
        if let Some((open_activities, unwritten)) = expired.close {
            shared.closing.give(Err(CloseError::Deadline { open_activities, unwritten }));
        }
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
