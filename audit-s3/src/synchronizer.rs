//! Checkpoints, and looking after the bucket while the log is open.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use audit_core::backend::{BackendError, Concern, Durability, Synchronizer, contract};
use audit_core::evidence::{CompactRange, SignedCheckpoint};

use super::inspection::Inspection;
use super::put::Made;
use super::shared::Shared;

const PUBLISHING: &str = "publishing a checkpoint";
const INSPECTING: &str = "looking after the bucket";

/// The half that publishes checkpoints.
#[derive(Debug)]
pub(crate) struct S3Synchronizer {
    shared: Arc<Shared>,
    published: Option<u64>,
    inspection: Inspection,
}

impl S3Synchronizer {
    pub(crate) fn new(shared: Arc<Shared>, published: Option<u64>) -> Self {
        Self { inspection: Inspection::new(Arc::clone(&shared)), shared, published }
    }

    fn make(&self, key: &str, bytes: &[u8], deadline: Instant) -> Result<Made, BackendError> {
        let made = self.shared.store.make(key, bytes, self.shared.making, deadline);
        self.shared.run(PUBLISHING, made)?.map_err(|fault| fault.writing(PUBLISHING))
    }
}

impl Synchronizer for S3Synchronizer {
    /// Nothing to do: an object that was acknowledged is where it stays.
    fn sync(&mut self, deadline: Instant) -> Result<Durability, BackendError> {
        contract::in_time(deadline, "syncing")?;
        Ok(self.shared.durability())
    }

    fn publish(&mut self, note: &[u8], range: &CompactRange, deadline: Instant) -> Result<(), BackendError> {
        contract::in_time(deadline, PUBLISHING)?;
        let size = range.size();
        contract::check_published(self.published, size, self.shared.size.load(Ordering::Acquire))?;
        let layout = &self.shared.store.layout;
        if size > 0 {
            // First what is derived, so that a checkpoint is never without it. Nobody believes it.
            self.make(&layout.peaks(size), &range.to_bytes(), deadline)?;
        }
        let key = layout.checkpoint(size);
        match self.make(&key, note, deadline)? {
            Made::Ours => {}
            Made::Others(other) if says_the_same(&other, note) => {}
            Made::Others(_) | Made::Forked => {
                return Err(BackendError::Conflict {
                    found: None,
                    detail: format!("{}: another checkpoint of this size is there, {key}", layout.url),
                });
            }
        }
        self.published = Some(size);
        Ok(())
    }

    fn inspect(&mut self, deadline: Instant) -> Result<Vec<Concern>, BackendError> {
        contract::in_time(deadline, INSPECTING)?;
        let shared = Arc::clone(&self.shared);
        let found = shared.run(INSPECTING, self.inspection.concerns(deadline))?;
        found.map_err(|fault| fault.reading(INSPECTING))
    }
}

/// Whether two notes are about the same tree, whoever signed them.
fn says_the_same(one: &[u8], other: &[u8]) -> bool {
    let read = |note| SignedCheckpoint::parse(note).map(|signed| signed.checkpoint().clone());
    read(one).is_ok_and(|one| read(other).is_ok_and(|other| one == other))
}
