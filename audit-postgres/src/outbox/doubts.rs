//! Events of which nobody can say yet whether they landed.

use std::collections::HashMap;

use audit_core::log::Health;

use crate::uuid::Uuid;

/// Events that were given to the log and got no receipt. They may be in a batch that is on its way,
/// so they are not given to it again until that batch has been decided.
///
/// The log appends one batch after the other. A record that it took is in the batch it is at; the
/// first growth of the log after that settles it: either the batch landed, and the row is gone from the
/// outbox, or it was given up, and a record for which nobody waits with it.
#[derive(Debug, Default)]
pub(super) struct Doubts(HashMap<Uuid, Doubt>);

#[derive(Clone, Copy, Debug)]
enum Doubt {
    /// It may still be in the queue.
    Queued,
    /// It is in no queue; decided once the log has more records than this.
    Taken(u64),
}

impl Doubts {
    /// A record whose caller gave up: it was withdrawn if it was still queued. `health` is asked
    /// afterwards.
    pub(super) fn add_abandoned(&mut self, id: Uuid, health: &Health) {
        self.0.insert(id, Doubt::Taken(health.records));
    }

    /// A record that was queued and not awaited.
    pub(super) fn add_queued(&mut self, id: Uuid) {
        self.0.insert(id, Doubt::Queued);
    }

    /// Forgets those that have been decided.
    pub(super) fn settle(&mut self, health: &Health) {
        self.0.retain(|_, doubt| match *doubt {
            Doubt::Queued => {
                if health.queue_depth == 0 {
                    *doubt = Doubt::Taken(health.records);
                }
                true
            }
            Doubt::Taken(records) => health.records <= records,
        });
    }

    /// What an earlier relay left behind is as uncertain as what was only queued.
    pub(super) fn of(ids: Vec<Uuid>) -> Self {
        Self(ids.into_iter().map(|id| (id, Doubt::Queued)).collect())
    }

    pub(super) fn ids(&self) -> Vec<Uuid> {
        self.0.keys().copied().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
