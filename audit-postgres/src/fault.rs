//! From what the driver and the server say to whose fault it is, and whether anything was written.

use std::io;

use audit_core::backend::BackendError;
use deadpool_postgres::PoolError;
use tokio_postgres::Error;
use tokio_postgres::error::{Severity, SqlState};

/// Whether a call that fails may have changed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It only reads.
    None,
    /// It commits, and a lost answer says nothing about whether it did.
    Commits,
}

/// The deadline passed while the server was at it.
pub(crate) fn late(doing: &'static str, effect: Effect) -> BackendError {
    let late = io::Error::new(io::ErrorKind::TimedOut, "the server did not answer by the deadline");
    lost(doing, effect, late)
}

/// No connection could be had: nothing was sent.
pub(crate) fn not_connected(doing: &'static str, error: PoolError) -> BackendError {
    let source: Box<dyn std::error::Error + Send + Sync> = match error {
        PoolError::Backend(error) => Box::new(Said::of(&error)),
        other => other.into(),
    };
    BackendError::Unavailable { doing, source }
}

/// A statement failed.
pub(crate) fn failed(doing: &'static str, effect: Effect, error: &Error) -> BackendError {
    let Some(said) = error.as_db_error() else {
        return lost(doing, effect, sentence(error));
    };
    // A server that ends a session may do so after the commit and before it has said so.
    let ends = matches!(said.parsed_severity(), Some(Severity::Fatal | Severity::Panic) | None);
    if ends || said.code().code().starts_with("57P") {
        return lost(doing, effect, sentence(error));
    }
    match *said.code() {
        SqlState::DISK_FULL => BackendError::Full { detail: format!("PostgreSQL: {}", said.message()) },
        SqlState::UNIQUE_VIOLATION => BackendError::Tampered {
            seq: None,
            detail: format!(
                "a row stands behind the end of the log that the head row names ({}); keep the database as evidence",
                said.detail().unwrap_or_else(|| said.message())
            ),
        },
        // Our functions raise it when the log that was open has no head row.
        SqlState::NO_DATA_FOUND => BackendError::Tampered { seq: None, detail: said.message().to_owned() },
        _ => BackendError::Unavailable { doing, source: Box::new(Said::of(error)) },
    }
}

/// What a server said, and what to do about it.
#[derive(Debug)]
struct Said {
    sentence: String,
    advice: Option<&'static str>,
}

impl Said {
    fn of(error: &Error) -> Self {
        Self { sentence: sentence(error), advice: advice(error) }
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sentence)?;
        self.advice.map_or(Ok(()), |advice| write!(f, "; {advice}"))
    }
}

impl std::error::Error for Said {}

/// Before a log is open, an error that only somebody who changes the configuration can remove is
/// one of the configuration. Later it may be repaired while the log waits.
pub(crate) fn while_opening(error: BackendError, place: &str) -> BackendError {
    match &error {
        BackendError::Unavailable { doing, source }
            if source.downcast_ref::<Said>().is_some_and(|said| said.advice.is_some()) =>
        {
            BackendError::Misconfigured { detail: format!("{doing} on {place}: {source}") }
        }
        _ => error,
    }
}

/// What to do about an error whose cause is the configuration.
fn advice(error: &Error) -> Option<&'static str> {
    let state = error.code()?;
    Some(match *state {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "check the user in the URL, and the password that password_file or password_env names"
        }
        SqlState::INVALID_CATALOG_NAME => "check the database in the URL",
        SqlState::INSUFFICIENT_PRIVILEGE => "grant what `audit grants postgres` prints for the writer or the reader",
        SqlState::INVALID_SCHEMA_NAME | SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_FUNCTION => {
            "install the schema: apply what `audit grants postgres` prints for the administrator"
        }
        SqlState::PROGRAM_LIMIT_EXCEEDED => {
            "if an index of lines is named, drop it, and index md5(resource) or left(resource, 200) instead"
        }
        SqlState::READ_ONLY_SQL_TRANSACTION => "connect to the primary server, this one is read-only",
        _ => return None,
    })
}

fn lost(
    doing: &'static str,
    effect: Effect,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> BackendError {
    let source = source.into();
    match effect {
        Effect::None => BackendError::Unavailable { doing, source },
        Effect::Commits => BackendError::Unknown { doing, source },
    }
}

/// The error with everything below it: the driver's own text leaves out what the server said.
fn sentence(error: &Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", said.message(), said.code().code());
    }
    let mut text = error.to_string();
    let mut below = std::error::Error::source(error);
    while let Some(source) = below {
        text.push_str(": ");
        text.push_str(&source.to_string());
        below = source.source();
    }
    text
}
