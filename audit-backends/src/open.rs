use audit_core::backend::Backend;
use audit_core::verify::{LogReader, ReadError};

use crate::scheme::Scheme;
use crate::{LocationError, file};

/// The store of the log at `location`, for writing: a directory, or a `file://`, `s3://`, `nats://` or
/// `postgres://` URL. `options` are further settings, with the names that the query of the URL takes.
///
/// Reaches for nothing yet: the store is opened by the log, which finds out what it can promise.
///
/// # Errors
///
/// When there is no such store, this program was built without it, or it does not take the URL or
/// an option.
pub fn open(location: &str, options: &[(String, String)]) -> Result<Box<dyn Backend>, LocationError> {
    match Scheme::of(location)? {
        Scheme::File => Ok(Box::new(file::backend(location, options).map_err(LocationError::refused)?)),
        #[cfg(feature = "s3")]
        Scheme::S3 => Ok(Box::new(audit_s3::S3::from_url(location, options).map_err(LocationError::refused)?)),
        #[cfg(feature = "nats")]
        Scheme::Nats => Ok(Box::new(audit_nats::Nats::from_url(location, options).map_err(LocationError::refused)?)),
        #[cfg(feature = "postgres")]
        Scheme::Postgres => {
            Ok(Box::new(audit_postgres::Postgres::from_url(location, options).map_err(LocationError::refused)?))
        }
        #[cfg(not(all(feature = "s3", feature = "nats", feature = "postgres")))]
        other => Err(other.not_built_in()),
    }
}

/// The log at `location`, for reading. Blocks as long as the store does; must not be called in async
/// code.
///
/// # Errors
///
/// As [`open`], and when what is there is no log or cannot be read.
pub fn reader(location: &str, options: &[(String, String)]) -> Result<Box<dyn LogReader>, LocationError> {
    match Scheme::of(location)? {
        Scheme::File => Ok(file::reader(location, options)?),
        #[cfg(feature = "s3")]
        Scheme::S3 => Ok(Box::new(audit_s3::S3Reader::from_url(location, options)?)),
        #[cfg(feature = "nats")]
        Scheme::Nats => Ok(Box::new(audit_nats::NatsReader::from_url(location, options)?)),
        #[cfg(feature = "postgres")]
        Scheme::Postgres => Ok(Box::new(audit_postgres::PostgresReader::from_url(location, options)?)),
        #[cfg(not(all(feature = "s3", feature = "nats", feature = "postgres")))]
        other => Err(other.not_built_in()),
    }
}

/// The locations of all logs that lie at or under `location`: itself too if it is a log. Options are
/// those of [`reader`]; they are needed again to open what was found. Blocks as long as the store does.
///
/// Directories are looked through eight levels deep, at most 100,000 of them, those below a log too but
/// not what the log itself has in them; links are not followed.
///
/// # Errors
///
/// As [`reader`]; that there is no log is an error.
pub fn logs(location: &str, options: &[(String, String)]) -> Result<Vec<String>, LocationError> {
    let found = match Scheme::of(location)? {
        Scheme::File => file::logs(location, options)?,
        #[cfg(feature = "s3")]
        Scheme::S3 => audit_s3::logs(location, options)?,
        #[cfg(feature = "nats")]
        Scheme::Nats => audit_nats::logs(location, options)?,
        #[cfg(feature = "postgres")]
        Scheme::Postgres => audit_postgres::logs(location, options)?,
        #[cfg(not(all(feature = "s3", feature = "nats", feature = "postgres")))]
        other => return Err(other.not_built_in()),
    };
    if found.is_empty() {
        let detail = format!("{location} is not a log, and no log lies under it");
        return Err(ReadError::NotALog { detail }.into());
    }
    Ok(found)
}
