//! Logs in directories: what stands in for the URL of a store that has none of its own.

mod below;
mod error;
mod location;
mod options;

use std::path::{Path, PathBuf};

use audit_core::File;
use audit_core::backend::FileReader;
use audit_core::verify::{LogReader, ReadError};

pub use self::error::FileLocationError;
use self::location::FileLocation;
pub(crate) use self::location::encoded;
use self::options::FileOptions;

/// The writing side of the log in a directory.
pub(crate) fn backend(location: &str, options: &[(String, String)]) -> Result<File, FileLocationError> {
    let location = FileLocation::parse(location)?;
    let options = FileOptions::read(location.options.iter().chain(options))?;
    Ok(options.apply(File::new(location.dir)))
}

/// The reading side.
pub(crate) fn reader(location: &str, options: &[(String, String)]) -> Result<Box<dyn LogReader>, ReadError> {
    Ok(Box::new(FileReader::open(checked(location, options)?.dir)?))
}

/// The logs at or below a directory.
pub(crate) fn logs(location: &str, options: &[(String, String)]) -> Result<Vec<String>, ReadError> {
    let location = checked(location, options)?;
    Ok(below::logs(&location.dir)?.iter().map(|dir| location.with_dir(dir)).collect())
}

/// The directory that a location names.
pub(crate) fn directory(location: &str) -> Result<PathBuf, FileLocationError> {
    FileLocation::parse(location).map(|location| location.dir)
}

/// A path as text; as a URL where a path would be read as something else.
pub(crate) fn path_text(dir: &Path) -> String {
    FileLocation::of(dir).with_dir(dir)
}

/// A reader needs none of the options, but a wrong one is a mistake all the same.
fn checked(location: &str, options: &[(String, String)]) -> Result<FileLocation, ReadError> {
    let refused = |error: FileLocationError| ReadError::NotALog { detail: error.to_string() };
    let location = FileLocation::parse(location).map_err(refused)?;
    FileOptions::read(location.options.iter().chain(options)).map_err(refused)?;
    Ok(location)
}
