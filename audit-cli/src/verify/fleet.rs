//! Many logs, or one that is compared with copies or with an earlier run.

use std::path::Path;

use audit_backends::{LocationError, Section};
use audit_core::verify::{Fleet, FleetState, LogAt, ReadError, Verdict};

use super::{Question, ending, shown, state, tell};
use crate::ending::{Ending, Failure};
use crate::progress::ProgressLine;
use crate::{location, output};

/// Where the logs of a fleet are, their copies, and what is known of them from before.
#[derive(Debug)]
pub(super) struct Stores<'s> {
    pub(super) section: &'s Section,
    pub(super) replicas: &'s [Section],
    pub(super) state: Option<&'s Path>,
}

impl Stores<'_> {
    /// Verifies the logs that were found, and compares.
    pub(super) fn verify(&self, question: Question, logs: &[String], json: bool) -> Result<Ending, Failure> {
        self.judge(question, logs, self.earlier()?, json)
    }

    /// Says that nothing can be read where the logs should be; or, if they have been seen there before
    /// and now there are none, that they have vanished.
    pub(super) fn missing(&self, question: Question, error: &LocationError, json: bool) -> Result<Ending, Failure> {
        let earlier = self.earlier()?;
        let seen_here = earlier.logs().any(|(_, seen)| location::lies_under(self.section.url(), &seen.location));
        if seen_here && matches!(error, LocationError::Read(ReadError::NotALog { .. })) {
            return self.judge(question, &[], earlier, json);
        }
        tell(&Verdict::unreadable(question.key_source(), error.to_string()), json)
    }

    fn earlier(&self) -> Result<FleetState, Failure> {
        Ok(self.state.map(state::read).transpose()?.unwrap_or_default())
    }

    fn judge(&self, question: Question, logs: &[String], earlier: FleetState, json: bool) -> Result<Ending, Failure> {
        let mut line = ProgressLine::new(None);
        let mut show = |progress| line.show(progress);
        let mut fleet = match logs {
            [log] if location::is_itself(self.section.url(), log) => {
                Fleet::only(location::log_at(self.section, log.clone()))
            }
            logs => Fleet::of(logs.iter().map(|log| location::log_at(self.section, log.clone()))),
        };
        fleet = fleet.now(question.now).earlier(earlier).progress(&mut show);
        if let Some(key) = question.key {
            fleet = fleet.key(key);
        }
        fleet = question.against.into_iter().fold(fleet, Fleet::against);
        for replica in self.replicas {
            fleet = fleet.replica(replica.url(), copies(replica));
        }
        let verdict = fleet.run();
        line.clear();
        if json {
            output::line(verdict.to_json())?;
        } else {
            output::line(shown::fleet(&verdict, output::has_colours()))?;
        }
        self.keep(&verdict.state, ending(verdict.judgement()))
    }

    /// Writes down what was seen, for the next run.
    fn keep(&self, seen: &FleetState, ending: Ending) -> Result<Ending, Failure> {
        match self.state.map(|path| state::write(path, seen)) {
            // What the evidence says weighs more than that it cannot be kept.
            Some(Err(failure)) if ending == Ending::EvidenceSaysNo => {
                failure.report(false);
                Ok(ending)
            }
            Some(Err(failure)) => Err(failure),
            _ => Ok(ending),
        }
    }
}

/// The copies in a store. A store that cannot be read gives one that cannot be read: a comparison that
/// was asked for and did not take place is not left unsaid.
fn copies<'a>(replica: &Section) -> Vec<LogAt<'a>> {
    match replica.logs() {
        Ok(logs) => logs.into_iter().map(|log| location::log_at(replica, log)).collect(),
        Err(error) => {
            let detail = error.to_string();
            vec![LogAt::new(replica.url(), move || Err(ReadError::NotALog { detail: detail.clone() }))]
        }
    }
}
