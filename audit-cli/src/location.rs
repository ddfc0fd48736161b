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

/// Whether a log that was found at or under a location is what the location names: then their paths are
/// the same, however host and query are written.
pub(crate) fn is_itself(location: &str, log: &str) -> bool {
    path_of(location) == path_of(log)
}

/// Whether a log lies, or lay, at or under a location.
pub(crate) fn lies_under(location: &str, log: &str) -> bool {
    let (prefix, path) = (path_of(location), path_of(log));
    path.strip_prefix(prefix.as_slice())
        .is_some_and(|rest| rest.is_empty() || prefix.is_empty() || rest.starts_with(b"/"))
}

/// The path of a URL or directory, without slashes at its ends and with `%20` and the like resolved.
fn path_of(location: &str) -> Vec<u8> {
    let path = match location.split_once("://") {
        Some((_, rest)) => {
            let place = rest.split_once('?').map_or(rest, |(place, _)| place);
            place.split_once('/').map_or("", |(_, path)| path)
        }
        None => location,
    };
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.trim_matches('/').as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = after.first_chunk::<2>().filter(|_| *first == b'%');
        let value = escaped.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(value.unwrap_or(*first));
        rest = if value.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    bytes
}

/// One of the logs of a store, to be opened when its turn comes.
pub(crate) fn log_at<'a>(store: &Section, location: String) -> LogAt<'a> {
    let section = Section::new(location.clone(), store.options().iter().cloned());
    LogAt::new(location, move || section.reader().map_err(read_error))
}

/// As an error of reading: what is no URL is no log either.
fn read_error(error: LocationError) -> ReadError {
    match error {
        LocationError::Read(error) => error,
        other => ReadError::NotALog { detail: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::{is_itself, lies_under};

    #[test]
    fn a_log_is_what_was_named_when_the_paths_are_the_same() {
        for (location, log) in [
            ("/a/b", "/a/b"),
            ("/a/b/", "/a/b"),
            ("file:///a%20b", "file://localhost/a%20b?x=1"),
            ("nats://host/S/log?x=1", "nats://host:4222/S/log"),
            ("s3://bucket/a b", "s3://bucket/a%20b"),
            ("/50%", "/50%"),
        ] {
            assert!(is_itself(location, log), "{location} {log}");
        }
        for (location, log) in [("/a", "/a/b"), ("s3://bucket", "s3://bucket/log"), ("nats://h/S", "nats://h/S/log")] {
            assert!(!is_itself(location, log), "{location} {log}");
        }
    }

    #[test]
    fn a_log_lies_under_whole_segments_of_its_path() {
        for (location, log) in
            [("/a", "/a/b"), ("/a/", "/a"), ("s3://b?x=1", "s3://b/log?x=1"), ("s3://b/p?x", "s3://b/p/log?x")]
        {
            assert!(lies_under(location, log), "{location} {log}");
        }
        assert!(!lies_under("/a", "/ab"));
    }
}
