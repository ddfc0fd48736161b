//! What an actor that is established after the intent changes.

use std::sync::Arc;

use super::demand::Demand;
use super::submission::Submission;
use crate::policy::{Applicable, Policy, Rule};
use crate::record::Actor;

/// What is needed to decide again about a call, once it is known who calls. Of fixed size.
#[derive(Debug)]
pub(crate) struct Later {
    /// The policy that decided about the intent.
    pub(crate) policy: Arc<Policy>,
    pub(crate) applicable: Applicable,
}

/// The rule that an actor brought who was established after the intent. It is stricter than the one
/// that decided about the intent, which holds all the same.
#[derive(Clone, Debug)]
pub(crate) struct Tightened {
    pub(crate) rule: Arc<Rule>,
    pub(crate) demand: Demand,
    pub(crate) await_outcome: bool,
}

impl Tightened {
    /// What `actor` makes of a call under the rule of `submission`, or under the one that an earlier
    /// actor brought. `None` when that is not stricter: an actor never loosens a rule.
    pub(crate) fn by(submission: &Submission, earlier: Option<&Self>, actor: &Actor) -> Option<Self> {
        let later = submission.later.as_ref().filter(|_| actor.verified)?;
        let rule = later.policy.choose(&later.applicable, actor);
        let (now, demand, await_outcome) = match earlier {
            Some(earlier) => (&earlier.rule, earlier.demand, earlier.await_outcome),
            None => (&submission.rule, submission.demand, submission.rule.await_outcome()),
        };
        rule.cmp_strictness(now).is_gt().then(|| Self {
            // A rule that is stricter as a whole may ask less in some things.
            rule: Rule::asking_as_much(&rule, now),
            demand: Demand { wanted: demand.wanted.max(rule.durability()), copies: demand.copies.max(rule.copies()) },
            await_outcome: await_outcome || rule.await_outcome(),
        })
    }
}
