//! What the service keeps, whatever framework serves it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::log::handled;
use crate::options::Options;

/// The state of the service; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Payments {
    refunds: Arc<AtomicU64>,
    handled: Option<Arc<File>>,
}

impl Payments {
    /// A service that counts its handler runs nowhere.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A service that appends one byte to `path` for every handler run, so that the count survives
    /// a kill.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened for appending.
    pub fn counting_in(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { refunds: Arc::default(), handled: Some(Arc::new(file)) })
    }

    /// The service that the command line asks for: it counts its handler runs beside the log, if
    /// there is one and nobody said `--no-handled`.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened for appending.
    pub fn of(options: &Options) -> io::Result<Self> {
        match options.place() {
            Ok(place) if options.count_handled => Self::counting_in(&handled(place)),
            _ => Ok(Self::new()),
        }
    }

    /// Says that a handler runs. Called first thing in every handler.
    pub fn handled(&self) {
        if let Some(file) = &self.handled {
            // One `write` with O_APPEND: runs of several threads cannot overwrite each other.
            // A full disk must not turn a recorded call into a failed one.
            let _ = (&**file).write(b".");
        }
    }

    /// Adds a refund.
    pub fn refund(&self) {
        self.refunds.fetch_add(1, Ordering::Relaxed);
    }

    /// How many refunds this process has made.
    #[must_use]
    pub fn refunds(&self) -> u64 {
        self.refunds.load(Ordering::Relaxed)
    }
}
