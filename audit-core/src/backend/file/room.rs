//! How much room is left on the file system, asked seldom.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::fault;
use crate::backend::BackendError;

/// How old an answer of the file system may be.
const FRESH: Duration = Duration::from_millis(100);

/// The guard of the room that is kept for outcomes and for the log's own records.
#[derive(Debug)]
pub(super) struct Room {
    dir: PathBuf,
    min_free: u64,
    asked: Option<Instant>,
    free: u64,
}

impl Room {
    pub(super) const fn new(dir: PathBuf, min_free: u64) -> Self {
        Self { dir, min_free, asked: None, free: 0 }
    }

    /// Refuses `bytes` that would leave less than what is kept free.
    pub(super) fn check(&mut self, bytes: u64) -> Result<(), BackendError> {
        if self.min_free == 0 {
            return Ok(());
        }
        // Near the limit a stale answer would let too much through, or keep too much out.
        let close = self.free.saturating_sub(bytes) < self.min_free.saturating_mul(2);
        if self.asked.is_none_or(|at| at.elapsed() >= FRESH) || (close && self.is_enough(bytes)) {
            self.ask()?;
        }
        if self.is_enough(bytes) {
            return Ok(());
        }
        Err(BackendError::Full {
            detail: format!(
                "{}: {} bytes free, {} are kept for outcomes; free some space, the log goes on by itself",
                self.dir.display(),
                self.free,
                self.min_free
            ),
        })
    }

    /// Counts bytes that were written since the file system was asked.
    pub(super) const fn used(&mut self, bytes: u64) {
        self.free = self.free.saturating_sub(bytes);
    }

    const fn is_enough(&self, bytes: u64) -> bool {
        self.free.saturating_sub(bytes) >= self.min_free
    }

    fn ask(&mut self) -> Result<(), BackendError> {
        let stat = rustix::fs::statvfs(&self.dir)
            .map_err(|errno| fault::failed("asking for free space", &self.dir, errno.into()))?;
        self.free = stat.f_bavail.saturating_mul(stat.f_frsize);
        self.asked = Some(Instant::now());
        Ok(())
    }
}
