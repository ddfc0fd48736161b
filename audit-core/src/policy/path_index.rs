use super::path::{Path, Segments, decoded_cmp};
use super::path_pattern::{PathPattern, Segment};
use super::rule_set::RuleSet;

/// Which rules a path satisfies, over the patterns of all rules: a tree of their segments.
#[derive(Clone, Debug)]
pub(super) struct PathIndex {
    nodes: Vec<Node>,
}

/// What follows after some segments of patterns.
#[derive(Clone, Debug, Default)]
struct Node {
    /// The next literal segment, sorted, and the node after it.
    literals: Vec<(Box<[u8]>, usize)>,
    /// The node after a `*`.
    any: Option<usize>,
    /// Patterns that end here.
    ends: Vec<Entry>,
    /// Patterns that end with `**` here.
    open: Vec<Entry>,
    /// Patterns with `**` here, and these segments at their end.
    tails: Vec<(Box<[Segment]>, Entry)>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    rule: usize,
    /// Whether the pattern also matches with a `/` at the end.
    takes_final_slash: bool,
}

/// The rules that have a pattern for a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// Rules that match the path however it is read.
    pub(super) surely: RuleSet,
    /// Rules that match some reading of it, those that match all of them included.
    pub(super) maybe: RuleSet,
}

impl PathIndex {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::default()] }
    }

    /// Adds a pattern of the rule at position `rule`. Where the rule `is_literal`, a final `/` of a
    /// path counts as part of its spelling.
    pub(super) fn insert(&mut self, rule: usize, pattern: &PathPattern, is_literal: bool) {
        let mut at = 0;
        for segment in pattern.head() {
            at = self.step(at, segment);
        }
        let entry = Entry { rule, takes_final_slash: !is_literal || pattern.ends_open() };
        let Some(node) = self.nodes.get_mut(at) else {
            return;
        };
        match pattern.tail() {
            None => node.ends.push(entry),
            Some([]) => node.open.push(entry),
            Some(tail) => node.tails.push((tail.into(), entry)),
        }
    }

    /// The node after `segment` from node `at`, made if there is none.
    fn step(&mut self, at: usize, segment: &Segment) -> usize {
        let new = self.nodes.len();
        let Some(node) = self.nodes.get_mut(at) else {
            return at;
        };
        let next = match segment {
            Segment::Any => *node.any.get_or_insert(new),
            Segment::Literal(literal) => match node.literals.binary_search_by(|(known, _)| known.cmp(literal)) {
                Ok(found) => node.literals.get(found).map_or(new, |(_, next)| *next),
                Err(place) => {
                    node.literals.insert(place, (literal.clone(), new));
                    new
                }
            },
        };
        if next == new {
            self.nodes.push(Node::default());
        }
        next
    }

    /// Adds the rules that have a pattern which matches `path`.
    pub(super) fn collect(&self, path: &Path<'_>, found: &mut Found) {
        let walk = Walk { segments: path.segments(), certain: path.certain(), is_sure: true };
        if let Some(root) = self.nodes.first() {
            self.visit(root, walk, path.has_final_slash(), found);
        }
    }

    fn visit(&self, node: &Node, walk: Walk<'_>, final_slash: bool, found: &mut Found) {
        let fits = |entry: &Entry| entry.takes_final_slash || !final_slash;
        if walk.certain == Some(0) {
            return self.visit_doubtful(node, walk.is_sure, found);
        }
        for entry in &node.open {
            found.add(entry, walk.is_sure);
        }
        for (tail, entry) in node.tails.iter().filter(|(_, entry)| fits(entry)) {
            if let Some(is_sure) = walk.ends_with(tail) {
                found.add(entry, is_sure);
            }
        }
        let Some((segment, after)) = walk.next() else {
            let ends = node.ends.iter().filter(|entry| fits(entry));
            return ends.for_each(|entry| found.add(entry, walk.is_sure));
        };
        let mut go = |next: Option<usize>, walk| {
            if let Some(next) = next.and_then(|next| self.nodes.get(next)) {
                self.visit(next, walk, final_slash, found);
            }
        };
        go(node.any.filter(|_| !segment.is_empty()), after);
        go(node.literal(segment), after);
        if segment.contains(&b'%') {
            go(node.decoded_literal(segment), after.in_doubt());
        }
    }

    /// Everything from `node` on may match a path of which nothing more is certain.
    fn visit_doubtful(&self, node: &Node, is_sure: bool, found: &mut Found) {
        for entry in &node.open {
            found.add(entry, is_sure);
        }
        for entry in node.ends.iter().chain(node.tails.iter().map(|(_, entry)| entry)) {
            found.add(entry, false);
        }
        let next = node.literals.iter().map(|(_, next)| *next).chain(node.any);
        for node in next.filter_map(|next| self.nodes.get(next)) {
            self.visit_doubtful(node, false, found);
        }
    }
}

impl Node {
    fn literal(&self, segment: &[u8]) -> Option<usize> {
        let place = self.literals.binary_search_by(|(known, _)| (**known).cmp(segment));
        self.next_at(place)
    }

    fn decoded_literal(&self, segment: &[u8]) -> Option<usize> {
        let place = self.literals.binary_search_by(|(known, _)| decoded_cmp(segment, known).reverse());
        self.next_at(place)
    }

    fn next_at(&self, place: Result<usize, usize>) -> Option<usize> {
        place.ok().and_then(|place| self.literals.get(place)).map(|(_, next)| *next)
    }
}

impl Found {
    fn add(&mut self, entry: &Entry, is_sure: bool) {
        self.maybe.insert(entry.rule);
        if is_sure {
            self.surely.insert(entry.rule);
        }
    }
}

/// How far a path has been followed.
#[derive(Clone, Copy, Debug)]
struct Walk<'a> {
    /// What remains of it.
    segments: Segments<'a>,
    /// How many of these are certain, if not all.
    certain: Option<usize>,
    /// Whether what was followed matched in every reading.
    is_sure: bool,
}

impl<'a> Walk<'a> {
    /// The next segment, and the walk after it.
    fn next(mut self) -> Option<(&'a [u8], Self)> {
        let segment = self.segments.next()?;
        self.certain = self.certain.map(|certain| certain.saturating_sub(1));
        Some((segment, self))
    }

    const fn in_doubt(mut self) -> Self {
        self.is_sure = false;
        self
    }

    /// Whether what remains may end with these segments, and whether it surely does.
    fn ends_with(mut self, tail: &[Segment]) -> Option<bool> {
        if self.certain.is_some() {
            return Some(false);
        }
        for segment in tail.iter().rev() {
            let found = self.segments.next_back()?;
            match segment {
                Segment::Any if !found.is_empty() => {}
                Segment::Literal(literal) if **literal == *found => {}
                Segment::Literal(literal) if decoded_cmp(found, literal).is_eq() => {
                    self.is_sure = false;
                }
                _ => return None,
            }
        }
        Some(self.is_sure)
    }
}
