//! One look into the outbox, and what is done with what is there.

use std::time::{Duration, Instant, SystemTime};

use audit_core::backend::BackendError;
use audit_core::policy::{Level, Subject};
use audit_core::{AuditLog, Refused};
use tokio_postgres::types::Type;

use super::OutboxEvent;
use super::doubts::Doubts;
use super::join::{Answer, Join};
use crate::fault::Effect;
use crate::rows::Log;
use crate::uuid::Uuid;

/// What one relay works with.
#[derive(Debug)]
pub(super) struct Rounds {
    pub(super) audit: AuditLog,
    pub(super) log: Log,
    pub(super) batch: usize,
    pub(super) doubts: Doubts,
    /// The rows of events that the log said it has, in the round before.
    pub(super) just_recorded: Vec<i64>,
    /// How many it has in all.
    pub(super) recorded: u64,
    /// How many were taken out of the outbox because a rule excludes them.
    pub(super) excluded: u64,
}

/// Why a round was not finished.
#[derive(Debug)]
pub(super) enum Interrupted {
    /// It is tried again, later.
    ForNow(String),
    /// It makes no sense to go on.
    ForGood(String),
}

struct Waiting {
    id: Uuid,
    /// No other row ever has it.
    position: i64,
    happened: SystemTime,
    event: OutboxEvent,
}

impl Rounds {
    /// Says whether there may be more rows at once.
    pub(super) fn round(&mut self) -> Result<bool, Interrupted> {
        self.goes_on()?;
        self.doubts.settle(&self.audit.health());
        if self.doubts.len() >= self.batch {
            return Err(Interrupted::ForNow("the log does not say what became of earlier events".to_owned()));
        }
        let waiting = self.waiting().map_err(|error| Interrupted::ForNow(error.to_string()))?;
        if waiting.iter().any(|row| self.just_recorded.contains(&row.position)) {
            return Err(Interrupted::ForGood(
                "an event that the log has is still in the outbox: this PostgreSQL is not where the log keeps its lines".to_owned(),
            ));
        }
        let answers = self.record(&waiting)?;
        let (excluded, refused) = self.sort(&waiting, answers);
        let discarded = self.discard(&excluded);
        refused?;
        self.excluded += discarded.map_err(|error| Interrupted::ForNow(error.to_string()))?;
        Ok(waiting.len() == self.batch)
    }

    /// A log that is closed or has stopped does not say so to a rule that allows losses: it is asked.
    fn goes_on(&self) -> Result<(), Interrupted> {
        if self.audit.health().writable {
            return Ok(());
        }
        let asked = self.log.server.runtime().block_on(self.audit.checkpoint(ASKING));
        match asked.map_err(|error| Interrupted::ForGood(error.to_string()))? {
            Err(refusal) if is_final(&refusal) => Err(Interrupted::ForGood(refusal.to_string())),
            // It fails for now: its own answers say how.
            _ => Ok(()),
        }
    }

    /// The oldest rows that are not in doubt.
    fn waiting(&self) -> Result<Vec<Waiting>, BackendError> {
        let statement = format!(
            "SELECT event_id, event_position, happened, event_text FROM {}.pending($1, $2, $3)",
            self.log.schema
        );
        let (doubts, most) = (self.doubts.ids(), i64::try_from(self.batch).unwrap_or(i64::MAX));
        let rows = self.log.server.read(
            "reading the outbox",
            Instant::now() + PATIENCE,
            &statement,
            &[(&self.log.name, Type::TEXT), (&doubts, Type::UUID_ARRAY), (&most, Type::INT8)],
        )?;
        let parts = rows.iter().map(|row| {
            let event = OutboxEvent::from_row(row.try_get::<_, &str>(3)?);
            Ok(Waiting { id: row.try_get(0)?, position: row.try_get(1)?, happened: row.try_get(2)?, event })
        });
        parts
            .collect::<Result<_, tokio_postgres::Error>>()
            .map_err(|error| BackendError::Unavailable { doing: "reading the outbox", source: Box::new(error) })
    }

    /// Gives the events to the log, in order, and waits for all answers.
    fn record(&mut self, waiting: &[Waiting]) -> Result<Vec<Answer>, Interrupted> {
        let mut appends = Vec::with_capacity(waiting.len());
        for row in waiting {
            let event = row.event.to_event(row.happened);
            // Sixteen bytes are always a UUID.
            let Some(id) = row.id.activity() else { continue };
            appends.push(self.audit.record(&event.id(id)));
        }
        let answers = self.log.server.runtime().block_on(Join::new(appends));
        answers.map_err(|error| Interrupted::ForGood(error.to_string()))
    }

    /// Notes what became of each event, and returns those that a rule excludes.
    fn sort(&mut self, waiting: &[Waiting], answers: Vec<Answer>) -> (Vec<Uuid>, Result<(), Interrupted>) {
        let (mut excluded, mut refused) = (Vec::new(), Ok(()));
        let health = self.audit.health();
        self.just_recorded.clear();
        for (row, answer) in waiting.iter().zip(answers) {
            match answer {
                Ok(Some(_)) => self.just_recorded.push(row.position),
                Ok(None) if self.is_excluded(row) => excluded.push(row.id),
                // A rule that asks for no more than `accepted`, or that allows losses.
                Ok(None) => self.doubts.add_queued(row.id),
                Err(refusal) => {
                    if !never_taken(&refusal) {
                        self.doubts.add_abandoned(row.id, &health);
                    }
                    let why = refusal.to_string();
                    refused =
                        Err(if is_final(&refusal) { Interrupted::ForGood(why) } else { Interrupted::ForNow(why) });
                }
            }
        }
        self.recorded += self.just_recorded.len() as u64;
        (excluded, refused)
    }

    fn is_excluded(&self, row: &Waiting) -> bool {
        let event = row.event.to_event(row.happened);
        self.audit.policy().decide(&Subject::from(&event)).level() == Level::None
    }

    fn discard(&self, excluded: &[Uuid]) -> Result<u64, BackendError> {
        if excluded.is_empty() {
            return Ok(0);
        }
        let statement = format!("SELECT {}.discard($1, $2)", self.log.schema);
        let rows = self.log.server.query(
            "taking excluded events out of the outbox",
            Effect::Commits,
            Instant::now() + PATIENCE,
            &statement,
            &[(&self.log.name, Type::TEXT), (&excluded, Type::UUID_ARRAY)],
        )?;
        let gone = rows.first().and_then(|row| row.try_get::<_, i64>(0).ok()).unwrap_or(0);
        Ok(u64::try_from(gone).unwrap_or(0))
    }
}

/// Refused before it was queued, or given back by a store that had no room.
const fn never_taken(refusal: &Refused) -> bool {
    matches!(refusal, Refused::QueueFull | Refused::StorageFull { .. } | Refused::BodiesNotCaptured)
}

const fn is_final(refusal: &Refused) -> bool {
    matches!(refusal, Refused::Closed | Refused::Poisoned { .. } | Refused::Forked)
}

/// How long a log that does not write is waited for to say why.
const ASKING: Duration = Duration::from_secs(1);

/// How long one statement of a relay may take.
const PATIENCE: Duration = Duration::from_secs(10);
