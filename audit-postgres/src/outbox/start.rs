use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use audit_core::backend::BackendError;
use audit_core::{AuditLog, Refused, VerifierKey};

use crate::rows::Log;
use crate::url::UrlError;

/// Why a relay does not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum RelayError {
    /// The URL or an option cannot be used.
    Url(UrlError),
    /// The server cannot be used, or not now.
    Backend(BackendError),
    /// The log keeps its lines elsewhere: exactly once would be a promise that nobody keeps.
    NotPrimary {
        /// What was compared.
        detail: String,
    },
    /// Another relay of the log runs in this process.
    AlreadyRelayed,
    /// The log does not take records.
    Log(Refused),
    /// The operating system would not start a thread.
    Thread(io::Error),
}

impl fmt::Display for RelayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::Backend(error) => error.fmt(f),
            Self::NotPrimary { detail } => {
                write!(f, "an outbox needs the log's primary to be in the same database: {detail}")
            }
            Self::AlreadyRelayed => f.write_str("another relay of this log runs in this process: one is enough"),
            Self::Log(refused) => refused.fmt(f),
            Self::Thread(error) => write!(f, "cannot start a thread for the relay: {error}"),
        }
    }
}

impl std::error::Error for RelayError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Url(error) => Some(error),
            Self::Backend(error) => Some(error),
            Self::Log(refused) => Some(refused),
            Self::Thread(error) => Some(error),
            Self::NotPrimary { .. } | Self::AlreadyRelayed => None,
        }
    }
}

/// That the open log `audit` keeps its lines in the rows of `log`, and nowhere before.
pub(super) fn is_primary(audit: &AuditLog, log: &Log) -> Result<(), RelayError> {
    let deadline = Instant::now() + PATIENCE;
    log.server.greet(deadline).map_err(RelayError::Backend)?;
    let not_primary = |detail: String| Err(RelayError::NotPrimary { detail });
    let Some(row) = log.head_row(deadline).map_err(RelayError::Backend)? else {
        return not_primary(format!("there is no log {} in {}", log.name, log.server.place));
    };
    let own = audit.verifier_key().name();
    if VerifierKey::parse(&row.verifier_key).is_ok_and(|key| key.name() != own) {
        return not_primary(format!("the rows of {} belong to another log than {own}", log.name));
    }
    let place = log.place(deadline).map_err(RelayError::Backend)?;
    if audit.primary_place() != Some(place.as_str()) {
        let primary = audit.primary_place().unwrap_or("a store that nobody can name");
        return not_primary(format!("the log's lines go to {primary}, the outbox is in {place}"));
    }
    first_commit(audit, deadline)
}

/// Waits until the log has appended something: from then on, what an earlier writer left on its way
/// can land no more.
fn first_commit(audit: &AuditLog, deadline: Instant) -> Result<(), RelayError> {
    while audit.health().last_commit_age.is_none() {
        if Instant::now() >= deadline {
            return Err(RelayError::Log(Refused::Deadline));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// How long each step of starting may take.
const PATIENCE: Duration = Duration::from_secs(30);
