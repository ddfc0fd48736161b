use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::{BackendError, Durability};
use crate::key::{KeyError, SignError};
use crate::policy::PolicyError;

/// Why a record is not in the log, as far as its caller could wait to know.
///
/// Cheap to clone: one answer may go to many callers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Refused {
    /// The rule's deadline passed before the record was as durable as the rule asks. A record that
    /// was already on its way may still land; its activity then ends as `refused`.
    Deadline,
    /// More callers wait for room in the queue than [`LogLimits::waiting`](super::LogLimits) allows.
    QueueFull,
    /// The store has no room, or only what is kept for outcomes.
    StorageFull {
        /// What the store said.
        detail: Arc<str>,
    },
    /// The log is closing or closed.
    Closed,
    /// The log stopped for good: stable storage failed, another writer appeared, or its own
    /// thread panicked. It has to be opened again.
    Poisoned {
        /// What happened.
        detail: Arc<str>,
    },
    /// This process is a fork of the one that opened the log; the log's threads are not in it.
    Forked,
    /// The call was given up before its record was taken.
    Withdrawn,
    /// The rule asks for bodies, and the adapter was not told to capture them.
    BodiesNotCaptured,
}

impl Refused {
    /// One word for records and metrics.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::QueueFull => "queue_full",
            Self::StorageFull { .. } => "storage_full",
            Self::Closed => "closed",
            Self::Poisoned { .. } => "poisoned",
            Self::Forked => "forked",
            Self::Withdrawn => "withdrawn",
            Self::BodiesNotCaptured => "bodies_not_captured",
        }
    }

    /// Whether the same call may be recorded if it is made again later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Deadline | Self::QueueFull | Self::StorageFull { .. } | Self::Withdrawn)
    }

    /// How long a caller should wait before it tries again.
    #[must_use]
    pub const fn retry_after(&self) -> Duration {
        match self {
            Self::Deadline | Self::QueueFull | Self::Withdrawn => Duration::from_secs(1),
            Self::StorageFull { .. } => Duration::from_secs(10),
            Self::Closed | Self::Poisoned { .. } | Self::Forked | Self::BodiesNotCaptured => Duration::from_secs(30),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline => f.write_str("the audit record was not durable by its deadline"),
            Self::QueueFull => f.write_str("too many calls already wait for the audit log"),
            Self::StorageFull { detail } => {
                write!(f, "the audit log's store has no room: {detail}")
            }
            Self::Closed => f.write_str("the audit log is closed"),
            Self::Poisoned { detail } => write!(f, "the audit log has stopped and must be opened again: {detail}"),
            Self::Forked => f.write_str("the audit log was opened before a fork; open one in the child process"),
            Self::Withdrawn => f.write_str("the call was given up before it was recorded"),
            Self::BodiesNotCaptured => {
                f.write_str("the policy asks for bodies and the layer captures none: call `.capture_bodies()` on it")
            }
        }
    }
}

impl std::error::Error for Refused {}

/// Why a log could not be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The builder was not told all it needs, or told something impossible.
    Configuration {
        /// What is wrong and what to do.
        detail: String,
    },
    /// The policy asks for more than the backend can give.
    Unsatisfiable {
        /// The rule that asks.
        rule: String,
        /// What it asks for.
        wanted: Durability,
        /// What is missing.
        detail: String,
    },
    /// The log was made with another key or under another origin.
    WrongKey {
        /// What the log says and what was given.
        detail: String,
    },
    /// What is stored contradicts itself or its signatures: keep it as evidence.
    Tampered {
        /// What is wrong and what to do.
        detail: String,
    },
    /// Two stores of the log contradict each other: keep both as evidence.
    Forked {
        /// Which, and from which record on.
        detail: String,
    },
    /// A replica cannot be used.
    Replica {
        /// What it is called.
        name: String,
        /// What is wrong with it.
        source: BackendError,
    },
    /// The policy file cannot be read, or what is in it is no policy.
    Policy(PolicyError),
    /// The backend could not be opened.
    Backend(BackendError),
    /// The key could not be read.
    Key(KeyError),
    /// The key could not sign.
    Sign(SignError),
    /// The operating system would not start a thread.
    Thread(std::io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration { detail } | Self::WrongKey { detail } => f.write_str(detail),
            Self::Unsatisfiable { rule, wanted, detail } => {
                write!(f, "policy rule `{rule}` asks for `{wanted}`, which cannot be given: {detail}")
            }
            Self::Tampered { detail } => write!(f, "the log has been tampered with: {detail}"),
            Self::Forked { detail } => {
                write!(f, "the log is forked: {detail}; keep both as evidence, see `audit verify --replica`")
            }
            Self::Replica { name, source: source @ BackendError::Tampered { .. } } => write!(
                f,
                "the replica `{name}` cannot be used: {source}. That is about the replica: put it aside as evidence, and \
                 the log fills a new one in its place"
            ),
            Self::Replica { name, source } => write!(f, "the replica `{name}` cannot be used: {source}"),
            Self::Policy(error) => error.fmt(f),
            Self::Backend(error) => error.fmt(f),
            Self::Key(error) => error.fmt(f),
            Self::Sign(error) => error.fmt(f),
            Self::Thread(error) => write!(f, "cannot start a thread for the log: {error}"),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Policy(error) => Some(error),
            Self::Backend(error) | Self::Replica { source: error, .. } => Some(error),
            Self::Key(error) => Some(error),
            Self::Sign(error) => Some(error),
            Self::Thread(error) => Some(error),
            _ => None,
        }
    }
}

impl From<BackendError> for OpenError {
    fn from(error: BackendError) -> Self {
        Self::Backend(error)
    }
}

impl From<KeyError> for OpenError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<SignError> for OpenError {
    fn from(error: SignError) -> Self {
        Self::Sign(error)
    }
}

/// Why a log could not be closed in order. What was acknowledged is in the log all the same.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CloseError {
    /// The deadline passed first.
    Deadline {
        /// Activities that had not ended.
        open_activities: usize,
        /// Records that were queued and are not known to be written.
        unwritten: usize,
    },
    /// The last records or the last checkpoint could not be written.
    Incomplete {
        /// Records that were queued and are not known to be written.
        unwritten: usize,
        /// What happened.
        detail: Arc<str>,
    },
    /// The log was closed before.
    AlreadyClosed,
}

impl fmt::Display for CloseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline { open_activities, unwritten } => write!(
                f,
                "the audit log was not closed in time: {open_activities} activities still open, {unwritten} records not known to be written"
            ),
            Self::Incomplete { unwritten, detail } => {
                write!(
                    f,
                    "the audit log was not closed in order: {unwritten} records not known to be written: {detail}"
                )
            }
            Self::AlreadyClosed => f.write_str("the audit log is already closed"),
        }
    }
}

impl std::error::Error for CloseError {}
