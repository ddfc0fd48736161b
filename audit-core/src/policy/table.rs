//! Finding the rule that decides, without looking at every rule.

use std::sync::Arc;

use crate::record::{Actor, ActorType};

use super::conditions::{Callers, Conditions, is_http, is_verified};
use super::demands::Demands;
use super::name_index::NameIndex;
use super::path::Path;
use super::path_index::{Found, PathIndex};
use super::rule_set::RuleSet;
use super::{Level, Rule, Subject};

/// The most different methods that the rules of one policy may name.
pub(super) const METHODS_LIMIT: usize = 63;

/// For each condition, which rules it holds for. A rule matches where all its conditions hold.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// By the type of a verified caller, and last of all for everybody else.
    callers: [RuleSet; ActorType::ALL.len() + 1],
    methods: Vec<(Box<str>, RuleSet)>,
    /// Rules for every method.
    any_method: RuleSet,
    actor_ids: NameIndex,
    any_actor_id: RuleSet,
    issuers: NameIndex,
    any_issuer: RuleSet,
    actions: NameIndex,
    any_action: RuleSet,
    paths: PathIndex,
    any_path: RuleSet,
    /// Rules that record something.
    recording: RuleSet,
    /// Whether it can make a difference who calls.
    depends_on_caller: bool,
}

/// The rules whose conditions hold, but for those on the caller.
#[derive(Clone, Debug)]
pub(crate) struct Applicable {
    /// However the path is read.
    surely: RuleSet,
    /// In some reading of a path that is not plain.
    maybe: Option<RuleSet>,
}

impl Applicable {
    const fn surely(surely: RuleSet) -> Self {
        Self { surely, maybe: None }
    }
}

impl Table {
    pub(super) fn new(rules: &[Arc<Rule>]) -> Self {
        Self {
            callers: std::array::from_fn(|index| {
                let caller = match ActorType::ALL.get(index) {
                    Some(kind) => Callers::verified(*kind),
                    None => Callers::STRANGER,
                };
                rules_where(rules, |rule| rule.conditions.callers().meets(caller))
            }),
            methods: methods_of(rules),
            any_method: rules_where(rules, |rule| rule.conditions.methods.is_none()),
            actor_ids: NameIndex::new(elements(rules, |conditions| &conditions.actor_ids)),
            any_actor_id: rules_where(rules, |rule| rule.conditions.actor_ids.is_none()),
            issuers: NameIndex::new(elements(rules, |conditions| &conditions.issuers)),
            any_issuer: rules_where(rules, |rule| rule.conditions.issuers.is_none()),
            actions: NameIndex::new(elements(rules, |conditions| &conditions.actions)),
            any_action: rules_where(rules, |rule| rule.conditions.actions.is_none()),
            paths: paths_of(rules),
            any_path: rules_where(rules, |rule| rule.conditions.paths.is_none()),
            recording: rules_where(rules, |rule| rule.level != Level::None),
            depends_on_caller: rules.iter().any(|rule| rule.conditions.depend_on_caller()),
        }
    }

    /// The rules that hold for `subject`, whoever calls.
    pub(super) fn applicable(&self, subject: &Subject<'_>) -> Applicable {
        let admitted = self.methods(subject.method);
        let Some(path) = subject.path.and_then(Path::read) else {
            return Applicable::surely(admitted.and(&self.any_path).and(&self.actions(subject)));
        };
        let found = self.paths(&path);
        if path.is_plain() {
            return Applicable::surely(admitted.and(&found.surely).and(&self.actions(subject)));
        }
        let admitted = admitted.and(&self.recording);
        Applicable {
            surely: admitted.and(&found.surely).and(&self.any_action),
            maybe: Some(admitted.and(&found.maybe).and(&self.actions_in_doubt(subject))),
        }
    }

    /// Whether some rule is not for everybody.
    pub(super) const fn depends_on_caller(&self) -> bool {
        self.depends_on_caller
    }

    /// The position of the rule that decides when `actor` calls, if any of the `applicable` does, and
    /// what is asked when that is more than the rule itself asks.
    pub(super) fn choose(
        &self,
        rules: &[Arc<Rule>],
        applicable: &Applicable,
        actor: &Actor,
    ) -> Option<(usize, Option<Demands>)> {
        let callers = self.callers(actor);
        let surely = applicable.surely.and(&callers).first();
        match &applicable.maybe {
            None => Some((surely?, None)),
            Some(maybe) => strictest(rules, &maybe.and(&callers), surely?),
        }
    }

    fn paths(&self, path: &Path<'_>) -> Found {
        let mut found = Found { surely: self.any_path, maybe: self.any_path };
        self.paths.collect(path, &mut found);
        found
    }

    /// The rules whose actions may match under a path in doubt: the name of a remote procedure comes
    /// out of the path, and is as doubtful.
    fn actions_in_doubt(&self, subject: &Subject<'_>) -> RuleSet {
        if is_http(subject) { self.any_action } else { RuleSet::ALL }
    }

    fn callers(&self, actor: &Actor) -> RuleSet {
        let callers = self.actor_types(actor).and(&self.actor_ids(actor));
        if self.issuers.is_empty() { callers } else { callers.and(&self.issuers(actor)) }
    }

    fn actor_types(&self, actor: &Actor) -> RuleSet {
        let index = if is_verified(actor) { actor.kind as usize } else { ActorType::ALL.len() };
        *self.callers.get(index).unwrap_or(&RuleSet::EMPTY)
    }

