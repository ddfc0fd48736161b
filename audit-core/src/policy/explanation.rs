//! Why a policy decides as it does.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::conditions::{is_http, is_verified};
use super::table::Matches;
use super::{Level, Policy, Rule, Subject};

/// Which rule decides about a subject, and why no rule before it does: see [`Policy::explain`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation<'p> {
    /// The rule that decides, as [`Policy::decide`] gives it.
    pub rule: Cow<'p, Arc<Rule>>,
    /// Its place in the policy, counted from 0.
    pub position: usize,
    /// Whether the path can be read in more than one way, so that the strictest rule that some
    /// reading leads to decides, and not the first.
    pub path_in_doubt: bool,
    /// The other rules that were considered, in their order. All stand before `rule`, unless the
    /// path is in doubt.
    pub passed_over: Vec<PassedOver<'p>>,
}

/// A rule that does not decide.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PassedOver<'p> {
    /// The rule.
    pub rule: &'p Arc<Rule>,
    /// Why not: every reason there is, and at least one.
    pub because: Vec<Mismatch>,
}

/// Why a rule does not decide about a subject. Its text says it in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mismatch {
    /// It asks for a verified actor, and nobody verified this one.
    Unverified,
    /// It is for other types of actors.
    ActorType,
    /// It is for actors with other ids, or the actor has none.
    ActorId,
    /// It is for actors for whom others vouch, or nobody vouches for this one.
    Issuer,
    /// It is for other methods.
    Method,
    /// It is for methods, and the subject has none.
    NoMethod,
    /// It is for other paths.
    Path,
    /// It is for paths, and the subject has none.
    NoPath,
    /// It records nothing, and the path can be read in more than one way.
    PathInDoubt,
    /// It is for other actions.
    Action,
    /// It is for the actions of spans and remote procedures, and this is an HTTP request.
    HttpAction,
    /// The path can be read so that the rule matches; the rule that decides is as strict or
    /// stricter.
    NotStrictest,
}

impl Mismatch {
    /// One word for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::ActorType => "actor_type",
            Self::ActorId => "actor_id",
            Self::Issuer => "issuer",
            Self::Method => "method",
            Self::NoMethod => "no_method",
            Self::Path => "path",
            Self::NoPath => "no_path",
            Self::PathInDoubt => "path_in_doubt",
            Self::Action => "action",
            Self::HttpAction => "http_action",
            Self::NotStrictest => "not_strictest",
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unverified => "it is for verified actors, and nobody verified this one",
            Self::ActorType => "it is for other types of actors",
            Self::ActorId => "it is for actors with other ids",
            Self::Issuer => "it is for actors of other issuers",
            Self::Method => "it is for other methods",
            Self::NoMethod => "it is for certain methods, and there is none",
            Self::Path => "it is for other paths",
            Self::NoPath => "it is for certain paths, and there is none",
            Self::PathInDoubt => "it records nothing, and so matches no path that can be read in more than one way",
            Self::Action => "it is for other actions",
            Self::HttpAction => "it is for actions of spans and remote procedures, and this is an HTTP request",
            Self::NotStrictest => {
                "the path can be read so that it matches, and the rule that decides is as strict or stricter"
            }
        })
    }
}

impl Policy {
    /// Says which rule decides about `subject`, as [`decide`](Self::decide) does, and why no rule
    /// before it does. Allocates a list; meant for people who write policies.
    ///
    /// ```
    /// use audit_core::policy::{Mismatch, Policy, Subject};
    /// use audit_core::record::Actor;
    ///
    /// let policy = Policy::from_toml("[[rule]]\nname = \"robots\"\nactors = [\"service_account\"]\non_failure = \"allow\"\n")?;
    /// let claimed = Actor::service_account("settler");
    /// let explanation = policy.explain(&Subject::new(&claimed, "ledger.rotate"));
    /// assert_eq!(explanation.rule.name(), "default");
    /// assert_eq!(explanation.passed_over[0].because, [Mismatch::Unverified]);
    /// # Ok::<(), audit_core::policy::PolicyError>(())
    /// ```
    #[must_use]
    pub fn explain(&self, subject: &Subject<'_>) -> Explanation<'_> {
        let last = self.rules.len().saturating_sub(1);
        let applicable = self.table.applicable(subject);
        let position =
            self.table.choose(&self.rules, &applicable, subject.actor).map_or(last, |(position, _)| position);
        let rule = self.choose(&applicable, subject.actor);
        let matches = self.table.matches(subject);
        // With a path in doubt, every rule counts up to the first that matches in every reading.
        let considered = matches.first_sure().unwrap_or(last);
        let others = self.rules.iter().enumerate().take(considered + 1).filter(|(other, _)| *other != position);
        let passed_over = others
            .map(|(other, rule)| PassedOver { rule, because: mismatches(&matches, other, rule, subject) })
            .collect();
        Explanation { rule, position, path_in_doubt: matches.path_in_doubt, passed_over }
    }
}

/// Every reason why the rule at `position` does not decide about `subject`, given that it does not.
fn mismatches(matches: &Matches, position: usize, rule: &Rule, subject: &Subject<'_>) -> Vec<Mismatch> {
    let mut because = Vec::new();
    let about_actor = [
        (&matches.actor_types, Mismatch::ActorType),
        (&matches.actor_ids, Mismatch::ActorId),
        (&matches.issuers, Mismatch::Issuer),
    ];
    let misfits = about_actor.into_iter().filter(|(rules, _)| !rules.contains(position));
    because.extend(misfits.map(|(_, reason)| reason));
    if !because.is_empty() && !is_verified(subject.actor) {
        because = vec![Mismatch::Unverified];
    }
    if !matches.methods.contains(position) {
        because.push(if subject.method.is_some() { Mismatch::Method } else { Mismatch::NoMethod });
    }
    if matches.path_in_doubt && rule.level == Level::None {
        because.push(Mismatch::PathInDoubt);
    } else if !matches.paths.maybe.contains(position) {
        because.push(if matches.has_path { Mismatch::Path } else { Mismatch::NoPath });
    }
    if !matches.maybe_actions.contains(position) {
        because.push(if is_http(subject) { Mismatch::HttpAction } else { Mismatch::Action });
    }
    if because.is_empty() {
        because.push(Mismatch::NotStrictest);
    }
    because
}
