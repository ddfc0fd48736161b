//! Listing a bucket by versions: what is hidden or there twice is seen, too.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;

use super::fault::{Fault, within};
use super::store::Store;

/// How many versions of one key are remembered besides the oldest; the rest is counted.
const OTHERS: usize = 16;

/// One version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) size: u64,
}

/// Everything that a bucket holds under one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyVersions {
    pub(crate) key: String,
    /// The first that was made: the one that was acknowledged, whatever came later.
    pub(crate) oldest: Option<Version>,
    /// Later ones.
    pub(crate) others: Vec<Version>,
    /// How many more there are.
    pub(crate) more: u64,
    /// How many delete markers there are.
    pub(crate) markers: u64,
}

impl KeyVersions {
    /// Takes another version; they come newest first.
    fn push(&mut self, version: Version) {
        if let Some(newer) = self.oldest.replace(version) {
            if self.others.len() < OTHERS {
                self.others.push(newer);
            } else {
                self.more += 1;
            }
        }
    }

    /// Whether its versions have different bytes for certain: there is no need to read them.
    pub(crate) fn sizes_differ(&self) -> bool {
        let first = self.oldest.as_ref().map(|oldest| oldest.size);
        self.others.iter().any(|other| Some(other.size) != first)
    }

    /// Whether there is more than one version.
    pub(crate) fn is_doubled(&self) -> bool {
        !self.others.is_empty()
    }
}

/// The keys under a prefix in their order, page by page.
#[derive(Debug)]
pub(crate) struct Listing {
    store: Arc<Store>,
    prefix: String,
    /// Keys up to this one are passed over: stores differ on whether they list it.
    behind: Option<String>,
    marker: Option<(String, Option<String>)>,
    ready: VecDeque<KeyVersions>,
    /// The last key of a page: the next one may go on with it.
    open: Option<KeyVersions>,
    done: bool,
}

impl Listing {
    /// The keys that start with `prefix` and follow `behind`.
    pub(crate) fn new(store: &Arc<Store>, prefix: String, behind: Option<String>) -> Self {
        Self {
            store: Arc::clone(store),
            prefix,
            marker: behind.clone().map(|key| (key, None)),
            behind,
            ready: VecDeque::new(),
            open: None,
            done: false,
        }
    }

    /// The next key; `None` behind the last one.
    pub(crate) async fn next(&mut self, deadline: Instant) -> Result<Option<KeyVersions>, Fault> {
        loop {
            if let Some(next) = self.ready.pop_front() {
                return Ok(Some(next));
            }
            if self.done {
                return Ok(None);
            }
            self.page(deadline).await?;
        }
    }

    /// The keys of the next page that are complete, and whether more follow.
    pub(crate) async fn turn(&mut self, deadline: Instant) -> Result<(Vec<KeyVersions>, bool), Fault> {
        if !self.done && self.ready.is_empty() {
            self.page(deadline).await?;
        }
        Ok((self.ready.drain(..).collect(), !self.done))
    }

    async fn page(&mut self, deadline: Instant) -> Result<(), Fault> {
        let layout = &self.store.layout;
        let (key, version) = self.marker.clone().map_or((None, None), |(key, version)| (Some(key), version));
        let request = self.store.client.list_object_versions().bucket(&layout.bucket).prefix(&self.prefix);
        let request = request.set_key_marker(key).set_version_id_marker(version);
        let answer = within(deadline, request.send()).await?;
        let next = answer.next_key_marker().map(str::to_owned);
        let next = next.map(|key| (key, answer.next_version_id_marker().map(str::to_owned)));
        let truncated = answer.is_truncated() == Some(true);
        if truncated && (next.is_none() || next == self.marker) {
            return Err(Fault::Strange("the store says that its listing goes on, and not where".into()));
        }
        self.done = !truncated;
        self.marker = next;
        self.take(&answer);
        Ok(())
    }

    fn take(&mut self, answer: &ListObjectVersionsOutput) {
        let mut page: BTreeMap<String, KeyVersions> = BTreeMap::new();
        if let Some(open) = self.open.take() {
            page.insert(open.key.clone(), open);
        }
        let behind = self.behind.as_deref();
        let mut group = |key: Option<&str>, change: &dyn Fn(&mut KeyVersions)| {
            let Some(key) =
                key.filter(|key| key.starts_with(&self.prefix) && behind.is_none_or(|behind| *key > behind))
            else {
                return;
            };
            change(
                page.entry(key.to_owned()).or_insert_with(|| KeyVersions { key: key.to_owned(), ..Default::default() }),
            );
        };
        for version in answer.versions() {
            let size = version.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
            let id = version.version_id().unwrap_or("null");
            group(version.key(), &|found| found.push(Version { id: id.to_owned(), size }));
        }
        for marker in answer.delete_markers() {
            group(marker.key(), &|found| found.markers += 1);
        }
        self.ready.extend(page.into_values());
        if !self.done {
            self.open = self.ready.pop_back();
        }
    }
}

impl Store {
    /// Everything under exactly this key.
    pub(crate) async fn versions_of(self: &Arc<Self>, key: &str, deadline: Instant) -> Result<KeyVersions, Fault> {
        let mut listing = Listing::new(self, key.to_owned(), None);
        match listing.next(deadline).await? {
            Some(found) if found.key == key => Ok(found),
            _ => Ok(KeyVersions { key: key.to_owned(), ..KeyVersions::default() }),
        }
    }
}
