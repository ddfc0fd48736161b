use std::time::Instant;

use audit_core::backend::BackendError;

use crate::connection::Connection;
use crate::runtime::Runtime;
use crate::target::Target;
use crate::trouble::Trouble;

/// A connection, its threads, and what it leads to: shared by all halves of one log.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) runtime: Runtime,
    pub(crate) connection: Connection,
    pub(crate) target: Target,
}

impl Link {
    /// Starts a runtime and connects, as one who writes the log or only reads it.
    ///
    /// # Errors
    ///
    /// When no server can be reached, or something has to be set up differently.
    pub(crate) fn open(target: &Target, role: &str, deadline: Instant) -> Result<Self, Trouble> {
        let runtime = Runtime::start()?;
        let inbox = target.inbox_prefix.clone().unwrap_or_else(|| inbox(target, role));
        let connection = runtime.block_on(Connection::open(target, &inbox, deadline))??;
        Ok(Self { runtime, connection, target: target.clone() })
    }

    /// Runs `future` on the calling thread; one that must not be blocked is a mistake in the program.
    pub(crate) fn block_on<F, T>(&self, future: F) -> Result<T, BackendError>
    where
        F: Future<Output = Result<T, BackendError>>,
    {
        let ran = self.runtime.block_on(future);
        ran.map_err(|error| BackendError::Misconfigured { detail: error.to_string() })?
    }
}

/// Where answers go: a subject of our own, so that nobody else needs to be allowed to listen there.
pub(crate) fn inbox(target: &Target, role: &str) -> String {
    let log = target.log.tokens();
    let log = if log.is_empty() { "-".to_owned() } else { log };
    format!("_INBOX.{}-{role}.{log}", target.subject_prefix)
}
