use std::fmt;

use aws_sdk_s3::types::{ObjectLockMode, ObjectLockRetentionMode};

/// Whom an Object Lock holds back until its date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LockMode {
    /// Everybody, the account's root user included: what is acknowledged is
    /// [`Locked`](audit_core::Durability::Locked).
    Compliance,
    /// Everybody but those who may call with `s3:BypassGovernanceRetention`: what is acknowledged is
    /// [`Synced`](audit_core::Durability::Synced), because somebody may delete it.
    Governance,
}

impl LockMode {
    /// The word that stands in URLs and config files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Compliance => "compliance",
            Self::Governance => "governance",
        }
    }

    /// The mode that `word` names, in any case.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Compliance, Self::Governance].into_iter().find(|mode| mode.as_str().eq_ignore_ascii_case(word))
    }

    pub(crate) const fn of_object(self) -> ObjectLockMode {
        match self {
            Self::Compliance => ObjectLockMode::Compliance,
            Self::Governance => ObjectLockMode::Governance,
        }
    }

    pub(crate) fn of_default(mode: &ObjectLockRetentionMode) -> Option<Self> {
        Self::from_word(mode.as_str())
    }
}

impl fmt::Display for LockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
