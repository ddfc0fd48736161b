//! What the log says of itself: openings, losses, heartbeats, the clock.

use super::calls::{Calls, OPEN_LIMIT};
use super::counts::Counts;
use super::examine::{Examined, Noted, Times, is_leap, is_step};
use super::findings::Findings;
use super::strays::{Place, Strays};
use super::{Class, Finding, FindingKind};
use crate::record::{Kind, Record, time_text};

/// How many openings that differ from the first are remembered.
const OPENINGS: usize = 64;

/// How many intents without an outcome are listed one by one.
const UNANSWERED: usize = 100;

/// A `log.opened` record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) seq: u64,
    /// The name of the log, `<origin>/<log id>`.
    pub(crate) name: String,
    /// Its verifier key (C2SP vkey text).
    pub(crate) key: String,
    /// After how many records a checkpoint is due.
    pub(crate) checkpoint_records: u64,
    heartbeat: Option<i64>,
}

/// The life of a log, as far as it has been read.
#[derive(Debug, Default)]
pub(crate) struct Life {
    pub(crate) calls: Calls,
    pub(crate) findings: Findings,
    /// Counts that are not those of the records. They say nothing new where records are not as they
    /// were.
    pub(crate) miscounts: Findings,
    /// The first opening, and those that name another log or key.
    pub(crate) openings: Vec<Opening>,
    /// The largest size of a checkpoint that a record speaks of, and the record.
    pub(crate) signed: Option<(u64, u64)>,
    /// Where the present writer opened the log.
    opened: Option<u64>,
    counts: Counts,
    strays: Strays,
    /// How often the present writer promises a record, in microseconds.
    pub(crate) heartbeat: Option<i64>,
    closed: bool,
    latest: Option<i64>,
    last: u64,
    /// Whether the end of the log is further back than a living writer would leave it.
    pub(crate) fell_silent: bool,
}

impl Life {
    /// Takes the next chunk.
    pub(crate) fn add(&mut self, chunk: &Examined) {
        let before = self.calls.recorded;
        let mut places = Vec::new();
        if let Some(times) = &chunk.times {
            self.join(times);
        }
        for note in &chunk.notes {
            match &note.what {
                Noted::Times { from, to } => self.leap(note.seq, *from, *to),
                Noted::Record { kind, line } => {
                    if let Ok(record) = Record::parse(line) {
                        self.record(*kind, &record, before + note.calls_before);
                        places.extend(self.place(*kind, &record).map(|place| (note.seq, place)));
                    }
                }
            }
        }
        if let Some(times) = &chunk.times {
            let latest = self.latest.unwrap_or(times.latest);
            self.latest = Some(if is_step(latest, times.latest) { times.latest } else { times.latest.max(latest) });
            self.last = times.last;
        }
        let strays = self.calls.add(&chunk.calls);
        self.strays.add(&strays, &places, |finding| self.findings.add(finding));
    }

    /// Whether outcomes are compared at this record with what the log says.
    fn place(&self, kind: Kind, record: &Record<'_>) -> Option<Place> {
        match kind {
            Kind::LogOpened => Some(Place::Opened),
            Kind::LogClosed | Kind::Heartbeat => Some(Place::SumUp { excused: self.counts.excused(record) }),
            _ => None,
        }
    }

    /// Compares the first time of a chunk with those before it.
    fn join(&mut self, times: &Times) {
        let (seq, first) = times.first;
        if let Some(latest) = self.latest
            && (is_step(latest, first) || is_leap(latest, first))
        {
            self.leap(seq, latest, first);
        }
    }

    /// Time goes on by more than usual between record `seq` and those before it, or backwards.
    fn leap(&mut self, seq: u64, from: i64, to: i64) {
        if is_step(from, to) {
            let micros = from.saturating_sub(to);
            self.findings.add(
                Finding::new(
                    FindingKind::ClockStep,
                    format!("record {seq} is dated {}, {} before one that precedes it", time_text(to), seconds(micros)),
                )
                .at(seq),
            );
        } else if let Some(limit) = self.silence_limit()
            && to.saturating_sub(from) > limit
        {
            self.findings.add(
                Finding::new(
                    FindingKind::Silent,
                    format!(
                        "no record for {} before record {seq}, though a heartbeat is due every {}",
                        seconds(to.saturating_sub(from)),
                        seconds(self.heartbeat.unwrap_or_default())
                    ),
                )
                .at(seq),
            );
        }
    }

    /// How long the log may be silent, with a tenth, and a second at least, for a late heartbeat.
    fn silence_limit(&self) -> Option<i64> {
        let heartbeat = self.heartbeat.filter(|_| !self.closed)?;
        Some(heartbeat.saturating_add((heartbeat / 10).max(1_000_000)))
    }

    fn record(&mut self, kind: Kind, record: &Record<'_>, recorded: u64) {
        self.closed = kind == Kind::LogClosed;
        match kind {
            Kind::LogOpened => self.opening(record, recorded),
            Kind::LogClosed => self.counts(record, recorded),
            Kind::Heartbeat => {
                self.counts(record, recorded);
                self.claim(record);
            }
            Kind::LogRecovered => {
                self.recovered(record);
                self.claim(record);
            }
            Kind::Gap => self.gap(record),
            _ => {}
        }
    }

