//! A rule in words.

use std::fmt;
use std::time::Duration;

use super::conditions::Callers;
use super::name_pattern::NamePattern;
use super::path_pattern::{PathPattern, Segment};
use super::{Level, OnFailure, Rule};
use crate::backend::Durability;
use crate::record::ActorType;

impl Rule {
    /// Whom the rule is for, as a policy spells it: each key that is set, with its elements, in
    /// the order of the documentation. A rule that records and names `GET` names `HEAD` as well.
    /// Empty for a rule that matches everything. Allocates.
    #[must_use]
    pub fn conditions(&self) -> Vec<(&'static str, Vec<String>)> {
        let conditions = &self.conditions;
        let actors = conditions.actors.map(|actors| {
            let named = ActorType::ALL.into_iter().filter(|kind| actors.meets(Callers::verified(*kind)));
            named.map(|kind| kind.as_str().to_owned()).collect()
        });
        let lists = [
            ("actors", actors),
            ("actor_ids", conditions.actor_ids.as_deref().map(texts)),
            ("issuers", conditions.issuers.as_deref().map(texts)),
            ("methods", conditions.methods.as_deref().map(texts)),
            ("paths", conditions.paths.as_deref().map(texts)),
            ("actions", conditions.actions.as_deref().map(texts)),
        ];
        lists.into_iter().filter_map(|(key, list)| Some((key, list?))).collect()
    }

    /// What the rule means for a call it decides about, in sentences for people. Allocates.
    #[must_use]
    pub fn meaning(&self) -> Vec<String> {
        let Some(recorded) = recorded(self.level) else {
            return vec!["The call is not recorded, and goes ahead.".to_owned()];
        };
        let mut sentences = vec![format!("{recorded}.")];
        let deadline = Spelled(self.deadline);
        let reached = reached(self.durability);
        let copies = if self.copies > 1 { format!(", in {} stores", self.copies) } else { String::new() };
        sentences.push(match self.durability {
            Durability::Accepted => "Its handler runs as soon as the intent is queued in this process.".to_owned(),
            _ => format!("Its handler runs when the intent {reached}{copies}, which may take up to {deadline}."),
        });
        sentences.push(match self.on_failure {
            OnFailure::Deny => {
                "If that does not happen in time, the call is refused and its handler never runs.".to_owned()
            }
            OnFailure::Allow => {
                "If that does not happen in time, the call goes ahead, and the loss is recorded as a gap.".to_owned()
            }
        });
        sentences.push(match (self.await_outcome, self.durability) {
            (true, Durability::Accepted) | (false, _) => "The answer does not wait for the outcome to be recorded.".to_owned(),
            (true, _) => format!("The answer waits until the outcome {reached} too, for up to another {deadline}; then it goes out all the same."),
        });
        sentences
    }
}

const fn recorded(level: Level) -> Option<&'static str> {
    match level {
        Level::None => None,
        Level::Metadata => Some("The call is recorded: who did what, from where, and how it ended"),
        Level::Request => Some("The call is recorded, with the request's body"),
        Level::RequestResponse => Some("The call is recorded, with the bodies of request and response"),
    }
}

const fn reached(durability: Durability) -> &'static str {
    match durability {
        Durability::Accepted => "is queued",
        Durability::Written => "is written and survives a crash of this process",
        Durability::Synced => "is on stable storage",
        Durability::Replicated => "is on two machines or more",
        Durability::Locked => "is in a store that refuses deletion to everyone",
    }
}

fn texts(elements: &[impl ToString]) -> Vec<String> {
    elements.iter().map(ToString::to_string).collect()
}

/// A deadline as a policy spells it.
struct Spelled(Duration);

impl fmt::Display for Spelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_millis() {
            millis if millis % 1_000 == 0 => write!(f, "{}s", millis / 1_000),
            millis => write!(f, "{millis}ms"),
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(text) => f.write_str(text),
            Self::StartsWith(text) => write!(f, "{text}*"),
        }
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str("/");
        }
        self.head().iter().try_for_each(|segment| write!(f, "/{segment}"))?;
        if let Some(tail) = self.tail() {
            f.write_str("/**")?;
            tail.iter().try_for_each(|segment| write!(f, "/{segment}"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Literal(bytes) => f.write_str(&String::from_utf8_lossy(bytes)),
        }
    }
}
