use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::Durability;

use super::conditions::Conditions;

/// How much of a call is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Nothing.
    None,
    /// Who did what, from where, and how it ended.
    Metadata,
    /// The same, and the request's body.
    Request,
    /// The same, and the bodies of request and response.
    RequestResponse,
}

impl Level {
    /// Every level, least first.
    pub const ALL: [Self; 4] = [Self::None, Self::Metadata, Self::Request, Self::RequestResponse];

    /// The word that stands in a policy.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Metadata => "metadata",
            Self::Request => "request",
            Self::RequestResponse => "request_response",
        }
    }

    /// Whether bodies have to be captured.
    #[must_use]
    pub const fn needs_body_capture(self) -> bool {
        matches!(self, Self::Request | Self::RequestResponse)
    }
}

/// What happens to a call that cannot be recorded in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum OnFailure {
    /// It goes ahead, and the loss is recorded as a gap.
    Allow,
    /// It is refused, and its handler never runs.
    Deny,
}

impl OnFailure {
    /// Both, the lenient one first.
    pub const ALL: [Self; 2] = [Self::Allow, Self::Deny];

    /// The word that stands in a policy.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// One rule of a [`Policy`](super::Policy): whom it is for, and what it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub(super) name: String,
    pub(super) level: Level,
    pub(super) durability: Durability,
    pub(super) copies: u8,
    pub(super) on_failure: OnFailure,
    pub(super) deadline: Duration,
    pub(super) await_outcome: bool,
    pub(super) conditions: Arc<Conditions>,
}

impl Rule {
    /// What a rule asks when its table says nothing: as much as the implicit last rule.
    pub(super) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            level: Level::Metadata,
            durability: Durability::Synced,
            copies: 1,
            on_failure: OnFailure::Deny,
            deadline: Duration::from_secs(1),
            await_outcome: false,
            conditions: Arc::default(),
        }
    }

    /// The rule's name, unique in its policy, at most 64 printable ASCII characters. It stands in
    /// every record the rule decided.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How much of a call is recorded.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// How far an intent must have got before its handler runs. [`Durability::Accepted`] where
    /// nothing is recorded.
    #[must_use]
    pub const fn durability(&self) -> Durability {
        self.durability
    }

    /// In how many of the log's stores an intent must be before its handler runs: 1 to 16.
    #[must_use]
    pub const fn copies(&self) -> u8 {
        self.copies
    }

    /// What happens to a call that cannot be recorded in time. [`OnFailure::Allow`] where nothing
    /// is recorded.
    #[must_use]
    pub const fn on_failure(&self) -> OnFailure {
        self.on_failure
    }

    /// How long a call may wait for its record: 1 ms to 60 s.
    #[must_use]
    pub const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Whether the answer is held back until the outcome is as durable as the intent.
    #[must_use]
    pub const fn await_outcome(&self) -> bool {
        self.await_outcome
    }

    /// Whether this rule is for the same calls as another of the same name, and asks the same.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.cmp_strictness(other).is_eq() && self.deadline == other.deadline && self.conditions == other.conditions
    }

    /// Compares how strict two rules are: `Greater` when this one is stricter.
    ///
    /// `on_failure` counts first, then level, durability, copies and `await_outcome`. So a rule
    /// that asks no more than another in any of them is never the stricter one. Where one asks
    /// more in one thing and the other in another, the earlier of the list decides.
    #[must_use]
    pub fn cmp_strictness(&self, other: &Self) -> Ordering {
        let rank = |rule: &Self| (rule.on_failure, rule.level, rule.durability, rule.copies, rule.await_outcome);
        rank(self).cmp(&rank(other))
    }
}
