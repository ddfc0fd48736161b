//! An append-only directory of JSON lines on a local disk.

mod create;
mod fault;
mod frame;
mod layout;
mod lines;
mod lock;
mod peaks;
mod quarantine;
mod range;
mod reader;
mod recover;
mod rewrite;
mod room;
mod segment;
mod shared;
mod signed;
mod synchronizer;
mod tail;
mod writer;

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::layout::Layout;
use self::lock::Lock;
use self::segment::Segment;
use self::shared::Shared;
use self::synchronizer::FileSynchronizer;
use self::writer::Writer;
pub use self::reader::FileReader;
use super::{
    Backend, BackendError, Batch, Capabilities, Durability, Fencing, Head, Opened, Synchronizer,
    contract,
};

/// The longest text of a verifier key that is read.
const KEY_LIMIT: u64 = 4_096;

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
    Open {
        writer: Writer,
        /// Until it is taken.
        synchronizer: Option<FileSynchronizer>,
    },
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
            State::Open { writer, .. } => Ok(writer),
            State::Closed | State::Empty(_) => Err(BackendError::Misconfigured {
                detail: format!("{}: the log is not open", self.dir.display()),
            }),
        }
    }

    /// Opens the log that is in the directory, whose lock is held.
    fn open_log(
        &mut self,
        layout: Layout,
        lock: Lock,
        verifier_key: String,
        deadline: Instant,
    ) -> Result<Opened, BackendError> {
        recover::make_directories(&layout)?;
        let signed = signed::read(&layout, &verifier_key)?;
        let found = recover::recover(&layout, signed.as_ref(), deadline)?;
        let mut firsts = found.firsts;
        let current = match firsts.last() {
            Some(first) => Segment::open(&layout, *first, found.len)?,
            None => {
                firsts.push(0);
                Segment::create(&layout, 0)?
            }
        };
        let shared = Shared::new(
            lock,
            found.head.size,
            current.first(),
            Arc::clone(current.file()),
        );
        let shared = Arc::new(shared);
        let size = signed.as_ref().map(|signed| signed.size);
        shared.add_leaves(size.unwrap_or(0), &found.leaves);
        let synchronizer =
            FileSynchronizer::new(layout.clone(), Arc::clone(&shared), found.head.size, size);
        let writer = Writer::new(self, layout, shared, firsts, current, found.head);
        self.state = State::Open {
            writer,
            synchronizer: Some(synchronizer),
        };
        Ok(Opened {
            verifier_key: Some(verifier_key),
            checkpoint: signed.map(|signed| signed.note),
            signed_range: found.signed_range,
            head: found.head,
            recovery: found.recovery,
        })
    }
}

impl Backend for File {
    fn name(&self) -> &'static str {
        "file"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Durability::Written, Durability::Synced, Fencing::Enforced)
    }

    fn open(&mut self, deadline: Instant) -> Result<Opened, BackendError> {
        contract::in_time(deadline, "opening the log")?;
        self.state = State::Closed;
        let layout = Layout::new(&self.dir);
        create::directory(layout.dir())?;
        refuse_foreign(&layout)?;
        let until = (Instant::now() + self.lock_wait).min(deadline);
        let lock = Lock::take(&layout.lock(), until)?;
        match verifier_key(&layout)? {
            Some(key) => self.open_log(layout, lock, key, deadline),
            None => {
                refuse_keyless(&layout)?;
                self.state = State::Empty(lock);
                Ok(Opened::empty())
            }
        }
    }

    fn create(&mut self, verifier_key: &str, deadline: Instant) -> Result<(), BackendError> {
        contract::in_time(deadline, "creating the log")?;
        let lock = match std::mem::take(&mut self.state) {
            State::Empty(lock) => lock,
            other => {
                self.state = other;
                let head = self.writer()?.head()?;
                return Err(BackendError::Conflict {
                    found: Some(head),
                    detail: format!("{} holds a log already", self.dir.display()),
                });
            }
        };
        let layout = Layout::new(&self.dir);
        recover::make_directories(&layout)?;
        let path = layout.verifier_key();
        let text = format!("{}\n", verifier_key.trim_end());
        create::replace(&path, text.as_bytes())
            .map_err(|error| fault::failed("writing the verifier key", &path, error))?;
        self.open_log(layout, lock, verifier_key.trim_end().to_owned(), deadline)?;
        Ok(())
    }

    fn head(&mut self, deadline: Instant) -> Result<Head, BackendError> {
        contract::in_time(deadline, "looking for the end of the log")?;
        self.writer()?.head()
    }

    fn append(
        &mut self,
        expected: Head,
        batch: &Batch<'_>,
        deadline: Instant,
    ) -> Result<Durability, BackendError> {
        contract::in_time(deadline, "appending to the log")?;
        self.writer()?.append(expected, batch)
    }

    fn read(&mut self, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
        contract::in_time(deadline, "reading the log")?;
        self.writer()?.read(range)
    }

    fn synchronizer(&mut self) -> Result<Box<dyn Synchronizer>, BackendError> {
        let taken = match &mut self.state {
            State::Open { synchronizer, .. } => synchronizer.take(),
            State::Closed | State::Empty(_) => None,
        };
        match taken {
            Some(synchronizer) => Ok(Box::new(synchronizer)),
            None => Err(BackendError::Misconfigured {
                detail: format!(
                    "{}: the log is not open, or its synchronizer has been taken",
                    self.dir.display()
                ),
            }),
        }
    }
}

/// The verifier key of the log, if there is a log.
fn verifier_key(layout: &Layout) -> Result<Option<String>, BackendError> {
    let path = layout.verifier_key();
    let bytes = create::read_small(&path, KEY_LIMIT)
        .map_err(|error| fault::failed("reading the verifier key", &path, error))?;
    let Some(bytes) = bytes else {
        return Ok(None);
    };
    match std::str::from_utf8(&bytes).map(str::trim_end) {
        Ok(text) if text.splitn(3, '+').count() == 3 && !text.contains('\n') => {
            Ok(Some(text.to_owned()))
        }
        _ => Err(BackendError::Misconfigured {
            detail: format!(
                "{} does not hold one verifier key (<name>+<id>+<key>): put back the one that the log was created with",
                path.display()
            ),
        }),
    }
}

/// Refuses a directory that holds something else than a log.
fn refuse_foreign(layout: &Layout) -> Result<(), BackendError> {
    if layout.verifier_key().exists() {
        return Ok(());
    }
    let failed = |error| fault::failed("looking at the directory", layout.dir(), error);
    for entry in fs::read_dir(layout.dir()).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if !name.to_str().is_some_and(Layout::is_own_name) {
            return Err(BackendError::Misconfigured {
                detail: format!(
                    "{} is not empty and not a log: {} is there; name a directory of its own for the log",
                    layout.dir().display(),
                    name.display()
                ),
            });
        }
    }
    Ok(())
}

/// Refuses to take what is left of a log for an empty store.
fn refuse_keyless(layout: &Layout) -> Result<(), BackendError> {
    let has_lines = fs::read_dir(layout.segments())
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| entry.metadata().is_ok_and(|metadata| metadata.len() > 0));
    if !has_lines && !layout.checkpoint().exists() {
        return Ok(());
    }
    Err(BackendError::Misconfigured {
        detail: format!(
            "{} is missing, but {} holds a log: put back the verifier key that it was created with",
            layout.verifier_key().display(),
            layout.dir().display()
        ),
    })
}
