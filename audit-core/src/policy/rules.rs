use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use crate::backend::Durability;
use crate::evidence::Hash;
use crate::record::Actor;

use super::coverage::covers;
use super::file::Reading;
use super::parse::parse_rules;
use super::table::{Applicable, Table};
use super::{Difference, Level, OnFailure, PolicyError, Rule, Subject};

/// Equivalent text of a policy that is only the implicit last rule.
const DEFAULT_TEXT: &str = r#"# Built in: every policy ends with this rule.
[[rule]]
name = "default"
level = "metadata"
durability = "synced"
copies = 1
on_failure = "deny"
deadline = "1s"
await_outcome = false
"#;

/// The text of [`Policy::observe`].
const OBSERVE_TEXT: &str = r#"# Built in: record everything, refuse nothing.
[[rule]]
name = "observe"
level = "metadata"
durability = "written"
on_failure = "allow"
deadline = "1s"
"#;

/// Which calls are recorded, how durably, and what happens when they cannot be.
///
/// The default policy is only the implicit last rule: everything is recorded and `synced` within
/// one second, or the call is refused.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(super) table: Table,
    pub(super) rules: Box<[Arc<Rule>]>,
    pub(super) last: Arc<Rule>,
    text: Arc<str>,
    digest: Hash,
}

impl Policy {
    /// For a first day: everything is recorded, nothing is refused, losses are recorded as gaps.
    #[must_use]
    pub fn observe() -> Self {
        let mut rule = Rule::named("observe");
        rule.durability = Durability::Written;
        rule.on_failure = OnFailure::Allow;
        Self::new(vec![rule], OBSERVE_TEXT)
    }

    fn new(rules: Vec<Rule>, text: &str) -> Self {
        let last = Arc::new(Rule::named("default"));
        let named = rules.into_iter().map(Arc::new);
        let rules: Box<[_]> = named.chain([last.clone()]).collect();
        Self { table: Table::new(&rules), rules, last, text: text.into(), digest: Hash::digest(text.as_bytes()) }
    }

    /// A policy from TOML text.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Invalid`], with line and column of the first [`Mistake`](super::Mistake).
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        Ok(Self::new(parse_rules(text)?, text))
    }

    /// A policy from a file of TOML text. Blocks while it reads.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or as [`from_toml`](Self::from_toml).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        Reading::of(path.as_ref()).policy
    }

    /// The rules in order. The last one is always the implicit `default`.
    #[must_use]
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// The rules that may decide about something: all of them, but for the implicit last one where an
    /// earlier rule matches every call.
    pub(crate) fn deciding(&self) -> &[Arc<Rule>] {
        match self.rules.split_last() {
            // One that records nothing leaves oddly spelled paths to the last.
            Some((last, earlier)) if earlier.iter().any(|rule| rule.level != Level::None && covers(rule, last)) => {
                earlier
            }
            _ => &self.rules,
        }
    }

    /// The rule that decides about `subject`.
    ///
    /// Owned where the path can be read in more than one way and another rule that some reading leads
    /// to asks more in something: then it has the name of the strictest, and asks the most of all.
    /// Only that allocates. Neither blocks nor panics.
    #[must_use]
    pub fn decide(&self, subject: &Subject<'_>) -> Cow<'_, Arc<Rule>> {
        self.choose(&self.table.applicable(subject), subject.actor)
    }

    /// The rules that apply to `subject`, whoever calls; `None` when it makes no difference who does.
    pub(crate) fn applicable(&self, subject: &Subject<'_>) -> Option<Applicable> {
        self.table.depends_on_caller().then(|| self.table.applicable(subject))
    }

    /// The rule that decides when `actor` calls.
    pub(crate) fn choose(&self, applicable: &Applicable, actor: &Actor) -> Cow<'_, Arc<Rule>> {
        let chosen = self.table.choose(&self.rules, applicable, actor);
        let rule = chosen.and_then(|(position, _)| self.rules.get(position)).unwrap_or(&self.last);
        match chosen {
            Some((_, Some(demands))) => Cow::Owned(Arc::new(demands.made_of(rule))),
            _ => Cow::Borrowed(rule),
        }
    }

    /// The name of the first rule that asks for bodies, if any.
    #[must_use]
    pub fn needs_body_capture(&self) -> Option<&str> {
        self.rules.iter().find(|rule| rule.level().needs_body_capture()).map(|rule| rule.name())
    }

    /// In what `newer` differs from this policy.
    #[must_use]
    pub fn difference(&self, newer: &Self) -> Difference {
        Difference::between(self, newer)
    }

    /// The text the policy was read from; for a built-in policy, text that means the same.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of [`text`](Self::text).
    #[must_use]
    pub const fn digest(&self) -> Hash {
        self.digest
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new(Vec::new(), DEFAULT_TEXT)
    }
}
