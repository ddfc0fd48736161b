//! Many logs, or one that is compared with copies or with an earlier run.

use std::path::Path;

use audit_backends::{LocationError, Section};
use audit_core::verify::{Fleet, FleetState, FleetVerdict, LogAt, ReadError, Verdict};

use super::replicas::Listed;
use super::{Question, ending, shown, state, tell};
use crate::ending::{Ending, Failure};
use crate::progress::ProgressLine;
use crate::safe_text::safe;
use crate::{location, output};

/// Where the logs of a fleet are, their copies, and what is known of them from before.
#[derive(Debug)]
pub(super) struct Stores<'s> {
    pub(super) section: &'s Section,
    pub(super) replicas: Vec<Listed>,
    pub(super) state: Option<&'s Path>,
    pub(super) earlier: FleetState,
}

/// What is at the location.
#[derive(Debug)]
enum Found {
    /// The one log that it names.
    One(LogAt<'static>),
    /// The logs under it.
    Many(Vec<LogAt<'static>>),
    Nothing,
}

impl Stores<'_> {
    /// Verifies the logs that were found, and compares.
    pub(super) fn verify(self, question: Question, logs: &[String], json: bool) -> Result<Ending, Failure> {
        self.replicas.iter().try_for_each(|replica| replica.check(self.section, logs))?;
        let mut found = logs.iter().map(|log| location::log_at(self.section, log.clone()));
        let found = match logs {
            [log] if location::is_itself(self.section, log) => found.next().map_or(Found::Nothing, Found::One),
            _ => Found::Many(found.collect()),
        };
        self.judge(question, found, json)
    }

    /// Says that nothing can be read where the logs should be; or, if they have been seen there before
    /// or copies of them are elsewhere, and now there are none, that they have vanished.
    pub(super) fn missing(self, question: Question, error: &LocationError, json: bool) -> Result<Ending, Failure> {
        let place = self.section.place();
        // A setting that the store does not take is a mistake, not a loss.
        let copied = !self.replicas.is_empty() && self.section.backend().is_ok();
        let gone = matches!(error, LocationError::Read(ReadError::NotALog { .. }));
        if gone && (copied || self.earlier.knows(&place)) {
            eprintln!("audit: {}", safe(&error.to_string()));
            if copied {
                eprintln!("audit: what its replicas hold is copied back when the log is opened with them");
            }
            return self.judge(question, Found::Nothing, json);
        }
        tell(&Verdict::unreadable(question.key_source(), error.to_string()), json)
    }

    fn judge(self, question: Question, found: Found, json: bool) -> Result<Ending, Failure> {
        let mut line = ProgressLine::new(None);
        let mut show = |progress| line.show(progress);
        let mut fleet = match found {
            Found::One(log) => Fleet::only(log),
            Found::Many(logs) => Fleet::of(logs),
            Found::Nothing => Fleet::of([]).under(self.section.place()),
        };
        fleet = fleet.now(question.now).earlier(self.earlier.clone()).progress(&mut show);
        if let Some(key) = question.key {
            fleet = fleet.key(key);
        }
        fleet = question.against.into_iter().fold(fleet, Fleet::against);
        let verdict = self.replicas.into_iter().fold(fleet, |fleet, replica| fleet.copies(replica.copies)).run();
        line.clear();
        if json {
            output::line(verdict.to_json())?;
        } else {
            output::line(shown::fleet(&verdict, output::has_colours()))?;
        }
        let ending = ending(verdict.judgement());
        let Some(path) = self.state else {
            return Ok(ending);
        };
        tell_if_unknown(path, self.section, &self.earlier, &verdict);
        keep(path, &verdict.state, ending)
    }
}

/// Says that an earlier run saw other logs only: then nothing was compared with it.
fn tell_if_unknown(path: &Path, section: &Section, earlier: &FleetState, verdict: &FleetVerdict) {
    let mut own = verdict.logs.iter().filter(|log| !log.replica).filter_map(|log| log.log.as_deref());
    let known = own.any(|name| earlier.logs().any(|(seen, _)| seen == name)) || earlier.knows(&section.place());
    if earlier.logs().next().is_some() && !known {
        let (path, url) = (path.display(), safe(section.url()));
        eprintln!("audit: {path} knows no log at {url}: there is nothing to compare with yet");
    }
}

/// Writes down what was seen, for the next run.
fn keep(path: &Path, seen: &FleetState, ending: Ending) -> Result<Ending, Failure> {
    match state::write(path, seen) {
        // What the evidence says weighs more than that it cannot be kept.
        Err(failure) if ending == Ending::EvidenceSaysNo => {
            failure.report(false);
            Ok(ending)
        }
        Err(failure) => Err(failure),
        Ok(()) => Ok(ending),
    }
}
