//! Finding the first rule that matches, without looking at every rule.

use std::collections::HashMap;
use std::sync::Arc;

use super::conditions::{Callers, is_http};
use super::fit::Fit;
use super::path::{Path, segments};
use super::path_pattern::PathPattern;
use super::{Level, Rule, Subject};

/// The most different methods that the rules of one policy may name.
pub(super) const METHODS_LIMIT: usize = 63;

/// The rules of a policy, arranged for [`Table::decide`]. Positions are those of the rules.
#[derive(Clone, Debug)]
pub(super) struct Table {
    gates: Box<[Gate]>,
    /// Every method that some rule names; its position is its bit in a [`Gate`].
    methods: Box<[Box<str>]>,
    /// Rules without `paths`, in order.
    anywhere: Box<[usize]>,
    /// Rules with `paths`, in order, under the literal segments their patterns start with.
    by_start: HashMap<Box<[u8]>, Vec<Candidate>>,
    /// The most segments of a key of `by_start`.
    deepest: usize,
}

/// What is cheapest to know about a rule.
#[derive(Clone, Copy, Debug)]
struct Gate {
    callers: Callers,
    methods: u64,
    has_names: bool,
    level: Level,
}

#[derive(Clone, Debug)]
struct Candidate {
    rule: usize,
    /// What remains of the pattern after its literal start.
    rest: PathPattern,
}

/// The bit of every method that no rule names, and of no method.
const OTHER_METHOD: u64 = 1 << METHODS_LIMIT;

impl Table {
    pub(super) fn new(rules: &[Arc<Rule>]) -> Self {
        let mut table = Self {
            gates: Box::default(),
            methods: Box::default(),
            anywhere: Box::default(),
            by_start: HashMap::new(),
            deepest: 0,
        };
        let mut methods = Vec::new();
        let mut anywhere = Vec::new();
        let mut gates = Vec::new();
        for (position, rule) in rules.iter().enumerate() {
            gates.push(Gate::new(rule, &mut methods));
            match &rule.conditions.paths {
                None => anywhere.push(position),
                Some(patterns) => table.add_patterns(position, patterns),
            }
        }
        table.gates = gates.into();
        table.methods = methods.into();
        table.anywhere = anywhere.into();
        table
    }

    fn add_patterns(&mut self, rule: usize, patterns: &[PathPattern]) {
        for pattern in patterns {
            let (start, depth, rest) = pattern.split_literal_start();
            self.deepest = self.deepest.max(depth);
            let candidates = self.by_start.entry(start.into()).or_default();
            candidates.push(Candidate { rule, rest });
        }
    }

    /// The position of the rule that decides about `subject`; the last of `rules` if no other does.
    pub(super) fn decide(&self, rules: &[Arc<Rule>], subject: &Subject<'_>) -> usize {
        let caller = Caller { callers: Callers::of(subject.actor), method: self.method_bit(subject.method) };
        match subject.path.and_then(Path::read) {
            None => self.first_anywhere(rules, subject, caller, rules.len()),
            Some(path) if path.is_plain() => self.first(rules, subject, caller, &path),
            Some(path) => self.strictest(rules, subject, caller, &path),
        }
    }

    fn method_bit(&self, method: Option<&str>) -> u64 {
        let position = method.and_then(|method| self.methods.iter().position(|known| **known == *method));
        position.map_or(OTHER_METHOD, |position| 1 << position)
    }

    /// The first rule without `paths` that matches, if it comes before `limit`.
    fn first_anywhere(&self, rules: &[Arc<Rule>], subject: &Subject<'_>, caller: Caller, limit: usize) -> usize {
        let before = self.anywhere.iter().copied().take_while(|rule| *rule < limit);
        let mut before = before.filter(|rule| self.admits(rules, *rule, subject, caller));
        before.next().unwrap_or(limit)
    }

