use std::sync::Arc;

use crate::backend::Durability;

use super::{Level, Rule};

/// What a rule asks of a call besides being refused or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Demands {
    level: Level,
    durability: Durability,
    copies: u8,
    await_outcome: bool,
}

impl Rule {
    /// `rule`, made to ask at least what `other` asks.
    pub(crate) fn asking_as_much(rule: &Arc<Self>, other: &Self) -> Arc<Self> {
        let most = Demands::of(rule).max(Demands::of(other));
        if most == Demands::of(rule) { Arc::clone(rule) } else { Arc::new(most.made_of(rule)) }
    }
}

impl Demands {
    pub(super) fn of(rule: &Rule) -> Self {
        Self {
            level: rule.level(),
            durability: rule.durability(),
            copies: rule.copies(),
            await_outcome: rule.await_outcome(),
        }
    }

    /// The most of both, each by itself.
    pub(super) fn max(self, other: Self) -> Self {
        Self {
            level: self.level.max(other.level),
            durability: self.durability.max(other.durability),
            copies: self.copies.max(other.copies),
            await_outcome: self.await_outcome || other.await_outcome,
        }
    }

    /// `rule` under its own name, asking for this.
    pub(super) fn made_of(self, rule: &Rule) -> Rule {
        Rule {
            name: rule.name.clone(),
            level: self.level,
            durability: self.durability,
            copies: self.copies,
            on_failure: rule.on_failure,
            deadline: rule.deadline,
            await_outcome: self.await_outcome,
            conditions: Arc::clone(&rule.conditions),
        }
    }
}
