use std::collections::HashMap;

use super::{Policy, Rule};

/// In what two policies differ: the names of rules, in the order of the newer policy, or of the
/// older one for those that are gone.
///
/// A rule that was renamed is removed and added. The implicit last rule is in every policy, and
/// never named. Policies whose texts differ in comments only have an empty difference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// Rules that only the newer policy has.
    pub added: Vec<String>,
    /// Rules that only the older policy has.
    pub removed: Vec<String>,
    /// Rules of both that are for other calls now, or ask for something else.
    pub changed: Vec<String>,
    /// Rules of both that come earlier or later among the rules of both: as few as explain the
    /// new order.
    pub moved: Vec<String>,
}

impl Difference {
    /// Whether the policies have the same rules in the same order.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty() && self.moved.is_empty()
    }

    pub(super) fn between(older: &Policy, newer: &Policy) -> Self {
        let named = |policy: &Policy| -> HashMap<String, usize> {
            policy.rules().iter().enumerate().map(|(position, rule)| (rule.name().to_owned(), position)).collect()
        };
        let (before, after) = (named(older), named(newer));
        let known = |rule: &Rule| before.get(rule.name()).and_then(|position| older.rules().get(*position));
        let mut difference = Self::default();
        let mut positions = Vec::new();
        for rule in newer.rules() {
            match known(rule) {
                None => difference.added.push(rule.name().to_owned()),
                Some(earlier) if !earlier.is_same_as(rule) => difference.changed.push(rule.name().to_owned()),
                Some(_) => {}
            }
            if let Some(position) = before.get(rule.name()) {
                positions.push((*position, rule.name()));
            }
        }
        let gone = older.rules().iter().filter(|rule| !after.contains_key(rule.name()));
        difference.removed = gone.map(|rule| rule.name().to_owned()).collect();
        difference.moved = out_of_order(&positions);
        difference
    }
}

/// The names that are left when the longest ascending run of positions, gaps allowed, is taken out.
fn out_of_order(positions: &[(usize, &str)]) -> Vec<String> {
    // `ends[n]`: the element with the lowest position at which a run of n + 1 can end.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(positions.len());
    let position = |index: &usize| positions.get(*index).map(|(position, _)| *position);
    for (index, (here, _)) in positions.iter().enumerate() {
        let length = ends.partition_point(|end| position(end) < Some(*here));
        before.push(length.checked_sub(1).and_then(|previous| ends.get(previous).copied()));
        match ends.get_mut(length) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut stays = vec![false; positions.len()];
    let mut next = ends.last().copied();
    while let Some(index) = next {
        if let Some(stays) = stays.get_mut(index) {
            *stays = true;
        }
        next = before.get(index).copied().flatten();
    }
    positions.iter().zip(stays).filter(|(_, stays)| !stays).map(|((_, name), _)| (*name).to_owned()).collect()
}
