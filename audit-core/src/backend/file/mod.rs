//! An append-only directory of JSON lines on a local disk.

mod create;
mod cursor;
mod fault;
mod layout;
mod line_reader;
mod lines;
mod lock;
mod open;
mod peaks;
mod quarantine;
mod range;
mod reader;
mod recover;
mod rewrite;
mod room;
mod segment;
mod segments;
mod shared;
mod signed;
mod synchronizer;
mod tail;
mod tiler;
mod tiles;
mod writer;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use self::layout::Layout;
use self::lock::Lock;
pub use self::reader::FileReader;
use self::synchronizer::FileSynchronizer;
use self::writer::Writer;
use super::{
    Backend, BackendError, Batch, Capabilities, Durability, Fencing, Head, Opened, Reader, Synchronizer, contract,
};
use crate::key::VerifierKey;

/// A log in a directory on a local disk.
///
/// `append` leaves lines with the kernel ([`Durability::Written`]); `sync` forces them to disk
/// ([`Durability::Synced`]). One writer at a time, kept out by a lock on the file `LOCK` and by
/// appending only.
///
/// Calls run as long as the local disk takes: a deadline that has passed is refused before
/// anything is done, but a call that has begun is not cut short.
#[derive(Debug)]
pub struct File {
    dir: PathBuf,
    segment_bytes: u64,
    min_free: u64,
    lock_wait: Duration,
    state: State,
}

/// How far a log has been opened.
#[derive(Debug, Default)]
enum State {
    #[default]
    Closed,
    /// The lock is held; there is no log yet.
    Empty(Lock),
    Open(Box<OpenLog>),
}

/// Both halves of an open log.
#[derive(Debug)]
struct OpenLog {
    writer: Writer,
    /// Until it is taken.
    synchronizer: Option<FileSynchronizer>,
}

impl File {
    /// A log in `dir`, which is made when it is opened for the first time.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            segment_bytes: 64 << 20,
            min_free: 64 << 20,
            lock_wait: Duration::ZERO,
            state: State::Closed,
        }
    }

    /// Starts a new segment before one would grow beyond this many bytes; 64 MiB by default.
    ///
    /// Only a single batch that is longer makes a longer segment.
    #[must_use]
    pub const fn segment_bytes(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes;
        self
    }

    /// Keeps this many bytes of the file system free for outcomes and the log's own records;
    /// 64 MiB by default. 0 keeps nothing free.
    #[must_use]
    pub const fn min_free(mut self, bytes: u64) -> Self {
        self.min_free = bytes;
        self
    }

    /// Waits this long for another writer to go, as in a rolling restart; by default not at all.
    #[must_use]
    pub const fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn writer(&mut self) -> Result<&mut Writer, BackendError> {
        match &mut self.state {
            State::Open(open) => Ok(&mut open.writer),
            State::Closed | State::Empty(_) => Err(not_open(&self.dir)),
        }
    }
}

impl Backend for File {
    fn name(&self) -> &'static str {
        "file"
    }

    fn place(&self) -> Option<String> {
        let dir = self.dir.canonicalize().ok()?;
        Some(format!("file://{}", dir.display()))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Durability::Written, Durability::Synced, Fencing::Enforced)
    }

    fn open(&mut self, deadline: Instant) -> Result<Opened, BackendError> {
        contract::in_time(deadline, "opening the log")?;
        self.state = State::Closed;
        let layout = Layout::new(&self.dir);
        create::directory(layout.dir())?;
        open::refuse_foreign(&layout)?;
        let until = (Instant::now() + self.lock_wait).min(deadline);
        let lock = Lock::take(&layout.lock(), until)?;
        let (state, opened) = match open::verifier_key(&layout)? {
            Some(key) => open::log(self, layout, lock, &key, deadline)?,
            None => open::empty(&layout, lock)?,
        };
        self.state = state;
        Ok(opened)
    }

    fn create(&mut self, verifier_key: &str, deadline: Instant) -> Result<(), BackendError> {
        contract::in_time(deadline, "creating the log")?;
        if let State::Open(open) = &mut self.state {
            return Err(BackendError::Conflict {
                found: Some(open.writer.head()?),
                detail: format!("{} holds a log already", self.dir.display()),
            });
        }
        let key = VerifierKey::parse(verifier_key).map_err(|error| BackendError::Misconfigured {
            detail: format!("the verifier key of a new log: {error}"),
        })?;
        let layout = Layout::new(&self.dir);
        let State::Empty(lock) = std::mem::take(&mut self.state) else {
            return Err(not_open(&self.dir));
        };
        open::found(&layout, &key)?;
        (self.state, _) = open::log(self, layout, lock, &key, deadline)?;
        Ok(())
    }

    fn head(&mut self, deadline: Instant) -> Result<Head, BackendError> {
        contract::in_time(deadline, "looking for the end of the log")?;
        self.writer()?.head()
    }

    fn append(&mut self, expected: Head, batch: &Batch<'_>, deadline: Instant) -> Result<Durability, BackendError> {
        contract::in_time(deadline, "appending to the log")?;
        self.writer()?.append(expected, batch)
    }

    fn read(&mut self, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
        contract::in_time(deadline, "reading the log")?;
        self.writer()?.read(range)
    }

    fn reader(&mut self) -> Result<Box<dyn Reader>, BackendError> {
        Ok(Box::new(self.writer()?.reader()))
    }

    fn synchronizer(&mut self) -> Result<Box<dyn Synchronizer>, BackendError> {
        let taken = match &mut self.state {
            State::Open(open) => open.synchronizer.take(),
            State::Closed | State::Empty(_) => None,
        };
        match taken {
            Some(synchronizer) => Ok(Box::new(synchronizer)),
            None => Err(BackendError::Misconfigured {
                detail: format!("{}: the log is not open, or its synchronizer has been taken", self.dir.display()),
            }),
        }
    }
}

fn not_open(dir: &Path) -> BackendError {
    BackendError::Misconfigured { detail: format!("{}: the log is not open", dir.display()) }
}
