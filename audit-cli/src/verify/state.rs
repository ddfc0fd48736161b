//! The file that holds what the last run saw.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use audit_core::verify::FleetState;

use crate::ending::Failure;

/// The state in a file; an empty one if there is no such file yet.
pub(super) fn read(path: &Path) -> Result<FleetState, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            eprintln!("audit: {} is made anew: there is nothing to compare with yet", path.display());
            return Ok(FleetState::default());
        }
        Err(error) => return Err(refused(path, &error)),
    };
    FleetState::parse(&text).map_err(|error| {
        Failure::new(format!("{} is not the state of a fleet, {error}: put a good copy in its place", path.display()))
    })
}

/// Replaces the file by one with this state: either the old or the new one is there, whole.
pub(super) fn write(path: &Path, state: &FleetState) -> Result<(), Failure> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = replace(path, &temporary, state.to_text().as_bytes());
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(|error| refused(path, &error))
}

fn replace(path: &Path, temporary: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(temporary, path)?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir)?.sync_all()
}

fn refused(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("--fleet-state {}: {error}", path.display()))
}
