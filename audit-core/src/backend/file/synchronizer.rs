//! The half of an open log that waits for the disk and publishes checkpoints.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::layout::Layout;
use super::segments::Segments;
use super::shared::Shared;
use super::tiler::Tiler;
use super::{create, fault, peaks};
use crate::backend::{BackendError, Durability, Synchronizer, contract};
use crate::evidence::CompactRange;

/// Forces lines to disk from a second thread; shares no lock with `append` while it waits.
#[derive(Debug)]
pub(super) struct FileSynchronizer {
    layout: Layout,
    shared: Arc<Shared>,
    tiler: Tiler,
    /// How many lines are on stable storage.
    synced: u64,
    /// The size of the newest checkpoint.
    published: Option<u64>,
    /// The size of the newest checkpoint that is kept for good.
    kept: u64,
}

impl FileSynchronizer {
    /// The other half of a log whose first `synced` lines are on stable storage.
    pub(super) const fn new(
        layout: Layout,
        shared: Arc<Shared>,
        tiler: Tiler,
        synced: u64,
        published: Option<u64>,
        kept: u64,
    ) -> Self {
        Self { layout, shared, tiler, synced, published, kept }
    }

    fn force(&mut self) -> Result<(), BackendError> {
        self.shared.check()?;
        let written = self.shared.written();
        if written == self.synced {
            return Ok(());
        }
        let unsynced = self.shared.unsynced();
        let segments = self.layout.segments();
        for file in &unsynced.files {
            file.sync_data().map_err(|error| self.fail(&segments, &error))?;
        }
        if unsynced.directory {
            create::sync_directory(&segments).map_err(|error| self.fail(&segments, &error))?;
        }
        self.shared.synced(&unsynced);
        self.synced = written;
        Ok(())
    }

    /// Whatever the error: after a failed sync the kernel may have dropped the bytes.
    fn fail(&self, path: &Path, error: &std::io::Error) -> BackendError {
        let detail = format!("forcing lines to disk failed: {}: {error}", path.display());
        self.shared.poison(detail.clone());
        BackendError::Poisoned { detail }
    }

    fn write_checkpoint(&self, path: &Path, note: &[u8]) -> Result<(), BackendError> {
        create::replace(path, note)
            .map_err(|error| fault::failed("writing a checkpoint", path, error))
            .map_err(|error| self.shared.poison_if_broken(error))
    }

    /// Keeps the first checkpoint behind the end of each segment for good. If there is no room for
    /// it, the next one is kept instead.
    fn keep(&mut self, note: &[u8], size: u64) -> Result<(), BackendError> {
        let segment = self.shared.segment();
        if self.kept >= segment || segment > size {
            return Ok(());
        }
        match self.write_checkpoint(&self.layout.kept_checkpoint(size), note) {
            Err(error @ BackendError::Poisoned { .. }) => return Err(error),
            Err(_) => {}
            Ok(()) => self.kept = size,
        }
        Ok(())
    }

    /// Keeps what saves work when the log is opened; its loss costs time, nothing else.
    fn keep_derived(&mut self, range: &CompactRange, older: Option<u64>, deadline: Instant) {
        let layout = &self.layout;
        let segments = || Segments::list(layout, deadline);
        self.tiler.advance(self.shared.take_leaves(), range.size(), &segments);
        let replaced = older.filter(|older| *older != range.size() && !self.layout.kept_checkpoint(*older).exists());
        // A missing or damaged range costs time when the log is opened, nothing else.
        let _written = peaks::write(&self.layout, range, replaced);
    }
}

impl Synchronizer for FileSynchronizer {
    fn sync(&mut self, deadline: Instant) -> Result<Durability, BackendError> {
        contract::in_time(deadline, "forcing lines to disk")?;
        self.force()?;
        Ok(Durability::Synced)
    }

    fn publish(&mut self, note: &[u8], range: &CompactRange, deadline: Instant) -> Result<(), BackendError> {
        contract::in_time(deadline, "writing a checkpoint")?;
        self.shared.check()?;
        contract::check_published(self.published, range.size(), self.shared.written())?;
        if range.size() > self.synced {
            self.force()?;
        }
        self.write_checkpoint(&self.layout.checkpoint(), note)?;
        let older = self.published.replace(range.size());
        // After the newest one: a crash in between must not make that look older than this.
        self.keep(note, range.size())?;
        self.keep_derived(range, older, deadline);
        Ok(())
    }
}
