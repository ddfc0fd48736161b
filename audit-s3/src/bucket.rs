//! What a bucket has to be, and what it is.

use std::time::Instant;

use aws_sdk_s3::types::{BucketVersioningStatus, DefaultRetention, ObjectLockEnabled};

use audit_core::backend::BackendError;

use super::LockMode;
use super::fault::{Fault, within};
use super::retention::Retention;
use super::settings::Settings;
use super::store::Store;

/// The settings of a bucket that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BucketSettings {
    pub(crate) versioned: bool,
    pub(crate) locks: bool,
    /// The retention of objects that ask for none.
    pub(crate) default: Option<(LockMode, u32)>,
}

impl Store {
    /// Asks for the bucket's settings: two requests.
    pub(crate) async fn bucket_settings(&self, deadline: Instant) -> Result<BucketSettings, Fault> {
        let bucket = &self.layout.bucket;
        let request = self.client.get_bucket_versioning().bucket(bucket);
        let versioning = within(deadline, request.send()).await?;
        let request = self.client.get_object_lock_configuration().bucket(bucket);
        let lock = match within(deadline, request.send()).await {
            Ok(answer) => answer.object_lock_configuration,
            Err(fault) if fault.is_missing() || is_unlocked(&fault) => None,
            Err(fault) => return Err(fault),
        };
        let enabled = |lock: &aws_sdk_s3::types::ObjectLockConfiguration| {
            lock.object_lock_enabled() == Some(&ObjectLockEnabled::Enabled)
        };
        let rule = lock.as_ref().and_then(|lock| lock.rule()).and_then(|rule| rule.default_retention());
        Ok(BucketSettings {
            versioned: versioning.status() == Some(&BucketVersioningStatus::Enabled),
            locks: lock.as_ref().is_some_and(enabled),
            default: rule.and_then(default_of),
        })
    }
}

impl BucketSettings {
    /// The retention of the log's objects, if the bucket is one in which it holds.
    pub(crate) fn retention(&self, settings: &Settings, bucket: &str) -> Result<Retention, BackendError> {
        let wrong = |detail: String| Err(BackendError::Misconfigured { detail });
        if !self.versioned {
            return wrong(format!(
                "bucket {bucket}: versioning is not enabled, so that objects can be overwritten; make a bucket with Object Lock, which versions by itself"
            ));
        }
        if !self.locks {
            return wrong(format!(
                "bucket {bucket}: Object Lock is not enabled, so that objects can be deleted; make a bucket with Object Lock (ObjectLockEnabledForBucket), which most stores allow only when it is made"
            ));
        }
        match (settings.retention_days, self.default) {
            (Some(days), _) => {
                Ok(Retention { mode: settings.mode.unwrap_or(LockMode::Compliance), days, of_bucket: false })
            }
            (None, Some((mode, days))) => Ok(Retention { mode, days, of_bucket: true }),
            (None, None) => wrong(format!(
                "bucket {bucket} has no default retention and the log none of its own, so that nothing would be locked: set retention_days, or a default retention on the bucket"
            )),
        }
    }
}

fn default_of(rule: &DefaultRetention) -> Option<(LockMode, u32)> {
    let mode = LockMode::of_default(rule.mode()?)?;
    let days = match (rule.days(), rule.years()) {
        (Some(days), _) if days > 0 => days,
        (_, Some(years)) if years > 0 => years.saturating_mul(365),
        _ => return None,
    };
    Some((mode, u32::try_from(days).ok()?))
}

/// Some stores answer 400 where there is no lock.
fn is_unlocked(fault: &Fault) -> bool {
    matches!(fault, Fault::Refused(no) if no.code == "ObjectLockConfigurationNotFoundError")
}
