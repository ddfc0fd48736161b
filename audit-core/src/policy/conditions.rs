use crate::record::{Actor, ActorType};

use super::Subject;
use super::name_pattern::NamePattern;
use super::path_pattern::PathPattern;

/// Whom a rule is for. A field that is `None` holds for everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    pub(super) actors: Option<Callers>,
    pub(super) actor_ids: Option<Box<[NamePattern]>>,
    pub(super) issuers: Option<Box<[NamePattern]>>,
    pub(super) methods: Option<Box<[Box<str>]>>,
    pub(super) paths: Option<Box<[PathPattern]>>,
    pub(super) actions: Option<Box<[NamePattern]>>,
}

impl Conditions {
    /// Makes a rule for `GET` one for `HEAD` too, which servers answer with the same handler
    /// (RFC 9110 §9.3.2).
    pub(super) fn treat_head_like_get(&mut self) {
        let Some(methods) = &mut self.methods else {
            return;
        };
        let has = |name: &str| methods.iter().any(|method| **method == *name);
        if has("GET") && !has("HEAD") {
            *methods = methods.iter().cloned().chain(["HEAD".into()]).collect();
        }
    }

    /// Whether they do not hold for every caller.
    pub(super) const fn depend_on_caller(&self) -> bool {
        self.actors.is_some() || self.actor_ids.is_some() || self.issuers.is_some()
    }

    /// The callers for whom `actors` holds, and `actor_ids` and `issuers` can hold.
    pub(super) fn callers(&self) -> Callers {
        let names_somebody = self.actor_ids.is_some() || self.issuers.is_some();
        let everybody = if names_somebody { Callers::VERIFIED } else { Callers::EVERYBODY };
        self.actors.unwrap_or(everybody)
    }
}

/// Whether the action is that of an HTTP request, `METHOD template`: a rule never matches the
/// template, which says less than the path.
pub(super) fn is_http(subject: &Subject<'_>) -> bool {
    subject.method.and_then(|method| subject.action.strip_prefix(method)).is_some_and(|rest| rest.starts_with(' '))
}

/// Whether the actor can match a rule's `actors`, `actor_ids` and `issuers`.
pub(super) fn is_verified(actor: &Actor) -> bool {
    actor.verified && actor.kind != ActorType::Unauthenticated
}

/// A set of callers: verified ones by their type, and all others as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Callers(u8);

impl Callers {
    pub(super) const NOBODY: Self = Self(0);
    pub(super) const STRANGER: Self = Self(1 << 7);
    // Nobody is verified as `unauthenticated`.
    const VERIFIED: Self = Self(!Self::STRANGER.0 & !(1 << ActorType::Unauthenticated as u8));
    const EVERYBODY: Self = Self::VERIFIED.and(Self::STRANGER);

    /// Verified callers of one type. Nobody, for `unauthenticated`.
    pub(super) const fn verified(kind: ActorType) -> Self {
        match kind {
            ActorType::Unauthenticated => Self::NOBODY,
            _ => Self(1 << kind as u8),
        }
    }

    pub(super) const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub(super) const fn meets(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    pub(super) const fn covers(self, others: Self) -> bool {
        others.0 & !self.0 == 0
    }
}
