//! Going around the whole log while it is open, page by page: what was hidden, and what was written twice.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use audit_core::backend::Concern;

use super::fault::Fault;
use super::put::Made;
use super::store::Store;
use super::versions::{KeyVersions, Listing};

/// How many keys with several versions are read and compared at each step.
const COMPARED: usize = 8;

/// With so many keys waiting to be compared, no further page is turned: a bound on memory, with a page more.
const WAITING: usize = 1_000;

/// How many keys of each kind are named; that there are more is said once.
const NAMED: usize = 64;

/// A walk that never ends. What it has found is kept until the walk has come round and not found it again, so
/// that it is told once.
#[derive(Debug)]
pub(crate) struct Patrol {
    store: Arc<Store>,
    listing: Option<Listing>,
    round: u64,
    /// Keys with delete markers, and the round in which each was seen last.
    markers: BTreeMap<String, u64>,
    /// The round in which more of them were seen than are named.
    more_markers: Option<u64>,
    /// Keys with other bytes in a later version; that does not go away.
    forks: BTreeSet<String>,
    more_forks: bool,
    /// Keys that have not been compared yet.
    waiting: VecDeque<KeyVersions>,
}

impl Patrol {
    pub(crate) const fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            listing: None,
            round: 0,
            markers: BTreeMap::new(),
            more_markers: None,
            forks: BTreeSet::new(),
            more_forks: false,
            waiting: VecDeque::new(),
        }
    }

    /// Looks at one page, and compares a few of the keys that wait for it.
    pub(crate) async fn step(&mut self, deadline: Instant) -> Result<(), Fault> {
        let turned = if self.waiting.len() < WAITING { self.turn(deadline).await } else { Ok(()) };
        let compared = self.compare(deadline).await;
        turned.and(compared)
    }

    /// Takes note of what is under one key.
    pub(crate) fn look(&mut self, found: KeyVersions) {
        let layout = &self.store.layout;
        if found.key == layout.nothing() || found.key == layout.probe() {
            return;
        }
        if found.markers > 0 {
            if self.markers.len() < NAMED || self.markers.contains_key(&found.key) {
                self.markers.insert(found.key.clone(), self.round);
            } else {
                self.more_markers = Some(self.round);
            }
        }
        let known = self.forks.contains(&found.key) || self.waiting.iter().any(|waiting| waiting.key == found.key);
        if found.sizes_differ() {
            self.forked(found.key);
        } else if found.is_doubled() && !known {
            self.waiting.push_back(found);
        }
    }

    /// What is wrong with the log's objects, as far as is known.
    pub(crate) fn concerns(&self) -> impl Iterator<Item = Concern> {
        let markers = self.markers.keys().map(|key| {
            let detail = format!("somebody has put a delete marker on {key}: its bytes are hidden, and still there");
            Concern::new(format!("delete_markers {key}"), detail)
        });
        let forks = self.forks.iter().map(|key| {
            let detail =
                format!("{key} has versions with different bytes: two writers, or somebody who writes over the log");
            Concern::new(format!("versions {key}"), detail)
        });
        let more = [("delete_markers", self.more_markers.is_some()), ("versions", self.more_forks)];
        let more = more.into_iter().filter(|(_, more)| *more).map(|(setting, _)| {
            Concern::new(setting, format!("there are more keys like the {NAMED} that were named: verify the log"))
        });
        markers.chain(forks).chain(more)
    }

    async fn turn(&mut self, deadline: Instant) -> Result<(), Fault> {
        let store = &self.store;
        let listing = self.listing.get_or_insert_with(|| Listing::new(store, store.layout.root.clone(), None));
        let (keys, more) = listing.turn(deadline).await?;
        for found in keys {
            self.look(found);
        }
        if !more {
            let round = self.round;
            self.markers.retain(|_, seen| *seen == round);
            self.more_markers = self.more_markers.filter(|seen| *seen == round);
            self.round += 1;
            self.listing = None;
        }
        Ok(())
    }

    async fn compare(&mut self, deadline: Instant) -> Result<(), Fault> {
        for _ in 0..COMPARED.min(self.waiting.len()) {
            let Some(found) = self.waiting.pop_front() else { break };
            match self.store.compare(&found, b"", deadline).await {
                Ok(Made::Ours | Made::Others(_)) => {}
                Ok(Made::Forked) => self.forked(found.key),
                // No log leaves what cannot be read.
                Err(fault) if fault.is_of_object() => self.forked(found.key),
                Err(fault) => {
                    // It has its turn again, behind those that may be compared meanwhile.
                    self.waiting.push_back(found);
                    return Err(fault);
                }
            }
        }
        Ok(())
    }

    fn forked(&mut self, key: String) {
        if self.forks.len() < NAMED || self.forks.contains(&key) {
            self.forks.insert(key);
        } else {
            self.more_forks = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::location::Location;
    use crate::settings::Settings;
    use crate::versions::Version;

    /// A patrol of a store that nobody runs, with `waiting` keys to be compared.
    fn with_waiting(waiting: usize) -> Patrol {
        let settings = Settings { endpoint: Some("http://127.0.0.1:1".into()), ..Settings::default() };
        let location = Location::new("bucket", "log").unwrap_or_else(|error| panic!("{error}"));
        let store = Store::new(&location, &settings).unwrap_or_else(|error| panic!("{error}"));
        let mut patrol = Patrol::new(Arc::new(store));
        for number in 0..waiting {
            let version = |id: &str| Version { id: id.into(), size: 1 };
            let key = patrol.store.layout.lines(number as u64);
            let doubled = KeyVersions { oldest: Some(version("1")), others: vec![version("2")], ..Default::default() };
            patrol.look(KeyVersions { key, ..doubled });
        }
        patrol
    }

    #[test]
    fn no_page_is_turned_while_too_many_keys_wait_and_none_of_them_is_lost() -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        for (waiting, turns) in [(WAITING - 1, true), (WAITING, false)] {
            let mut patrol = with_waiting(waiting);
            let stepped = runtime.block_on(patrol.step(Instant::now() + Duration::from_secs(5)));
            assert!(stepped.is_err(), "nobody is there");
            assert_eq!(patrol.listing.is_some(), turns, "with {waiting} waiting");
            assert_eq!(patrol.waiting.len(), waiting);
        }
        Ok(())
    }
}
