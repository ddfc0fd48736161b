//! `audit verify`

mod fleet;
mod replicas;
mod shown;
mod state;

use std::fs;
use std::time::SystemTime;

use audit_backends::Section;
use audit_core::VerifierKey;
use audit_core::evidence::SignedCheckpoint;
use audit_core::verify::{Judgement, KeySource, Verdict, Verifier};

use self::fleet::Stores;
use self::replicas::{Listed, Replica};
use crate::ending::{Ending, Failure};
use crate::progress::ProgressLine;
use crate::{arguments, location, output, times, verifier_key};

/// What is asked, apart from where the log is.
#[derive(Debug)]
struct Question {
    key: Option<VerifierKey>,
    against: Vec<SignedCheckpoint>,
    now: SystemTime,
}

pub(crate) fn run(arguments: &arguments::Verify, json: bool) -> Result<Ending, Failure> {
    let question = Question::read(arguments)?;
    let (section, configured) = arguments.place.stores()?;
    let named = arguments.replica.iter().map(|location| Replica::at(location));
    let replicas: Vec<Replica> = configured.into_iter().map(Replica::from).chain(named).collect();
    replicas.iter().try_for_each(|replica| replica.check(&section))?;
    let state = arguments.fleet_state.as_deref();
    let earlier = state.map(state::read).transpose()?;
    // Before the logs: one that begins meanwhile is then among these, and has not vanished.
    let replicas: Vec<Listed> = replicas.into_iter().map(Replica::list).collect();
    let alone = replicas.is_empty() && state.is_none();
    let stores = Stores { section: &section, replicas, state, earlier: earlier.unwrap_or_default() };
    match section.logs() {
        Ok(logs) => match logs.as_slice() {
            [log] if alone && location::is_itself(&section, log) => one(question, &section, json),
            logs => stores.verify(question, logs, json),
        },
        Err(error) => stores.missing(question, &error, json),
    }
}

impl Question {
    fn read(arguments: &arguments::Verify) -> Result<Self, Failure> {
        let key = arguments.key.as_deref().map(verifier_key::read).transpose()?;
        let mut against = Vec::new();
        for path in &arguments.against {
            let read = |error: String| Failure::new(format!("--against {}: {error}", path.display()));
            let bytes = fs::read(path).map_err(|error| read(error.to_string()))?;
            against.push(SignedCheckpoint::parse(&bytes).map_err(|error| read(error.to_string()))?);
        }
        Ok(Self { key, against, now: times::system(arguments.now.as_deref())? })
    }

    const fn key_source(&self) -> KeySource {
        if self.key.is_some() { KeySource::Pinned } else { KeySource::LogPub }
    }
}

/// Verifies one log that is compared with no other.
fn one(question: Question, section: &Section, json: bool) -> Result<Ending, Failure> {
    let source = question.key_source();
    let mut verifier = Verifier::new().now(question.now);
    if let Some(key) = question.key {
        verifier = verifier.key(key);
    }
    verifier = question.against.into_iter().fold(verifier, Verifier::against);
    let verdict = match section.reader() {
        Ok(log) => {
            let mut line = ProgressLine::new(log.size_hint());
            let mut show = |progress| line.show(progress);
            let verdict = verifier.progress(&mut show).run(&*log);
            line.clear();
            verdict
        }
        Err(error) => Verdict::unreadable(source, error.to_string()),
    };
    tell(&verdict, json)
}

/// Says what came of one log.
fn tell(verdict: &Verdict, json: bool) -> Result<Ending, Failure> {
    if json {
        output::line(verdict.to_json())?;
    } else {
        output::line(shown::verdict(verdict, output::has_colours()))?;
    }
    Ok(ending(verdict.judgement()))
}

const fn ending(judgement: Judgement) -> Ending {
    match judgement {
        Judgement::Intact => Ending::AsItShouldBe,
        Judgement::Tampered => Ending::EvidenceSaysNo,
        _ => Ending::CouldNotTell,
    }
}
