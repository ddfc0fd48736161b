//! From what stands on the command line to logs that can be read.

use audit_backends::{Config, LocationError, ReplicaSection, Section};
use audit_core::verify::{LogAt, LogReader, ReadError};

use crate::arguments::Place;
use crate::ending::Failure;

impl Place {
    /// Where the log is written to, and where copies of it are.
    pub(crate) fn stores(&self) -> Result<(Section, Vec<ReplicaSection>), Failure> {
        if let Some(path) = &self.config {
            let config = Config::from_file(path)?;
            return Ok((config.primary, config.replicas));
        }
        Ok((store(self.log.as_deref().unwrap_or_default()), Vec::new()))
    }

    /// Opens the one log that is there.
    pub(crate) fn open(&self) -> Result<Box<dyn LogReader>, Failure> {
        let (section, _) = self.stores()?;
        let error = match section.reader() {
            Ok(reader) => return Ok(reader),
            Err(error) => error,
        };
        let below = match error {
            LocationError::Read(ReadError::NotALog { .. }) => section.logs().unwrap_or_default(),
            _ => Vec::new(),
        };
        Err(match below.first() {
            Some(one) => {
                let url = section.url();
                Failure::new(format!("{url} is not a log, but there are logs below it: give one, such as {one}"))
            }
            None => error.into(),
        })
    }
}

/// A store that is named on the command line.
pub(crate) fn store(location: &str) -> Section {
    Section::new(location, [])
}

/// One of the logs of a store, with the settings of the store.
pub(crate) fn at(store: &Section, log: &str) -> Section {
    Section::new(log, store.options().iter().cloned())
}

/// Whether a log that was found at or under a store is what the store's location names, however either
/// is spelled.
pub(crate) fn is_itself(store: &Section, log: &str) -> bool {
    store.place() == at(store, log).place()
}

/// One of the logs of a store, to be opened when its turn comes.
pub(crate) fn log_at<'a>(store: &Section, location: String) -> LogAt<'a> {
    let section = at(store, &location);
    let place = section.place();
    LogAt::new(location, move || section.reader().map_err(read_error)).known_as(place)
}

/// As an error of reading: what is no URL is no log either.
fn read_error(error: LocationError) -> ReadError {
    match error {
        LocationError::Read(error) => error,
        other => ReadError::NotALog { detail: other.to_string() },
    }
}
