use std::fmt;
use std::io;

use super::Head;

/// Why a store did not do what it was asked, by who is at fault and whether retrying helps.
#[derive(Debug)]
#[non_exhaustive]
pub enum BackendError {
    /// The store could not be reached or refused for now; nothing was written. Retry.
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Nobody knows whether the lines were written: read the head and compare before retrying.
    Unknown {
        /// What was being done.
        doing: &'static str,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no room; nothing was written. Retry when there is.
    Full {
        /// What is full, and how much is kept free.
        detail: String,
    },
    /// Another writer's lines are where these should go. Never retried.
    Conflict {
        /// The head that was found, if known.
        found: Option<Head>,
        /// What was found.
        detail: String,
    },
    /// Another writer holds the log. Retry when it is gone.
    InUse {
        /// Who holds it.
        holder: String,
    },
    /// Stable storage failed: this handle acknowledges nothing any more. Open the log again.
    Poisoned {
        /// What failed.
        detail: String,
    },
    /// The store holds something that no crash leaves behind. Keep it as evidence.
    Tampered {
        /// The first line that is wrong, if known.
        seq: Option<u64>,
        /// What is wrong.
        detail: String,
    },
    /// The store is not what it has to be, or may not be used like this. Fix the configuration.
    Misconfigured {
        /// What is wrong, where, and what to do.
        detail: String,
    },
}

impl BackendError {
    /// Wraps an I/O error after which nothing was written.
    #[must_use]
    pub fn unavailable(doing: &'static str, source: io::Error) -> Self {
        Self::Unavailable { doing, source: Box::new(source) }
    }

    /// Wraps an I/O error after which nobody knows what was written.
    #[must_use]
    pub fn unknown(doing: &'static str, source: io::Error) -> Self {
        Self::Unknown { doing, source: Box::new(source) }
    }

    /// Whether the same call may succeed later on the same handle.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Unknown { .. } | Self::Full { .. } | Self::InUse { .. })
    }

    /// Whether it is certain that nothing was written.
    #[must_use]
    pub const fn outcome_is_known(&self) -> bool {
        !matches!(self, Self::Unknown { .. })
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable { doing, source } => {
                write!(f, "{doing} failed, nothing was written: {source}")
            }
            Self::Unknown { doing, source } => {
                write!(f, "{doing} failed, result unknown: {source}")
            }
            Self::Full { detail } => write!(f, "no room: {detail}"),
            Self::Conflict { detail, .. } => write!(f, "another writer has been here: {detail}"),
            Self::InUse { holder } => write!(f, "the log is in use by {holder}"),
            Self::Poisoned { detail } => write!(f, "stable storage failed, the log has to be opened again: {detail}"),
            Self::Tampered { seq: Some(seq), detail } => {
                write!(f, "the log has been tampered with at seq {seq}: {detail}")
            }
            Self::Tampered { seq: None, detail } => {
                write!(f, "the log has been tampered with: {detail}")
            }
            Self::Misconfigured { detail } => f.write_str(detail),
        }
    }
}

impl std::error::Error for BackendError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unavailable { source, .. } | Self::Unknown { source, .. } => Some(source.as_ref()),
            _ => None,
        }
    }
}
