//! What somebody may have done to the bucket since the log was opened.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use audit_core::backend::Concern;

use super::fault::{Fault, within};
use super::put::Made;
use super::retention::LockSeen;
use super::shared::{NO_OBJECT, Shared};
use super::versions::{KeyVersions, Listing};

/// How many doubled keys of one page are read and compared.
const COMPARED: usize = 4;

/// Looks at the settings, at the newest object, and at one page of the log after the other: a bounded
/// number of requests each time, and once around the log in time.
#[derive(Debug)]
pub(crate) struct Inspection {
    shared: Arc<Shared>,
    walk: Option<Listing>,
}

impl Inspection {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared, walk: None }
    }

    pub(crate) async fn concerns(&mut self, deadline: Instant) -> Result<Vec<Concern>, Fault> {
        let mut concerns = Vec::new();
        match self.look_at_everything(&mut concerns, deadline).await {
            // What was found is told, also when the rest could not be looked at.
            Err(fault) if concerns.is_empty() => Err(fault),
            _ => Ok(concerns),
        }
    }

    async fn look_at_everything(&mut self, concerns: &mut Vec<Concern>, deadline: Instant) -> Result<(), Fault> {
        self.settings(concerns, deadline).await?;
        self.newest(concerns, deadline).await?;
        self.page(concerns, deadline).await
    }

    async fn settings(&self, concerns: &mut Vec<Concern>, deadline: Instant) -> Result<(), Fault> {
        let store = &self.shared.store;
        let (then, now) = (self.shared.bucket, store.bucket_settings(deadline).await?);
        let bucket = &store.layout.bucket;
        if !now.versioned {
            concerns.push(Concern::new(
                "versioning",
                format!("versioning of bucket {bucket} is no longer enabled: objects can be overwritten"),
            ));
        }
        if !now.locks {
            concerns.push(Concern::new(
                "object_lock",
                format!("Object Lock of bucket {bucket} is no longer enabled: objects can be deleted"),
            ));
        }
        let relies = !self.shared.making.retention.explicit;
        if relies && now.default != then.default {
            let said = |rule: Option<_>| rule.map_or("none".into(), |(mode, days)| format!("{days} days, {mode}"));
            concerns.push(Concern::new(
                "default_retention",
                format!(
                    "the default retention of bucket {bucket}, which locks the log's objects, was {} and is {} now",
                    said(then.default),
                    said(now.default)
                ),
            ));
        }
        if !self.shared.delete_right_accepted && store.may_delete_versions(deadline).await? {
            concerns.push(Concern::new(
                "delete_right",
                format!("the writer's credentials may delete versions in bucket {bucket} now: take s3:DeleteObjectVersion away"),
            ));
        }
        Ok(())
    }

    /// The newest object is locked as it was made.
    async fn newest(&self, concerns: &mut Vec<Concern>, deadline: Instant) -> Result<(), Fault> {
        let store = &self.shared.store;
        let first = self.shared.newest.load(Ordering::Acquire);
        if first == NO_OBJECT {
            return Ok(());
        }
        let key = store.layout.lines(first);
        let found = store.versions_of(&key, deadline).await?;
        let Some(oldest) = &found.oldest else {
            concerns.push(Concern::new("deleted", format!("{key} has been acknowledged, and is not there any more")));
            return Ok(());
        };
        self.look(&found, concerns);
        let lock = store.lock_of(&key, oldest, deadline).await?;
        if let Some(weakness) = lock.weakness() {
            concerns.push(Concern::new("retention", format!("{key} {weakness}")));
        }
        Ok(())
    }

    async fn page(&mut self, concerns: &mut Vec<Concern>, deadline: Instant) -> Result<(), Fault> {
        let store = &self.shared.store;
        let walk = self.walk.get_or_insert_with(|| Listing::new(store, store.layout.root.clone(), None));
        let (keys, more) = walk.turn(deadline).await?;
        if !more {
            self.walk = None;
        }
        for found in &keys {
            if found.key != store.layout.nothing() && found.key != store.layout.probe() {
                self.look(found, concerns);
            }
        }
        for found in keys.iter().filter(|found| found.is_doubled()).take(COMPARED) {
            if let Made::Forked = store.compare(found, b"", deadline).await? {
                concerns.push(Concern::new(
                    "versions",
                    format!(
                        "{} has versions with different bytes: two writers, or somebody who writes over the log",
                        found.key
                    ),
                ));
            }
        }
        Ok(())
    }

    fn look(&self, found: &KeyVersions, concerns: &mut Vec<Concern>) {
        let told = concerns.iter().any(|concern| concern.setting == "delete_markers");
        if found.markers > 0 && !told {
            concerns.push(Concern::new(
                "delete_markers",
                format!("somebody has put a delete marker on {}: its bytes are hidden, and still there", found.key),
            ));
        }
    }
}

impl super::store::Store {
    /// The lock on one version: one request, no bytes.
    pub(crate) async fn lock_of(
        &self,
        key: &str,
        version: &super::versions::Version,
        deadline: Instant,
    ) -> Result<LockSeen, Fault> {
        let request = self.client.head_object().bucket(&self.layout.bucket).key(key).version_id(&version.id);
        let answer = within(deadline, request.send()).await?;
        Ok(LockSeen::of_answer(answer.object_lock_mode(), answer.object_lock_retain_until_date(), answer.metadata()))
    }
}
