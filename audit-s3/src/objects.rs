//! The objects of lines one after the other, a few of them fetched ahead.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::fault::Fault;
use super::layout::Folder;
use super::search::Numbered;
use super::store::{Object, Store};
use super::versions::{KeyVersions, Listing, Version};

/// How many objects are fetched at the same time: a bound on memory, and on what a reader asks of
/// the store at once.
const AHEAD: usize = 8;

/// For how long an object is fetched again that could not be fetched before.
const AGAIN: Duration = Duration::from_secs(5);

/// One object of lines, of which the oldest version is read.
#[derive(Debug)]
pub(crate) struct Lines {
    /// The number of its first line.
    pub(crate) first: u64,
    /// What is under its key.
    pub(crate) found: KeyVersions,
    pub(crate) object: Object,
}

#[derive(Debug)]
struct Fetch {
    first: u64,
    found: KeyVersions,
    version: Version,
    task: JoinHandle<Result<Object, Fault>>,
}

/// Objects of lines in the order of their numbers.
#[derive(Debug)]
pub(crate) struct Objects {
    store: Arc<Store>,
    listing: Listing,
    /// Those that are on their way, the next one first.
    fetches: VecDeque<Fetch>,
    /// The one to begin with, before the listing goes on behind it.
    start: Option<Numbered>,
    exhausted: bool,
}

impl Objects {
    /// From `start` on; from the first one there is when it is `None`.
    pub(crate) fn from(store: &Arc<Store>, start: Option<Numbered>) -> Self {
        let behind = start.as_ref().map(|(_, found)| found.key.clone());
        Self {
            listing: Listing::new(store, store.layout.folder(Folder::Lines), behind),
            store: Arc::clone(store),
            fetches: VecDeque::new(),
            start,
            exhausted: false,
        }
    }

    /// Behind the object that starts with line `first`.
    pub(crate) fn behind(store: &Arc<Store>, first: u64) -> Self {
        let behind = Some(store.layout.lines(first));
        Self {
            listing: Listing::new(store, store.layout.folder(Folder::Lines), behind),
            store: Arc::clone(store),
            fetches: VecDeque::new(),
            start: None,
            exhausted: false,
        }
    }

    /// The next object; `None` behind the last one, for good.
    pub(crate) async fn next(&mut self, deadline: Instant) -> Result<Option<Lines>, Fault> {
        self.fetch_ahead(deadline).await?;
        let Some(fetch) = self.fetches.front_mut() else {
            return Ok(None);
        };
        let fetched = match tokio::time::timeout_at(deadline.into(), &mut fetch.task).await {
            Err(_) => return Err(Fault::Late),
            Ok(Ok(Ok(object))) => Ok(object),
            // It may have run into the deadline of an earlier call, which says nothing about this one.
            Ok(_) => self.store.get(&fetch.found.key, &fetch.version, deadline).await,
        };
        match fetched {
            Ok(object) => {
                let fetch = self.fetches.pop_front();
                Ok(fetch.map(|fetch| Lines { first: fetch.first, found: fetch.found, object }))
            }
            Err(fault) => {
                self.start_again();
                Err(fault)
            }
        }
    }

    /// A task gives its result once: after an error the first of them starts anew.
    fn start_again(&mut self) {
        if let Some(fetch) = self.fetches.front_mut() {
            fetch.task = spawn(&self.store, &fetch.found.key, &fetch.version, Instant::now() + AGAIN);
        }
    }

    async fn fetch_ahead(&mut self, deadline: Instant) -> Result<(), Fault> {
        while !self.exhausted && self.fetches.len() < AHEAD {
            let next = match self.start.take() {
                Some(start) => Some(start.1),
                None => match self.listing.next(deadline).await {
                    Ok(next) => next,
                    // What is on its way already can be had without the listing.
                    Err(_) if !self.fetches.is_empty() => return Ok(()),
                    Err(fault) => return Err(fault),
                },
            };
            let Some(found) = next else {
                self.exhausted = true;
                return Ok(());
            };
            let first = self.store.layout.number(Folder::Lines, &found.key);
            let (Some(first), Some(version)) = (first, found.oldest.clone()) else {
                continue;
            };
            let task = spawn(&self.store, &found.key, &version, deadline);
            self.fetches.push_back(Fetch { first, found, version, task });
        }
        Ok(())
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        for fetch in &self.fetches {
            fetch.task.abort();
        }
    }
}

fn spawn(store: &Arc<Store>, key: &str, version: &Version, deadline: Instant) -> JoinHandle<Result<Object, Fault>> {
    let (store, key, version) = (Arc::clone(store), key.to_owned(), version.clone());
    tokio::spawn(async move { store.get(&key, &version, deadline).await })
}
