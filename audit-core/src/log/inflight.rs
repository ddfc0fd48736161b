use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::demand::Demand;
use super::shared::lock;
use super::submission::Submission;
use crate::evidence::Hash;

/// Submissions that have left the queue and not been answered, where the deadline thread finds
/// them even when the threads that work on them are stuck or have panicked.
#[derive(Debug, Default)]
pub(crate) struct Inflight {
    appending: Mutex<Vec<Arc<Submission>>>,
    unsynced: Mutex<VecDeque<Unsynced>>,
    /// On stable storage, and not yet in as many stores as their rule asks.
    uncopied: Mutex<VecDeque<Unsynced>>,
}

/// A record that is in the log and not yet as durable as its rule asks.
#[derive(Debug)]
pub(crate) struct Unsynced {
    pub(crate) submission: Arc<Submission>,
    pub(crate) seq: u64,
    pub(crate) leaf: Hash,
}

impl Inflight {
    /// The submissions of the batch that the sequencer is about to append. Says which deadline is
    /// the earliest: nobody saw it while they were on their way here.
    pub(crate) fn begin_append(&self, submissions: impl Iterator<Item = Arc<Submission>>) -> Option<Instant> {
        let mut appending = lock(&self.appending);
        appending.clear();
        appending.extend(submissions);
        appending.iter().filter(|waits| !waits.goes_ahead()).map(|waits| waits.deadline).min()
    }

    pub(crate) fn end_append(&self) {
        lock(&self.appending).clear();
    }

    /// Adds records that wait for stable storage, in order of `seq`. Leaves `records` empty.
    pub(crate) fn await_sync(&self, records: &mut Vec<Unsynced>) {
        lock(&self.unsynced).extend(records.drain(..));
    }

    /// Takes those below `seq`.
    pub(crate) fn take_synced(&self, seq: u64) -> VecDeque<Unsynced> {
        let mut unsynced = lock(&self.unsynced);
        let below = unsynced.partition_point(|record| record.seq < seq);
        let rest = unsynced.split_off(below);
        std::mem::replace(&mut *unsynced, rest)
    }

    /// Adds a record that waits for replicas, in order of `seq`.
    pub(crate) fn await_copies(&self, record: Unsynced) {
        lock(&self.uncopied).push_back(record);
    }

    /// Takes those that are below the line which `met_below` says for what they ask.
    pub(crate) fn take_copied(&self, met_below: impl Fn(Demand) -> u64) -> Vec<Unsynced> {
        let mut known: Vec<(Demand, u64)> = Vec::new();
        let mut uncopied = lock(&self.uncopied);
        let mut met = Vec::new();
        for record in std::mem::take(&mut *uncopied) {
            let demand = record.submission.demand;
            let below = match known.iter().find(|(asked, _)| *asked == demand) {
                Some((_, below)) => *below,
                None => {
                    let below = met_below(demand);
                    known.push((demand, below));
                    below
                }
            };
            if record.seq < below {
                met.push(record);
            } else {
                uncopied.push_back(record);
            }
        }
        met
    }

    /// Those whose deadline has passed: first those that may still land, then those that have
    /// landed without being durable in time, which are taken out. And the earliest deadline left.
    pub(crate) fn expire(&self, now: Instant) -> (Vec<Arc<Submission>>, Vec<Unsynced>, Option<Instant>) {
        let mut earliest: Option<Instant> = None;
        let mut keep = |submission: &Submission| {
            if submission.goes_ahead() {
                return true;
            }
            let deadline = submission.deadline;
            let keep = deadline > now;
            if keep {
                earliest = Some(earliest.map_or(deadline, |earliest| earliest.min(deadline)));
            }
            keep
        };
        let mut may_land = Vec::new();
        for submission in lock(&self.appending).iter() {
            if !keep(submission) {
                may_land.push(Arc::clone(submission));
            }
        }
        let mut late = Vec::new();
        for waiting in [&self.unsynced, &self.uncopied] {
            let mut waiting = lock(waiting);
            for record in std::mem::take(&mut *waiting) {
                if keep(&record.submission) {
                    waiting.push_back(record);
                } else {
                    late.push(record);
                }
            }
        }
        (may_land, late, earliest)
    }

    /// Everybody, for the end of the log: those that may have landed, and those that have.
    pub(crate) fn take_all(&self) -> (Vec<Arc<Submission>>, VecDeque<Unsynced>) {
        let appending = std::mem::take(&mut *lock(&self.appending));
        let mut landed = std::mem::take(&mut *lock(&self.unsynced));
        landed.append(&mut lock(&self.uncopied));
        (appending, landed)
    }
}