    fn actor_ids(&self, actor: &Actor) -> RuleSet {
        let mut ids = self.any_actor_id;
        if let Some(id) = actor.id.as_deref().filter(|_| is_verified(actor)) {
            self.actor_ids.collect(id, &mut ids);
        }
        ids
    }

    fn issuers(&self, actor: &Actor) -> RuleSet {
        let mut issuers = self.any_issuer;
        if let Some(issuer) = actor.issuer.as_deref().filter(|_| is_verified(actor)) {
            self.issuers.collect(issuer, &mut issuers);
        }
        issuers
    }

    fn methods(&self, method: Option<&str>) -> RuleSet {
        let named = method.and_then(|method| self.methods.iter().find(|(name, _)| **name == *method));
        named.map_or(self.any_method, |(_, rules)| *rules)
    }

    fn actions(&self, subject: &Subject<'_>) -> RuleSet {
        let mut actions = self.any_action;
        if !self.actions.is_empty() && !is_http(subject) {
            self.actions.collect(subject.action, &mut actions);
        }
        actions
    }
}

/// For each condition, the rules for which it holds about one subject.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matches {
    pub(super) actor_types: RuleSet,
    pub(super) actor_ids: RuleSet,
    pub(super) issuers: RuleSet,
    pub(super) methods: RuleSet,
    pub(super) paths: Found,
    /// Rules whose actions match however the path is read.
    pub(super) actions: RuleSet,
    /// Rules whose actions match for some reading of the path.
    pub(super) maybe_actions: RuleSet,
    /// Rules that a path in doubt can match at all.
    pub(super) recording: RuleSet,
    pub(super) has_path: bool,
    pub(super) path_in_doubt: bool,
}

impl Matches {
    /// The first rule that matches in every reading of the path.
    pub(super) fn first_sure(&self) -> Option<usize> {
        let callers = self.actor_types.and(&self.actor_ids).and(&self.issuers).and(&self.methods);
        callers.and(&self.paths.surely).and(&self.actions).and(&self.recording).first()
    }
}

impl Table {
    /// What holds about `subject`: the parts of the decision, for people who ask why.
    pub(super) fn matches(&self, subject: &Subject<'_>) -> Matches {
        let path = subject.path.and_then(Path::read);
        let path_in_doubt = path.as_ref().is_some_and(|path| !path.is_plain());
        let without = Found { surely: self.any_path, maybe: self.any_path };
        let actions = if path_in_doubt { self.any_action } else { self.actions(subject) };
        Matches {
            actor_types: self.actor_types(subject.actor),
            actor_ids: self.actor_ids(subject.actor),
            issuers: self.issuers(subject.actor),
            methods: self.methods(subject.method),
            paths: path.as_ref().map_or(without, |path| self.paths(path)),
            actions,
            maybe_actions: if path_in_doubt { self.actions_in_doubt(subject) } else { actions },
            recording: if path_in_doubt { self.recording } else { RuleSet::ALL },
            has_path: path.is_some(),
            path_in_doubt,
        }
    }
}

/// The strictest rule of `maybe` before `surely`, and of that one; the earliest of equals. With it
/// the most that any of them asks, if that is more.
fn strictest(rules: &[Arc<Rule>], maybe: &RuleSet, surely: usize) -> Option<(usize, Option<Demands>)> {
    let before = maybe.iter().take_while(|position| *position < surely);
    let mut candidates = before.chain([surely]).filter_map(|position| Some((position, rules.get(position)?)));
    let first = candidates.next()?;
    let (best, most) = candidates.fold((first, Demands::of(first.1)), |(best, most), next| {
        let best = if next.1.cmp_strictness(best.1).is_gt() { next } else { best };
        (best, most.max(Demands::of(next.1)))
    });
    Some((best.0, (most != Demands::of(best.1)).then_some(most)))
}

fn rules_where(rules: &[Arc<Rule>], holds: impl Fn(&Rule) -> bool) -> RuleSet {
    let mut set = RuleSet::EMPTY;
    for (position, _) in rules.iter().enumerate().filter(|(_, rule)| holds(rule)) {
        set.insert(position);
    }
    set
}

/// The elements of one list of all rules, each with the position of its rule.
fn elements<'a, T: 'a>(
    rules: &'a [Arc<Rule>],
    list: impl Fn(&'a Conditions) -> &'a Option<Box<[T]>>,
) -> impl Iterator<Item = (usize, &'a T)> {
    rules.iter().enumerate().flat_map(move |(position, rule)| {
        let elements = list(&rule.conditions).as_deref().unwrap_or_default();
        elements.iter().map(move |element| (position, element))
    })
}

fn methods_of(rules: &[Arc<Rule>]) -> Vec<(Box<str>, RuleSet)> {
    let any = rules_where(rules, |rule| rule.conditions.methods.is_none());
    let mut methods: Vec<(Box<str>, RuleSet)> = Vec::new();
    for (position, method) in elements(rules, |conditions| &conditions.methods) {
        match methods.iter_mut().find(|(name, _)| name == method) {
            Some((_, rules)) => rules.insert(position),
            None => {
                let mut rules = any;
                rules.insert(position);
                methods.push((method.clone(), rules));
            }
        }
    }
    methods
}

fn paths_of(rules: &[Arc<Rule>]) -> PathIndex {
    let mut index = PathIndex::new();
    for (position, pattern) in elements(rules, |conditions| &conditions.paths) {
        let records_nothing = rules.get(position).is_some_and(|rule| rule.level == Level::None);
        index.insert(position, pattern, records_nothing);
    }
    index
}
