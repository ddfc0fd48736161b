use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use audit_core::backend::FileReader;
use audit_core::verify::ReadError;

/// How deep logs are looked for: the directory itself is at depth 0.
const DEPTH: u32 = 8;

/// How many directories are looked at.
const DIRECTORIES: usize = 100_000;

/// What a log itself has in its directory: no other log is looked for there.
const OF_A_LOG: [&str; 4] = ["segments", "checkpoints", "tile", "quarantine"];

/// The logs at or below `dir`, by name. Below a log, too: whoever makes a log of a prefix hides no log
/// under it. Links are not followed, and what cannot be read is an error rather than passed over.
pub(super) fn logs(dir: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let detail = match FileReader::open(dir) {
        Ok(_) => None,
        Err(ReadError::NotALog { detail }) => Some(detail),
        Err(error) => return Err(error),
    };
    if !dir.is_dir() {
        return Err(ReadError::NotALog { detail: detail.unwrap_or_default() });
    }
    let mut found: Vec<PathBuf> = detail.is_none().then(|| dir.to_owned()).into_iter().collect();
    let mut waiting = vec![(dir.to_owned(), 0, detail.is_none())];
    let mut seen = 0;
    while let Some((dir, depth, is_log)) = waiting.pop() {
        for below in directories(&dir)? {
            if is_log && below.file_name().is_some_and(|name| OF_A_LOG.iter().any(|own| name == *own)) {
                continue;
            }
            seen += 1;
            if seen > DIRECTORIES {
                return Err(ReadError::unavailable(
                    format!("looking for logs below {}", dir.display()),
                    format!("there are more than {DIRECTORIES} directories: name one that holds logs and little else"),
                ));
            }
            let is_log = match FileReader::open(&below) {
                Ok(_) => true,
                Err(ReadError::NotALog { .. }) => false,
                Err(error) => return Err(error),
            };
            if is_log {
                found.push(below.clone());
            }
            if depth + 1 < DEPTH {
                waiting.push((below, depth + 1, is_log));
            }
        }
    }
    found.sort();
    if let Some(detail) = detail.filter(|_| found.is_empty()) {
        let detail = format!("{detail}, and no log lies below it ({DEPTH} directories deep at most)");
        return Err(ReadError::NotALog { detail });
    }
    Ok(found)
}

/// The directories in `dir`; none if it has gone since it was seen.
fn directories(dir: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let failed = |error| ReadError::unavailable(format!("listing {}", dir.display()), error);
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        // Every fresh file system has this one, and only root may look into it.
        if entry.file_name() != "lost+found" && entry.file_type().map_err(failed)?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}
