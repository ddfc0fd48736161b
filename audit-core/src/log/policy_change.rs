//! Replacing the rules of a log that is open.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

use super::queue::Entry;
use super::requirements::{Requirement, check_policy};
use super::shared::{Shared, lock};
use super::{AuditLog, Refused};
use crate::backend::Durability;
use crate::evidence::Hash;
use crate::policy::{Difference, Policy, PolicyError};
use crate::record::{BodyWriter, Kind};

/// How many rules one list of a `policy.changed` record names.
const NAMES: usize = 64;

/// What replacing the rules changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyChange {
    /// SHA-256 of the policy that is no longer in force.
    pub previous: Hash,
    /// SHA-256 of the policy that is in force now.
    pub digest: Hash,
    /// In what the two differ.
    pub difference: Difference,
}

/// Why the rules of a log were not replaced. The earlier ones stay in force, whole.
#[derive(Debug)]
#[non_exhaustive]
pub enum ChangePolicyError {
    /// The file cannot be read, or what is in it is no policy.
    Policy(PolicyError),
    /// A rule asks for more than the log's store can give.
    Unsatisfiable {
        /// The rule that asks.
        rule: String,
        /// How durable it wants intents to be.
        wanted: Durability,
        /// What is missing.
        detail: String,
    },
    /// A rule asks for bodies, and the log was opened without capturing them.
    BodiesNotCaptured {
        /// The rule that asks.
        rule: String,
    },
    /// The log was opened without [`Builder::policy_file`](super::Builder::policy_file): there is
    /// nothing to read again.
    NoFile,
    /// The change could not be recorded, and so it was not made.
    NotRecorded(Refused),
}

impl ChangePolicyError {
    /// Whether the same rules may be taken if they are given again later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Policy(PolicyError::Read { .. }) => true,
            Self::NotRecorded(refused) => refused.is_retryable(),
            _ => false,
        }
    }
}

impl From<Requirement> for ChangePolicyError {
    fn from(requirement: Requirement) -> Self {
        match requirement {
            Requirement::Bodies { rule } => Self::BodiesNotCaptured { rule },
            Requirement::Store { rule, wanted, detail } => Self::Unsatisfiable { rule, wanted, detail },
        }
    }
}

impl fmt::Display for ChangePolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(error) => error.fmt(f),
            Self::Unsatisfiable { rule, wanted, detail } => {
                write!(f, "policy rule `{rule}` asks for `{wanted}`, which cannot be given: {detail}")
            }
            Self::BodiesNotCaptured { rule } => write!(
                f,
                "policy rule `{rule}` asks for bodies, and the log was opened without `.capture_bodies(..)`: use level \
                 `metadata`, or open the log anew"
            ),
            Self::NoFile => f.write_str("the log has no policy file: open it with `.policy_file(..)`"),
            Self::NotRecorded(refused) => write!(f, "the change of the policy could not be recorded: {refused}"),
        }
    }
}

impl std::error::Error for ChangePolicyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Policy(error) => Some(error),
            Self::NotRecorded(refused) => Some(refused),
            _ => None,
        }
    }
}

impl AuditLog {
    /// Replaces the rules, all at once, and records `policy.changed`.
    ///
    /// Every call is decided by the old rules or by the new ones. The record is queued before any
    /// that the new rules decided; calls that the old rules decided may follow it. Nothing happens,
    /// and nothing is recorded, when the policy in force has the same text: then this is `None`.
    ///
    /// Does not wait for the store. A policy file, if the log has one, stays in use: its next
    /// change replaces what was set here.
    ///
    /// # Errors
    ///
    /// When a rule asks for what the log cannot give, as when it is opened, or the change cannot be
    /// recorded because the log is closing, closed or poisoned, or because
    /// [`LogLimits::policy_changes`](super::LogLimits) records of this kind wait to be written.
    pub fn set_policy(&self, policy: Policy) -> Result<Option<PolicyChange>, ChangePolicyError> {
        self.shared().set_policy(policy, None)
    }

    /// Reads the policy file again, now, and does with it what [`set_policy`](Self::set_policy) does.
    /// `None` when its text is that of the policy in force.
    ///
    /// Unlike the log's own look at the file, this does not wait until the file holds still. A file
    /// that cannot be used is recorded as an `alert`, once for each content.
    ///
    /// **Blocks** while the file is read: not for async code.
    ///
    /// # Errors
    ///
    /// As [`set_policy`](Self::set_policy); and when the log has no policy file, or the file cannot
    /// be read or is no policy.
    pub fn reload_policy(&self) -> Result<Option<PolicyChange>, ChangePolicyError> {
        let shared = self.shared();
        shared.policy_file.as_ref().ok_or(ChangePolicyError::NoFile)?.reload(shared)
    }
}

impl Shared {
    /// Replaces the rules with those of `policy`, read from `path` if it came from a file.
    pub(crate) fn set_policy(
        &self,
        policy: Policy,
        path: Option<&Path>,
    ) -> Result<Option<PolicyChange>, ChangePolicyError> {
        if self.is_forked() {
            return Err(ChangePolicyError::NotRecorded(Refused::Forked));
        }
        check_policy(&policy, &self.stores, self.body_capture.is_some())?;
        let _changing = lock(&self.changing_policy);
        let before = self.policy();
        if before.digest() == policy.digest() {
            return Ok(None);
        }
        let change =
            PolicyChange { previous: before.digest(), digest: policy.digest(), difference: before.difference(&policy) };
        let body = changed(&change, path, self.limits.record.line);
        let policy = Arc::new(policy);
        let mut in_force = self.policy.write().unwrap_or_else(PoisonError::into_inner);
        // Nobody is decided about while this is held: the record goes before all whom the new rules decide.
        self.queue.push_own(Entry::own(body)).map_err(ChangePolicyError::NotRecorded)?;
        *in_force = policy;
        Ok(Some(change))
    }
}

/// The `policy.changed` record.
fn changed(change: &PolicyChange, path: Option<&Path>, line: usize) -> Vec<u8> {
    let mut body = BodyWriter::new(SystemTime::now(), Kind::PolicyChanged, line);
    body.word("policy_sha256", &change.digest.to_hex());
    body.word("previous_sha256", &change.previous.to_hex());
    if let Some(path) = path {
        body.text("path", &path.to_string_lossy(), 1_024);
    }
    let Difference { added, removed, changed, moved } = &change.difference;
    for (name, rules) in [("added", added), ("removed", removed), ("changed", changed), ("moved", moved)] {
        body.names(name, rules, NAMES);
    }
    body.finish(None)
}
