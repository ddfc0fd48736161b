use super::name_pattern::NamePattern;
use super::rule_set::RuleSet;

/// Which rules a name satisfies, over the patterns of all rules.
///
/// The texts of the patterns are sorted. Every text that a name starts with also starts the
/// greatest text that is not after the name, so following the links from there finds them all.
#[derive(Clone, Debug, Default)]
pub(super) struct NameIndex {
    entries: Box<[Entry]>,
}

#[derive(Clone, Debug)]
struct Entry {
    text: Box<str>,
    /// The longest of the other texts that `text` starts with.
    parent: Option<usize>,
    /// Rules for this very name.
    exact: Vec<usize>,
    /// Rules for every name that starts like this.
    starts: Vec<usize>,
}

impl NameIndex {
    /// The index of some patterns, each with the position of its rule.
    pub(super) fn new<'a>(patterns: impl Iterator<Item = (usize, &'a NamePattern)>) -> Self {
        let mut sorted: Vec<_> = patterns.collect();
        sorted.sort_by_key(|(_, pattern)| pattern.text());
        let mut entries: Vec<Entry> = Vec::new();
        for (rule, pattern) in sorted {
            if entries.last().is_none_or(|last| *last.text != *pattern.text()) {
                entries.push(Entry {
                    text: pattern.text().into(),
                    parent: parent_of(pattern.text(), &entries),
                    exact: Vec::new(),
                    starts: Vec::new(),
                });
            }
            if let Some(entry) = entries.last_mut() {
                match pattern {
                    NamePattern::Exact(_) => entry.exact.push(rule),
                    NamePattern::StartsWith(_) => entry.starts.push(rule),
                }
            }
        }
        Self { entries: entries.into() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds the rules that have a pattern which matches `name`.
    pub(super) fn collect(&self, name: &str, rules: &mut RuleSet) {
        let not_after = self.entries.partition_point(|entry| *entry.text <= *name);
        let mut at = not_after.checked_sub(1);
        while let Some(entry) = at.and_then(|at| self.entries.get(at)) {
            if name.starts_with(&*entry.text) {
                entry.starts.iter().for_each(|rule| rules.insert(*rule));
                if name.len() == entry.text.len() {
                    entry.exact.iter().for_each(|rule| rules.insert(*rule));
                }
            }
            at = entry.parent;
        }
    }
}

/// The position of the longest text among the sorted `entries` that `text` starts with.
fn parent_of(text: &str, entries: &[Entry]) -> Option<usize> {
    let mut at = entries.len().checked_sub(1);
    while let Some(entry) = at.and_then(|at| entries.get(at)) {
        if text.starts_with(&*entry.text) {
            return at;
        }
        at = entry.parent;
    }
    None
}
