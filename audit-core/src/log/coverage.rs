use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::exclusions::Exclusions;
use super::queue::{Entry, OwnWords};
use super::submission::Role;

/// What became of the calls that the log was told of since it was opened.
///
/// `seen = recorded + excluded + refused + lost + pending`, at any time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// Calls and events that callers brought.
    pub seen: u64,
    /// Those whose intent or event is in the log.
    pub recorded: u64,
    /// Those that a rule of level `none` excludes: the sum of the next two.
    pub excluded: u64,
    /// How many calls each rule excluded, by its name. The first 16 rules that exclude something
    /// since the log was opened are told apart, those of policies that were replaced included.
    pub excluded_by_rule: BTreeMap<String, u64>,
    /// How many calls all further rules excluded together.
    pub excluded_by_others: u64,
    /// Those that are not in the log and did not go ahead.
    pub refused: u64,
    /// Those that are not in the log and went ahead, as their rule allows.
    pub lost: u64,
    /// Those of which nothing is decided yet.
    pub pending: u64,
}

impl Coverage {
    /// Fills in what follows from the counts and from how many calls were seen.
    fn add_up(mut self, seen: u64) -> Self {
        let decided = self.recorded + self.excluded + self.refused + self.lost;
        self.seen = seen;
        self.pending = seen.saturating_sub(decided);
        self
    }
}

/// The counters behind [`Coverage`].
///
/// A call is counted as seen before anything else is: whoever reads that counter last never finds
/// more calls decided than seen.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) seen: AtomicU64,
    pub(crate) recorded: AtomicU64,
    pub(crate) excluded: Exclusions,
    pub(crate) refused: AtomicU64,
    pub(crate) lost: AtomicU64,
}

impl Counters {
    /// How things stand now.
    pub(crate) fn snapshot(&self) -> Coverage {
        let coverage = Coverage {
            recorded: self.recorded.load(Acquire),
            refused: self.refused.load(Acquire),
            lost: self.lost.load(Acquire),
            ..self.excluded.counts()
        };
        coverage.add_up(self.seen.load(Relaxed))
    }

    /// How things stand at one place of the log: of what it says there, all can be counted in the
    /// records before. Only the sequencer knows that.
    pub(crate) fn at(&self, told: Told) -> Coverage {
        let Told { recorded, refused, lost } = told;
        let coverage = Coverage { recorded, refused, lost, ..self.excluded.counts() };
        coverage.add_up(self.seen.load(Relaxed))
    }
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Release);
}

/// What the log says since it was opened, up to some place in it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    /// How many intents and events there are.
    recorded: u64,
    /// How many calls that did not go ahead its gaps tell of.
    refused: u64,
    /// How many calls that went ahead its gaps tell of.
    lost: u64,
}

impl Told {
    /// How many intents and events the log has.
    pub(crate) const fn recorded(&self) -> u64 {
        self.recorded
    }

    /// Goes on behind `entry`.
    pub(crate) fn add(&mut self, entry: &Entry) {
        if entry.submission.as_ref().is_some_and(|submission| submission.role != Role::Outcome) {
            self.recorded += 1;
        }
        if let Some(OwnWords::Gap { refused, lost }) = entry.words {
            self.refused += refused;
            self.lost += lost;
        }
    }
}
