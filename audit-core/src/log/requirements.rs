use super::OpenError;
use super::demand::Demand;
use super::stores::Stores;
use crate::backend::Durability;
use crate::policy::{Level, Policy};

/// What a rule asks for and a log cannot give.
#[derive(Debug)]
pub(crate) enum Requirement {
    /// The bodies of calls.
    Bodies { rule: String },
    /// Durability or copies.
    Store { rule: String, wanted: Durability, detail: String },
}

impl From<Requirement> for OpenError {
    fn from(requirement: Requirement) -> Self {
        match requirement {
            Requirement::Bodies { rule } => Self::Configuration {
                detail: format!(
                    "policy rule `{rule}` asks for bodies, and the log captures none: call \
                     `.capture_bodies(BodyCapture::new())` on its builder, or use level `metadata`"
                ),
            },
            Requirement::Store { rule, wanted, detail } => Self::Unsatisfiable { rule, wanted, detail },
        }
    }
}

/// Checks that a log can do what every rule of `policy` asks.
pub(crate) fn check_policy(policy: &Policy, stores: &Stores, captures_bodies: bool) -> Result<(), Requirement> {
    if let Some(rule) = policy.needs_body_capture().filter(|_| !captures_bodies) {
        return Err(Requirement::Bodies { rule: rule.to_owned() });
    }
    for rule in policy.deciding().iter().filter(|rule| rule.level() != Level::None) {
        let lacks =
            |detail: String| Requirement::Store { rule: rule.name().to_owned(), wanted: rule.durability(), detail };
        let (wanted, copies) = (rule.durability(), rule.copies());
        if !stores.can_meet(Demand { wanted, copies: 1 }) {
            return Err(lacks(stores.classes()));
        }
        if usize::from(copies) > stores.count() {
            let there = match stores.count() {
                1 => "one backend".to_owned(),
                count => format!("{count} stores"),
            };
            return Err(lacks(format!("it asks for {copies} copies and the log has {there}")));
        }
        if !stores.can_meet(Demand { wanted, copies }) {
            return Err(lacks(format!("it asks for {copies} copies; {}", stores.classes())));
        }
    }
    Ok(())
}
