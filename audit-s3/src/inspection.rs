//! What somebody may have done to the bucket since the log was opened.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use audit_core::backend::Concern;

use super::fault::{Fault, within};
use super::patrol::Patrol;
use super::retention::LockSeen;
use super::shared::{NO_OBJECT, Shared};
use super::store::Store;
use super::versions::Version;

/// Looks at the settings, at the newest object, and at one page of the log after the other: a bounded
/// number of requests each time, and once around the log in time.
#[derive(Debug)]
pub(crate) struct Inspection {
    shared: Arc<Shared>,
    /// What was wrong with the settings, and with the newest object, when they were looked at last.
    settings: Vec<Concern>,
    newest: Vec<Concern>,
    patrol: Patrol,
}

impl Inspection {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let patrol = Patrol::new(Arc::clone(&shared.store));
        Self { shared, settings: Vec::new(), newest: Vec::new(), patrol }
    }

    /// Everything that is a concern now. What could not be looked at is as it was.
    pub(crate) async fn concerns(&mut self, deadline: Instant) -> Result<Vec<Concern>, Fault> {
        let mut found = Vec::new();
        let settings = self.look_at_settings(&mut found, deadline).await;
        replace(&mut self.settings, found, settings.is_ok());
        let mut found = Vec::new();
        let newest = self.look_at_newest(&mut found, deadline).await;
        replace(&mut self.newest, found, newest.is_ok());
        let walked = self.patrol.step(deadline).await;

        let concerns: Vec<Concern> =
            self.settings.iter().chain(&self.newest).cloned().chain(self.patrol.concerns()).collect();
        match settings.and(newest).and(walked) {
            // What was found is told, also when the rest could not be looked at.
            Err(fault) if concerns.is_empty() => Err(fault),
            _ => Ok(concerns),
        }
    }

    async fn look_at_settings(&self, concerns: &mut Vec<Concern>, deadline: Instant) -> Result<(), Fault> {
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
        if self.shared.making.retention.of_bucket && now.default != then.default {
            let said = |rule: Option<_>| rule.map_or("none".into(), |(mode, days)| format!("{days} days, {mode}"));
            concerns.push(Concern::new(
                "default_retention",
                format!(
                    "the default retention of bucket {bucket}, which the log took over, was {} and is {} now; objects are locked as before until the log is opened again",
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
    async fn look_at_newest(&mut self, concerns: &mut Vec<Concern>, deadline: Instant) -> Result<(), Fault> {
        let store = &self.shared.store;
        let first = self.shared.newest.load(Ordering::Acquire);
        if first == NO_OBJECT {
            return Ok(());
        }
        let key = store.layout.lines(first);
        let found = store.versions_of(&key, deadline).await?;
        let Some(oldest) = found.oldest.clone() else {
            concerns.push(Concern::new("deleted", format!("{key} has been acknowledged, and is not there any more")));
            return Ok(());
        };
        self.patrol.look(found);
        if let Some(weakness) = store.lock_of(&key, &oldest, deadline).await?.weakness() {
            concerns.push(Concern::new("retention", format!("{key} {weakness}")));
        }
        Ok(())
    }
}

/// Puts `found` in place of what was `known`; with what was known, if not everything was looked at.
fn replace(known: &mut Vec<Concern>, found: Vec<Concern>, complete: bool) {
    let before = std::mem::replace(known, found);
    if !complete {
        let missed = before.into_iter().filter(|it| !known.iter().any(|found| found.setting == it.setting));
        let missed: Vec<Concern> = missed.collect();
        known.extend(missed);
    }
}

impl Store {
    /// The lock on one version: one request, no bytes.
    pub(crate) async fn lock_of(&self, key: &str, version: &Version, deadline: Instant) -> Result<LockSeen, Fault> {
        let request = self.client.head_object().bucket(&self.layout.bucket).key(key).version_id(&version.id);
        let answer = within(deadline, request.send()).await?;
        Ok(LockSeen::of_answer(answer.object_lock_mode(), answer.object_lock_retain_until_date(), answer.metadata()))
    }

    /// What is weaker about the lock on one version than it has to be, if anything is.
    pub(crate) async fn weakness_of(
        &self,
        key: &str,
        version: &Version,
        deadline: Instant,
    ) -> Result<Option<String>, Fault> {
        match self.lock_of(key, version, deadline).await {
            Ok(lock) => Ok(lock.weakness()),
            Err(fault) if fault.is_of_object() => Ok(Some(format!("does not show its lock: {fault}"))),
            Err(fault) => Err(fault),
        }
    }
}