    /// The first rule that matches a subject with a plain path.
    fn first(&self, rules: &[Arc<Rule>], subject: &Subject<'_>, caller: Caller, path: &Path<'_>) -> usize {
        let mut first = rules.len();
        let body = path.body();
        let mut end = 0;
        for depth in 0..=self.deepest {
            let (start, rest) = body.split_at_checked(end).unwrap_or((body, &[]));
            let rest = rest.strip_prefix(b"/").unwrap_or(rest);
            for candidate in self.by_start.get(start).map_or(&[][..], Vec::as_slice) {
                if candidate.rule >= first {
                    break;
                }
                if candidate.rest.fit_segments(segments(rest)) == Fit::Yes
                    && self.allows_final_slash(candidate, path)
                    && self.admits(rules, candidate.rule, subject, caller)
                {
                    first = candidate.rule;
                }
            }
            if end == body.len() {
                break;
            }
            let next = if depth == 0 { 0 } else { end + 1 };
            let after = body.get(next..).unwrap_or_default();
            end = next + after.iter().position(|byte| *byte == b'/').unwrap_or(after.len());
        }
        self.first_anywhere(rules, subject, caller, first)
    }

    /// Rules that record nothing are for the path as it is spelled; to all others a final `/` makes
    /// no difference.
    fn allows_final_slash(&self, candidate: &Candidate, path: &Path<'_>) -> bool {
        !path.has_final_slash()
            || candidate.rest.ends_open()
            || self.gates.get(candidate.rule).is_none_or(|gate| gate.level != Level::None)
    }

    /// The strictest of all rules that match some reading of an odd path, up to the first that
    /// matches all of them. Rules that record nothing do not count.
    fn strictest(&self, rules: &[Arc<Rule>], subject: &Subject<'_>, caller: Caller, path: &Path<'_>) -> usize {
        let mut strictest: Option<(usize, &Rule)> = None;
        for (position, rule) in rules.iter().enumerate() {
            let fit = self.fit(position, rule, subject, caller, path);
            let stricter = |(_, known): (usize, &Rule)| rule.cmp_strictness(known).is_gt();
            if fit > Fit::No && strictest.is_none_or(stricter) {
                strictest = Some((position, rule));
            }
            if fit == Fit::Yes {
                break;
            }
        }
        strictest.map_or(rules.len(), |(position, _)| position)
    }

    fn fit(&self, position: usize, rule: &Rule, subject: &Subject<'_>, caller: Caller, path: &Path<'_>) -> Fit {
        let conditions = &rule.conditions;
        let admitted = self.gates.get(position).is_some_and(|gate| gate.admits(caller));
        if rule.level == Level::None || !admitted || !conditions.actor_id_matches(subject.actor) {
            return Fit::No;
        }
        // The name of a remote procedure comes out of the path, and is as doubtful.
        let action = match conditions.actions {
            None => Fit::Yes,
            Some(_) if is_http(subject) => Fit::No,
            Some(_) => Fit::Maybe,
        };
        let path = conditions.paths.as_ref().map_or(Fit::Yes, |patterns| {
            let fits = patterns.iter().map(|pattern| pattern.fit(path));
            fits.max().unwrap_or(Fit::No)
        });
        action.min(path)
    }

    /// Whether everything but the path of `rule` matches.
    fn admits(&self, rules: &[Arc<Rule>], rule: usize, subject: &Subject<'_>, caller: Caller) -> bool {
        let Some(gate) = self.gates.get(rule).filter(|gate| gate.admits(caller)) else {
            return false;
        };
        !gate.has_names
            || rules.get(rule).is_some_and(|rule| {
                rule.conditions.actor_id_matches(subject.actor) && rule.conditions.action_matches(subject)
            })
    }
}

/// Who asks, and with what method, as bits.
#[derive(Clone, Copy, Debug)]
struct Caller {
    callers: Callers,
    method: u64,
}

impl Gate {
    /// The gate of `rule`, whose methods are added to `known`.
    fn new(rule: &Rule, known: &mut Vec<Box<str>>) -> Self {
        let conditions = &rule.conditions;
        let mut methods = if conditions.methods.is_none() { u64::MAX } else { 0 };
        for method in conditions.methods.iter().flatten() {
            let position = known.iter().position(|name| name == method).unwrap_or_else(|| {
                known.push(method.clone());
                known.len() - 1
            });
            methods |= 1 << position.min(METHODS_LIMIT);
        }
        Self {
            callers: conditions.callers(),
            methods,
            has_names: conditions.actor_ids.is_some() || conditions.actions.is_some(),
            level: rule.level,
        }
    }

    const fn admits(&self, caller: Caller) -> bool {
        self.callers.meets(caller.callers) && self.methods & caller.method != 0
    }
}
