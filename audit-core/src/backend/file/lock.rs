//! One writer at a time: an exclusive lock on a file that says who holds it.

use std::fs::{self, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use super::{create, fault};
use crate::backend::BackendError;
use crate::record::time::write_rfc3339;

/// How often a writer that waits looks whether the other one is gone.
const POLL: Duration = Duration::from_millis(10);

/// How much of the holder's description is repeated in an error.
const HOLDER_LIMIT: u64 = 512;

const TAKING: &str = "taking the lock of the log";

/// The lock; whoever drops it, or dies, gives it back.
///
/// It is a `flock`: a child process that was forked, and did not `exec`, shares it.
#[derive(Debug)]
pub(super) struct Lock {
    file: fs::File,
}

impl Lock {
    /// Takes the lock at `path`; tries again until `until` while another writer holds it.
    pub(super) fn take(path: &Path, until: Instant) -> Result<Self, BackendError> {
        loop {
            let file = create::options()
                .read(true)
                .create(true)
                .truncate(false)
                .open(path)
                .map_err(|source| fault::failed(TAKING, path, source))?;
            match file.try_lock() {
                Ok(()) if is_still_at(&file, path) => {
                    let mut lock = Self { file };
                    // The lock holds without its description, so a full disk is no reason to fail.
                    let _described = lock.describe();
                    return Ok(lock);
                }
                // Somebody removed the file: the lock on the old one keeps nobody out.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if Instant::now() >= until => {
                    return Err(BackendError::InUse { holder: holder(file) });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(POLL),
                Err(TryLockError::Error(source)) => return Err(unsupported(path, source)),
            }
        }
    }

    /// Writes who holds the lock, for the error that the next one gets.
    fn describe(&mut self) -> io::Result<()> {
        let mut text =
            format!("pid {} on {} since ", std::process::id(), rustix::system::uname().nodename().to_string_lossy())
                .into_bytes();
        write_rfc3339(SystemTime::now(), &mut text);
        text.push(b'\n');
        self.file.set_len(0)?;
        self.file.write_all(&text)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file gives the lock back in any case.
        let _cleared = self.file.set_len(0);
    }
}

/// Whether `path` still names the file that was locked.
fn is_still_at(file: &fs::File, path: &Path) -> bool {
    let place = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(ours), Ok(there)) => place(ours) == place(there),
        _ => false,
    }
}

/// What the holder wrote about itself, or why that is not known.
fn holder(file: fs::File) -> String {
    let mut text = Vec::new();
    let read = file.take(HOLDER_LIMIT).read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text);
    match text.trim() {
        described if read.is_ok() && !described.is_empty() => {
            described.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
        }
        _ => "another process, which has not said yet which one it is".to_owned(),
    }
}

fn unsupported(path: &Path, source: io::Error) -> BackendError {
    if source.kind() == io::ErrorKind::Unsupported {
        return BackendError::Misconfigured {
            detail: format!(
                "the file system of {} cannot lock files, so a second writer could not be kept out: use a local one",
                path.display()
            ),
        };
    }
    fault::failed(TAKING, path, source)
}
