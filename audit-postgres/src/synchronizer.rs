//! The half that keeps checkpoints, and looks whether the server is still what it was.

use std::time::Instant;

use audit_core::backend::{BackendError, Concern, Durability, Synchronizer, contract};
use audit_core::evidence::CompactRange;
use tokio_postgres::types::Type;

use crate::fault::Effect;
use crate::inspection;
use crate::rows::Log;

/// Has nothing to sync: every append was a commit on stable storage.
#[derive(Debug)]
pub(crate) struct PostgresSynchronizer {
    log: Log,
    /// Whether a commit waited for another server when the log was opened.
    replicated: bool,
}

impl PostgresSynchronizer {
    pub(crate) const fn new(log: Log, replicated: bool) -> Self {
        Self { log, replicated }
    }
}

impl Synchronizer for PostgresSynchronizer {
    fn sync(&mut self, deadline: Instant) -> Result<Durability, BackendError> {
        contract::in_time(deadline, "syncing the log")?;
        Ok(Durability::Synced)
    }

    fn publish(&mut self, note: &[u8], range: &CompactRange, deadline: Instant) -> Result<(), BackendError> {
        contract::in_time(deadline, "keeping a checkpoint")?;
        let Ok(text) = std::str::from_utf8(note) else {
            return Err(BackendError::Misconfigured { detail: "a signed note is UTF-8 text, this is none".to_owned() });
        };
        let statement = format!("SELECT kept, newest, size FROM {}.publish($1, $2, $3, $4)", self.log.schema);
        let size = i64::try_from(range.size()).unwrap_or(i64::MAX);
        let peaks = range.to_bytes();
        let rows = self.log.server.query(
            "keeping a checkpoint",
            Effect::Commits,
            deadline,
            &statement,
            &[(&self.log.name, Type::TEXT), (&size, Type::INT8), (&text, Type::TEXT), (&peaks, Type::BYTEA)],
        )?;
        let answer = rows.first().and_then(|row| {
            let number = |at: usize| row.try_get::<_, Option<i64>>(at).ok();
            Some((row.try_get::<_, bool>(0).ok()?, number(1)?, number(2)??))
        });
        let Some((kept, newest, lines)) = answer else {
            return Err(BackendError::Misconfigured {
                detail: format!("the function {}.publish answers with other columns than it should", self.log.schema),
            });
        };
        let newest = newest.and_then(|size| u64::try_from(size).ok());
        contract::check_published(newest, range.size(), u64::try_from(lines).unwrap_or(0))?;
        if kept {
            return Ok(());
        }
        Err(BackendError::Misconfigured { detail: format!("{}.publish kept no checkpoint", self.log.schema) })
    }

    fn inspect(&mut self, deadline: Instant) -> Result<Vec<Concern>, BackendError> {
        let found = inspection::inspect(&self.log.server, &self.log.schema, deadline)?;
        let mut concerns = found.concerns;
        if self.replicated && !found.replicated {
            let detail = "commits do not wait for another server any more: set synchronous_standby_names again";
            concerns.push(Concern::new("synchronous_standby_names", detail));
        }
        Ok(concerns)
    }
}
