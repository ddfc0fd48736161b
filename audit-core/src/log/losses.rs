use std::sync::Arc;
use std::time::SystemTime;

use super::Refused;
use super::submission::{Role, Submission};
use crate::policy::Rule;
use crate::record::{BodyWriter, Kind};

/// How many kinds of loss are kept apart; more are counted together.
const KINDS: usize = 256;

/// Calls whose record is known not to be in the log, until a `gap` record says so.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    pending: Vec<Loss>,
}

/// Calls that were lost for one reason under one rule.
#[derive(Clone, Debug)]
pub(crate) struct Loss {
    /// `None` for what has too many kinds to be kept apart.
    rule: Option<Arc<Rule>>,
    reason: &'static str,
    what: Lost,
    count: u64,
    ran: u64,
    from: SystemTime,
    to: SystemTime,
}

/// Which half of a call is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The intent, and with it the call.
    Intent,
    /// The outcome of a call whose intent may be in the log.
    Outcome,
    /// A single-shot event.
    Event,
}

impl Lost {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Outcome => "outcome",
            Self::Event => "event",
        }
    }
}

impl Losses {
    /// Counts a submission that is not in the log. `ran`: its call goes ahead all the same.
    pub(crate) fn add_submission(&mut self, submission: &Submission, refused: &Refused, ran: bool) {
        let what = match submission.role {
            Role::Intent => Lost::Intent,
            Role::Outcome => Lost::Outcome,
            Role::Event => Lost::Event,
        };
        self.add(&submission.rule, refused.reason(), what, ran);
    }

    /// Counts one loss.
    pub(crate) fn add(&mut self, rule: &Arc<Rule>, reason: &'static str, what: Lost, ran: bool) {
        let now = SystemTime::now();
        let same = |loss: &Loss| {
            loss.reason == reason
                && loss.what == what
                && loss.rule.as_ref().is_some_and(|known| known.name() == rule.name())
        };
        let mut index = self.pending.iter().position(same);
        let (mut named, mut reason) = (Some(Arc::clone(rule)), reason);
        if index.is_none() && self.pending.len() >= KINDS {
            (named, reason) = (None, "several");
            index = self.pending.iter().position(|loss| loss.rule.is_none() && loss.what == what);
        }
        match index.and_then(|index| self.pending.get_mut(index)) {
            Some(loss) => {
                loss.count += 1;
                loss.ran += u64::from(ran);
                loss.to = now;
            }
            None => {
                let ran = u64::from(ran);
                self.pending.push(Loss { rule: named, reason, what, count: 1, ran, from: now, to: now });
            }
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Takes what has been counted, to be written.
    pub(crate) fn take(&mut self) -> Vec<Loss> {
        std::mem::take(&mut self.pending)
    }

    /// The total of what has not been written yet.
    pub(crate) fn total(&self) -> u64 {
        self.pending.iter().map(|loss| loss.count).sum()
    }
}

impl Loss {
    /// How many calls did not go ahead and how many did, of those that the log has nothing of. An
    /// outcome is missing from a call that is counted already.
    pub(crate) const fn calls(&self) -> (u64, u64) {
        match self.what {
            Lost::Intent | Lost::Event => (self.count - self.ran, self.ran),
            Lost::Outcome => (0, 0),
        }
    }

    /// The members of the `gap` record.
    pub(crate) fn encode(&self, line: usize) -> Vec<u8> {
        let mut body = BodyWriter::new(SystemTime::now(), Kind::Gap, line);
        body.word("lost", self.what.as_str());
        body.number("count", self.count);
        body.number("ran", self.ran);
        body.word("reason", self.reason);
        body.time("from", self.from);
        body.time("to", self.to);
        body.finish(self.rule.as_deref().map(Rule::name))
    }
}
