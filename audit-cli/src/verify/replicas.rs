//! The stores that hold copies, and what is in them.

use std::collections::HashSet;
use std::time::Duration;

use audit_backends::{ReplicaSection, Section};
use audit_core::verify::{Copies, LogAt, ReadError};

use crate::ending::Failure;
use crate::location;

/// A store that copies are in.
#[derive(Debug)]
pub(super) struct Replica {
    section: Section,
    lag_records: Option<u64>,
    lag_time: Option<Duration>,
}

impl From<ReplicaSection> for Replica {
    fn from(configured: ReplicaSection) -> Self {
        Self { section: configured.section, lag_records: configured.lag_records, lag_time: configured.lag }
    }
}

impl Replica {
    /// One that is named on the command line.
    pub(super) fn at(location: &str) -> Self {
        Self { section: location::store(location), lag_records: None, lag_time: None }
    }

    /// Refuses the store of the log itself, under whatever name.
    pub(super) fn check(&self, log: &Section) -> Result<(), Failure> {
        if self.section.is_same_store(log) { Err(itself(self.section.url())) } else { Ok(()) }
    }

    /// The copies that are there now.
    pub(super) fn list(self) -> Listed {
        let store = self.section;
        let (logs, places) = match store.logs() {
            Ok(logs) => {
                let places = logs.iter().map(|log| location::at(&store, log).place()).collect();
                (logs.into_iter().map(|log| location::log_at(&store, log)).collect(), places)
            }
            // A comparison that was asked for and did not take place is not left unsaid.
            Err(error) => {
                let detail = error.to_string();
                let unread = move || Err(ReadError::NotALog { detail: detail.clone() });
                (vec![LogAt::new(store.url(), unread).known_as(store.place())], Vec::new())
            }
        };
        let mut copies = Copies::new(store.url(), logs).known_as(store.place());
        if let Some(records) = self.lag_records {
            copies = copies.lag_records(records);
        }
        if let Some(lag) = self.lag_time {
            copies = copies.lag_time(lag);
        }
        Listed { copies, places }
    }
}

/// A store that has been listed.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) copies: Copies<'static>,
    /// Where its logs are.
    places: Vec<String>,
}

impl Listed {
    /// Refuses a store in which one of the logs that are verified lies itself.
    pub(super) fn check(&self, section: &Section, logs: &[String]) -> Result<(), Failure> {
        let own: HashSet<String> = logs.iter().map(|log| location::at(section, log).place()).collect();
        match self.places.iter().find(|place| own.contains(*place)) {
            Some(place) => Err(itself(place)),
            None => Ok(()),
        }
    }
}

fn itself(place: &str) -> Failure {
    Failure::new(format!("{place} is the log itself: compared with itself it is always the same"))
}
