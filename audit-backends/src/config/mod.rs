//! The sections of a configuration file that say where a log is kept.

mod error;
mod mistake;
mod parse;
mod section;
mod table;

use std::fs;
use std::io::Read as _;
use std::path::Path;

use audit_core::log::Builder;

use crate::LocationError;

pub use self::error::ConfigError;
pub use self::mistake::ConfigMistake;
pub use self::section::{ReplicaSection, Section};

/// Where a log is kept: its primary store, and replicas of it.
///
/// ```
/// use audit_backends::Config;
///
/// let config = Config::from_toml(
///     r#"
///     [primary]
///     url = "file:///var/lib/payments/audit"
///     min_free = "256MiB"
///
///     [[replica]]
///     name = "second disk"
///     url = "file:///mnt/second/audit"
///     lag_records = 100_000
///     lag_seconds = 300
///
///     [log]
///     when_weakened = "stop"
///     "#,
/// )?;
/// assert_eq!(config.primary.url(), "file:///var/lib/payments/audit");
/// # Ok::<(), audit_backends::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The store that the log is written to.
    pub primary: Section,
    /// The stores that copies go to; at most 8.
    pub replicas: Vec<ReplicaSection>,
    /// What the log does when its store turns out to be weaker than when it was opened.
    pub when_weakened: WhenWeakened,
}

/// What a log does when the settings of its store have changed so that it protects less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenWeakened {
    /// It records an `alert` and goes on.
    #[default]
    Alert,
    /// It records an `alert` and stops taking records.
    Stop,
}

impl Config {
    /// Reads a file. Blocks on the disk; reaches for no store but to see whether two directories are one.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Read`] when there is no such file, and as [`from_toml`](Self::from_toml), with
    /// the name of the file.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let failed = |source| ConfigError::Read { path: path.to_owned(), source };
        let file = fs::File::open(path).map_err(failed)?;
        let mut text = String::new();
        // One byte more than allowed says that it is too long.
        file.take(parse::TEXT_LIMIT as u64 + 1).read_to_string(&mut text).map_err(failed)?;
        Self::from_toml(&text).map_err(|error| error.in_file(path))
    }

    /// Reads a text of at most 1 MiB.
    ///
    /// `[primary]` and each `[[replica]]` have a `url` and, beside it, whatever the query of that URL
    /// may hold, as text, whole number or boolean. A replica may also have a `name`, and `lag_records`
    /// and `lag_seconds`: how far behind it may fall before the log records an `alert`. `[log]` has
    /// `when_weakened`: `"alert"`, the default, or `"stop"`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`] with line and column: for anything unknown, of the wrong type or
    /// missing, for a store that is given twice, and for what the store itself does not take.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        parse::parse(text)
    }

    /// Gives a log its primary store, its replicas and what to do when they turn out weaker.
    ///
    /// Reaches for no store yet: `open` of the builder does.
    ///
    /// ```no_run
    /// use audit_backends::Config;
    /// use audit_core::{AuditLog, Key};
    ///
    /// let config = Config::from_file("audit.toml")?;
    /// let builder = AuditLog::builder("payments.example.com/prod-1").key(Key::from_file("audit.key")?);
    /// let log = config.apply(builder)?.open()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`open`](crate::open), if something has changed since the configuration was read.
    pub fn apply(&self, builder: Builder) -> Result<Builder, LocationError> {
        let builder =
            builder.boxed_backend(self.primary.backend()?).stop_when_weakened(self.when_weakened == WhenWeakened::Stop);
        self.replicas.iter().try_fold(builder, |builder, section| Ok(builder.replica(section.replica()?)))
    }
}