    fn opening(&mut self, record: &Record<'_>, recorded: u64) {
        let text = |name| record.text(name).unwrap_or_default();
        let heartbeat = record
            .number("heartbeat_s")
            .and_then(|seconds| i64::try_from(seconds).ok())
            .and_then(|seconds| seconds.checked_mul(1_000_000));
        let opening = Opening {
            seq: record.seq(),
            name: format!("{}/{}", text("origin"), text("log")),
            key: text("key").into_owned(),
            checkpoint_records: record.number("checkpoint_records").unwrap_or(1_024),
            heartbeat,
        };
        self.opened = Some(opening.seq);
        self.counts.open(opening.seq, recorded);
        self.heartbeat = opening.heartbeat;
        let known = self.openings.iter().any(|known| known.name == opening.name && known.key == opening.key);
        if !known && self.openings.len() < OPENINGS {
            self.openings.push(opening);
        }
    }

    /// Notes up to where a record says that the log had been signed.
    fn claim(&mut self, record: &Record<'_>) {
        if let Some(size) = record.number("signed")
            && self.signed.is_none_or(|(known, _)| known < size)
        {
            self.signed = Some((size, record.seq()));
        }
    }

    /// Compares what the log counts with what stands in it.
    fn counts(&mut self, record: &Record<'_>, recorded: u64) {
        let wrong = self.counts.check(record, recorded);
        if !wrong.is_empty() {
            let seq = record.seq();
            let detail = format!("record {seq} does not count what is there: {}", wrong.join("; "));
            self.miscounts.add(Finding::new(FindingKind::Coverage, detail).at(seq));
        }
    }

    fn recovered(&mut self, record: &Record<'_>) {
        let number = |name| record.number(name).unwrap_or_default();
        let (adopted, bytes, lines) = (number("adopted"), number("cut_bytes"), number("cut_lines"));
        let healed = number("healed");
        let mut detail = if healed > 0 {
            let from = record.text("healed_from").unwrap_or_default();
            format!("{healed} records were gone from the primary and were copied back from `{from}`")
        } else {
            format!("the log was not closed in order: {adopted} unsigned records were kept")
        };
        if bytes > 0 {
            detail
                .push_str(&format!(", and {bytes} bytes with {lines} ended lines were cut off and put in quarantine"));
        }
        let class = if bytes > 0 || healed > 0 { Class::Warning } else { Class::Info };
        self.findings.add(Finding::new(FindingKind::Recovered, detail).class(class).at(record.seq()));
    }

    fn gap(&mut self, record: &Record<'_>) {
        let text = |name| record.text(name).unwrap_or_default();
        let detail = format!(
            "the log says that {} records ({}) were lost under rule {:?} between {} and {}: {}; {} of the calls went ahead",
            record.number("count").unwrap_or_default(),
            text("lost"),
            text("policy"),
            text("from"),
            text("to"),
            text("reason"),
            record.number("ran").unwrap_or_default(),
        );
        self.findings.add(Finding::new(FindingKind::Gap, detail).at(record.seq()));
        self.counts.gap(record);
    }

    /// The end of the log, at the time `now` in microseconds since 1970, if it is known.
    pub(crate) fn finish(&mut self, now: Option<i64>) {
        if let (Some(now), Some(latest), Some(limit)) = (now, self.latest, self.silence_limit())
            && now.saturating_sub(latest) > limit
        {
            let seq = self.last;
            self.fell_silent = true;
            self.findings.add(
                Finding::new(
                    FindingKind::Silent,
                    format!(
                        "no record since record {seq}, {} ago, and the log was not closed",
                        seconds(now.saturating_sub(latest))
                    ),
                )
                .at(seq),
            );
        }
        self.unanswered();
        if let Some(seq) = self.calls.given_up {
            self.findings.add(
                Finding::new(
                    FindingKind::OutcomeUnknown,
                    format!(
                        "more than {OPEN_LIMIT} calls are open at once: from here on intents and outcomes are not matched"
                    ),
                )
                .class(Class::Warning)
                .at(seq),
            );
        }
    }

    /// Intents without an outcome: of a writer that is gone, or perhaps still running.
    fn unanswered(&mut self) {
        let unanswered = self.calls.unanswered();
        let opened = self.opened.unwrap_or_default();
        let gone = |seq: u64| seq < opened || self.closed;
        let mut findings = Vec::new();
        for seq in unanswered.iter().take(UNANSWERED).copied() {
            let finding = Finding::new(
                FindingKind::OutcomeUnknown,
                if gone(seq) {
                    "the intent has no outcome: nobody knows how the call ended"
                } else {
                    "the intent has no outcome yet"
                },
            );
            let class = if gone(seq) { Class::Warning } else { Class::Info };
            findings.push(finding.class(class).at(seq));
        }
        let rest = unanswered.get(UNANSWERED..).unwrap_or_default();
        if let (Some(first), Some(last)) = (rest.first(), rest.last()) {
            let class = if gone(*first) { Class::Warning } else { Class::Info };
            findings.push(
                Finding::new(
                    FindingKind::OutcomeUnknown,
                    format!("{} more intents between these have no outcome", rest.len()),
                )
                .class(class)
                .range(*first, *last),
            );
        }
        findings.into_iter().for_each(|finding| self.findings.add(finding));
    }
}

fn seconds(micros: i64) -> String {
    format!("{}.{:03} s", micros / 1_000_000, (micros / 1_000 % 1_000).abs())
}
