//! Outcomes without an intent, against the calls of which the log says that they went ahead
//! without one.

use super::{Finding, FindingKind};

/// A place at which outcomes are compared with what the log says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// A writer opens the log.
    Opened,
    /// A record sums up: so many calls may have gone ahead without an intent since the opening.
    SumUp { excused: u64 },
}

/// The outcomes without an intent since the log was opened.
#[derive(Debug, Default)]
pub(crate) struct Strays {
    count: u64,
    /// The first since the last place.
    first: Option<u64>,
    /// How many have been reported.
    reported: u64,
}

impl Strays {
    /// Takes the strays and the places of one chunk, each in order, and says which strays nothing
    /// excuses.
    pub(crate) fn add(&mut self, strays: &[u64], places: &[(u64, Place)], mut report: impl FnMut(Finding)) {
        let mut rest = strays;
        for (seq, place) in places {
            let (before, after) = rest.split_at(rest.partition_point(|stray| stray < seq));
            self.count(before);
            rest = after;
            match place {
                Place::Opened => *self = Self::default(),
                Place::SumUp { excused } => self.sum_up(*excused).into_iter().for_each(&mut report),
            }
        }
        self.count(rest);
    }

    fn count(&mut self, strays: &[u64]) {
        self.count += strays.len() as u64;
        self.first = self.first.or(strays.first().copied());
    }

    fn sum_up(&mut self, excused: u64) -> Option<Finding> {
        let first = self.first.take();
        let new = self.count.saturating_sub(excused).checked_sub(self.reported).filter(|new| *new > 0)?;
        self.reported += new;
        let detail = format!(
            "{new} outcomes have no intent before them, or more than one outcome, and no gap tells of such a call"
        );
        let finding = Finding::new(FindingKind::Coverage, detail);
        Some(match first {
            Some(first) => finding.at(first),
            None => finding,
        })
    }
}
