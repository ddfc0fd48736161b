use std::time::Duration;

use audit_core::backend::Backend;
use audit_core::log::Replica;
use audit_core::verify::LogReader;

use crate::{LocationError, place};

/// One store: its URL, and further settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    url: String,
    options: Vec<(String, String)>,
}

impl Section {
    /// A store, as [`open`](crate::open) takes it. Checks nothing yet.
    #[must_use]
    pub fn new(url: impl Into<String>, options: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { url: url.into(), options: options.into_iter().collect() }
    }

    /// Where it is: a URL, or a directory.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The settings beside the URL.
    #[must_use]
    pub fn options(&self) -> &[(String, String)] {
        &self.options
    }

    /// The text that stands for it however it is spelled: an absolute path without links, or a URL
    /// without user, with port, and with only such settings as make it another place. What is no
    /// location stands for itself. Looks at the disk for a directory; reaches for no other store.
    #[must_use]
    pub fn place(&self) -> String {
        place::text(&self.url, &self.options)
    }

    /// Whether the other is the same store, under whatever name: a copy there protects nothing. Looks
    /// at the disk for directories; reaches for no other store.
    #[must_use]
    pub fn is_same_store(&self, other: &Self) -> bool {
        place::same((&self.url, &self.options), (&other.url, &other.options))
    }

    /// The writing side; see [`open`](crate::open).
    ///
    /// # Errors
    ///
    /// As [`open`](crate::open).
    pub fn backend(&self) -> Result<Box<dyn Backend>, LocationError> {
        crate::open(&self.url, &self.options)
    }

    /// The reading side; see [`reader`](crate::reader). Blocks as long as the store does.
    ///
    /// # Errors
    ///
    /// As [`reader`](crate::reader).
    pub fn reader(&self) -> Result<Box<dyn LogReader>, LocationError> {
        crate::reader(&self.url, &self.options)
    }

    /// The logs there; see [`logs`](crate::logs). Blocks as long as the store does.
    ///
    /// # Errors
    ///
    /// As [`logs`](crate::logs).
    pub fn logs(&self) -> Result<Vec<String>, LocationError> {
        crate::logs(&self.url, &self.options)
    }
}

/// A store that copies go to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplicaSection {
    /// The store.
    pub section: Section,
    /// What records and messages call it.
    pub name: Option<String>,
    /// How many records it may be behind before the log records an `alert`.
    pub lag_records: Option<u64>,
    /// For how long it may be behind before the log records an `alert`.
    pub lag: Option<Duration>,
}

impl ReplicaSection {
    /// The replica as a log takes it.
    ///
    /// # Errors
    ///
    /// As [`open`](crate::open).
    pub fn replica(&self) -> Result<Replica, LocationError> {
        let mut replica = Replica::boxed(self.section.backend()?);
        if let Some(name) = &self.name {
            replica = replica.name(name);
        }
        if let Some(records) = self.lag_records {
            replica = replica.lag_records(records);
        }
        if let Some(lag) = self.lag {
            replica = replica.lag_time(lag);
        }
        Ok(replica)
    }
}
