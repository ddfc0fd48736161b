//! The file that holds what the last run saw.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use audit_core::verify::FleetState;

use crate::ending::Failure;

/// How long another run may take to put its own state in place.
const WAIT: Duration = Duration::from_secs(10);

/// How often it is asked whether it has.
const PAUSE: Duration = Duration::from_millis(20);

/// The state in a file; an empty one if there is no such file yet, but a place for it.
pub(super) fn read(path: &Path) -> Result<FleetState, Failure> {
    if let Some(state) = load(path)? {
        return Ok(state);
    }
    // Before the work is done, not after it.
    fs::read_dir(folder(path)).map_err(|error| refused(path, &error))?;
    eprintln!("audit: {} is made anew: there is nothing to compare with yet", path.display());
    Ok(FleetState::default())
}

fn load(path: &Path) -> Result<Option<FleetState>, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(path, &error)),
    };
    let state = FleetState::parse(&text).map_err(|error| {
        Failure::new(format!("{} is not the state of a fleet, {error}: put a good copy in its place", path.display()))
    })?;
    Ok(Some(state))
}

/// Puts this state in the place of the file, with what another run has written there meanwhile: either
/// the old or the new one is there, whole.
pub(super) fn write(path: &Path, state: &FleetState) -> Result<(), Failure> {
    // A link stays one.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let lock = lock(path).map_err(|error| refused(path, &error))?;
    let meanwhile = load(path)?.unwrap_or_default();
    let text = meanwhile.merge(state.clone()).to_text();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Another machine may have a process of this number.
    let temporary = beside(path, &format!("{}.{}.tmp", std::process::id(), since.as_nanos()));
    let written = replace(path, &temporary, text.as_bytes());
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    drop(lock);
    written.map_err(|error| refused(path, &error))
}

/// Keeps other runs from reading what this one is about to replace. Ends with the file that is returned.
fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(beside(path, "lock"))?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if started.elapsed() < WAIT => thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "another run holds its lock for too long"));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

fn replace(path: &Path, temporary: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().create_new(true).write(true).open(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(temporary, path)?;
    File::open(folder(path))?.sync_all()
}

/// The directory that the file is in.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The file of the same name with something behind it.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{ending}"));
    path.with_file_name(name)
}

fn refused(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("--fleet-state {}: {error}", path.display()))
}
