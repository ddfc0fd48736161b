//! Whether what a log counts is what stands in it.

use std::collections::BTreeMap;

use crate::record::Record;

/// What the records of one writer say or show, up to some place.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    /// Intents and events.
    recorded: u64,
    /// Calls that did not go ahead.
    refused: u64,
    /// Calls that went ahead unrecorded.
    lost: u64,
}

/// What stands in the log since it was opened, and what it counts.
///
/// Each count is compared with the one before, so that what is wrong is told once, for the records
/// between the two.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Where the log was opened, if that is in it.
    opened: Option<Opened>,
    /// What the gaps since then tell of.
    gaps: Sums,
    /// How many calls went ahead, as they say, without an intent.
    without_intent: u64,
}

#[derive(Debug, Default)]
struct Opened {
    /// How many intents and events stand before it.
    recorded_before: u64,
    /// The last record with counts, or the opening.
    since: u64,
    /// What stood there and what was counted there.
    found: Sums,
    counted: Counted,
}

/// The member `coverage` of a record.
#[derive(Clone, Debug, Default)]
struct Counted {
    seen: u64,
    excluded: u64,
    told: Sums,
    pending: u64,
    excluded_by: BTreeMap<String, u64>,
    others: u64,
}

impl Counts {
    /// A writer opens the log at record `seq`, behind so many intents and events.
    pub(crate) fn open(&mut self, seq: u64, recorded: u64) {
        self.opened = Some(Opened { recorded_before: recorded, since: seq, ..Opened::default() });
        self.gaps = Sums::default();
        self.without_intent = 0;
    }

    /// Takes what a `gap` tells of. An outcome is missing from a call that is counted already.
    pub(crate) fn gap(&mut self, record: &Record<'_>) {
        if record.text("lost").is_some_and(|lost| lost == "outcome") {
            return;
        }
        let number = |name| record.number(name).unwrap_or_default();
        let (count, ran) = (number("count"), number("ran"));
        self.gaps.refused = self.gaps.refused.saturating_add(count.saturating_sub(ran));
        self.gaps.lost = self.gaps.lost.saturating_add(ran);
        if record.text("lost").is_some_and(|lost| lost == "intent") {
            self.without_intent = self.without_intent.saturating_add(ran);
        }
    }

    /// How many calls may have an outcome and no intent before `record`, a `heartbeat` or
    /// `log.closed`: those that the gaps tell of, and those of which nothing is told yet.
    pub(crate) fn excused(&self, record: &Record<'_>) -> u64 {
        let pending = record.member("coverage").and_then(|coverage| coverage.member("pending")?.number());
        self.without_intent.saturating_add(pending.unwrap_or_default())
    }

    /// Says what is wrong with the counts of a `heartbeat` or `log.closed` with so many intents and
    /// events before it.
    pub(crate) fn check(&mut self, record: &Record<'_>, recorded: u64) -> Vec<String> {
        let mut wrong = Vec::new();
        let Some(counted) = Counted::of(record) else {
            return wrong;
        };
        counted.add_up(&mut wrong);
        if let Some(opened) = &mut self.opened {
            let found = Sums { recorded: recorded.saturating_sub(opened.recorded_before), ..self.gaps };
            opened.compare(record.seq(), found, counted, &mut wrong);
        }
        wrong
    }
}

impl Opened {
    /// Compares counts with the last ones and with what stands between the two.
    fn compare(&mut self, seq: u64, found: Sums, counted: Counted, wrong: &mut Vec<String>) {
        let since = self.since;
        let (told, before) = (counted.told, self.counted.told);
        let rows = [
            ("recorded", told.recorded, before.recorded, found.recorded.saturating_sub(self.found.recorded), "there"),
            ("refused", told.refused, before.refused, found.refused.saturating_sub(self.found.refused), "in gaps"),
            ("lost", told.lost, before.lost, found.lost.saturating_sub(self.found.lost), "in gaps"),
        ];
        for (name, counted, before, found, place) in rows {
            if counted < before {
                wrong.push(format!("`{name}` falls from {before} to {counted}"));
            } else if counted - before != found {
                let more = counted - before;
                wrong.push(format!(
                    "{more} more calls are counted as {name} since record {since}, but {found} are {place}"
                ));
            }
        }
        self.falls(&counted, wrong);
        (self.since, self.found, self.counted) = (seq, found, counted);
    }

    /// Counts of calls only grow.
    fn falls(&self, counted: &Counted, wrong: &mut Vec<String>) {
        let before = &self.counted;
        let mut compare = |name: &str, before: u64, counted: u64| {
            if counted < before {
                wrong.push(format!("`{name}` falls from {before} to {counted}"));
            }
        };
        compare("seen", before.seen, counted.seen);
        compare("excluded", before.excluded, counted.excluded);
        compare("excluded_by_others", before.others, counted.others);
        for (rule, calls) in &before.excluded_by {
            let counted = counted.excluded_by.get(rule).copied().unwrap_or_default();
            compare(&format!("excluded_by_rule.{rule}"), *calls, counted);
        }
    }
}

impl Counted {
    fn of(record: &Record<'_>) -> Option<Self> {
        let coverage = record.member("coverage")?;
        let count = |name| coverage.member(name).and_then(|value| value.number()).unwrap_or_default();
        let told = Sums { recorded: count("recorded"), refused: count("refused"), lost: count("lost") };
        let by_rule = coverage.member("excluded_by_rule").map(|rules| rules.members()).unwrap_or_default();
        Some(Self {
            seen: count("seen"),
            excluded: count("excluded"),
            told,
            pending: count("pending"),
            excluded_by: by_rule
                .into_iter()
                .map(|(rule, calls)| (rule.into_owned(), calls.number().unwrap_or_default()))
                .collect(),
            others: count("excluded_by_others"),
        })
    }

    /// Whether the parts make the whole.
    fn add_up(&self, wrong: &mut Vec<String>) {
        let Sums { recorded, refused, lost } = self.told;
        let sum = [recorded, self.excluded, refused, lost, self.pending];
        let sum = sum.into_iter().fold(0_u64, u64::saturating_add);
        if sum != self.seen {
            wrong.push(format!("{} calls are counted as seen, but {sum} in all", self.seen));
        }
        let by_rule = self.excluded_by.values().copied().fold(self.others, u64::saturating_add);
        let is_split = self.others > 0 || !self.excluded_by.is_empty();
        if is_split && by_rule != self.excluded {
            wrong.push(format!("{} calls are counted as excluded, but {by_rule} by rules", self.excluded));
        }
    }
}
