use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Acquire;
use std::sync::{Arc, OnceLock};

use super::Coverage;
use super::coverage::count;
use crate::policy::Rule;

/// How many rules are told apart. Their names, all as long as they may be, fit into the shortest
/// line that a log may be limited to.
const RULES: usize = 16;

/// How many calls each rule of level `none` excluded.
///
/// Counts outlive the policy: a rule of the same name in the next one goes on counting where it
/// left off. Counting takes no lock and allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct Exclusions {
    /// Filled from the front, one place for each name.
    rules: [OnceLock<Excluded>; RULES],
    others: AtomicU64,
}

#[derive(Debug)]
struct Excluded {
    rule: Arc<Rule>,
    calls: AtomicU64,
}

impl Exclusions {
    /// Counts one call that `rule` excludes.
    pub(crate) fn count(&self, rule: &Arc<Rule>) {
        for place in &self.rules {
            if place.get().is_none() {
                // Whoever comes second finds the place taken, perhaps by this very rule.
                let _ = place.set(Excluded { rule: Arc::clone(rule), calls: AtomicU64::new(0) });
            }
            if let Some(known) = place.get().filter(|known| known.rule.name() == rule.name()) {
                return count(&known.calls);
            }
        }
        count(&self.others);
    }

    /// What has been counted so far, and nothing else.
    pub(crate) fn counts(&self) -> Coverage {
        let mut coverage = Coverage { excluded_by_others: self.others.load(Acquire), ..Coverage::default() };
        let known = self.rules.iter().map_while(OnceLock::get);
        for (rule, calls) in known.map(|known| (&known.rule, known.calls.load(Acquire))).filter(|(_, calls)| *calls > 0)
        {
            coverage.excluded_by_rule.insert(rule.name().to_owned(), calls);
        }
        coverage.excluded = coverage.excluded_by_rule.values().sum::<u64>() + coverage.excluded_by_others;
        coverage
    }
}
