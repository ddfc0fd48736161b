//! Opening: what the store has to be, and where the log ends.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use audit_core::backend::{BackendError, Opened, Recovery, contract};
use audit_core::evidence::{CompactRange, SignedCheckpoint};
use audit_core::key::VerifierKey;

use super::bucket::BucketSettings;
use super::chain::{self, End};
use super::fault::Fault;
use super::layout::Folder;
use super::objects::{Lines, Objects};
use super::probe::DeleteRight;
use super::put::{Made, Making};
use super::settings::Settings;
use super::store::Store;

/// What was found out about the store.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) making: Making,
    pub(crate) bucket: BucketSettings,
    /// The name of the version of the probe: no other log has it.
    pub(crate) probe: String,
}

/// A log that was found in the store.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) end: End,
    /// The size of the newest checkpoint.
    pub(crate) published: Option<u64>,
    pub(crate) opened: Opened,
}

/// One opening.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening<'a> {
    pub(crate) store: &'a Arc<Store>,
    pub(crate) settings: &'a Settings,
    pub(crate) deadline: Instant,
}

impl Opening<'_> {
    /// Refuses a store in which a log would not be safe.
    pub(crate) async fn check(self) -> Result<Checked, BackendError> {
        let (store, settings, deadline) = (self.store, self.settings, self.deadline);
        let bucket = store.layout.bucket.as_str();
        let found = store.bucket_settings(deadline).await.map_err(|fault| self.failed(fault))?;
        let retention = found.retention(settings, bucket)?;
        if !settings.allow_delete_right {
            let right = store.delete_right(deadline).await.map_err(|fault| self.failed(fault))?;
            right.map_or(Ok(()), |right| Err(self.may_delete(right)))?;
        }
        let enforced = store.enforces_conditions(retention, settings.detect_forks, deadline);
        let enforced = enforced.await.map_err(|fault| self.failed(fault))?;
        if !enforced && !settings.detect_forks {
            return Err(BackendError::Misconfigured {
                detail: format!(
                    "bucket {bucket}: the store writes an object where there is one already (it ignores If-None-Match), so that two writers could fork the log unseen: it cannot be a primary; as a replica it can with fencing=detect"
                ),
            });
        }
        let version = self.locked_probe().await?;
        Ok(Checked { making: Making { retention, detects: !enforced }, bucket: found, probe: version })
    }

    /// Whether a lock that was asked for is there: seen on the probe, which is made like every object. Gives the
    /// name of its version.
    async fn locked_probe(self) -> Result<String, BackendError> {
        let key = self.store.layout.probe();
        let found = self.store.versions_of(&key, self.deadline).await.map_err(|fault| self.failed(fault))?;
        let Some(oldest) = found.oldest else {
            return Err(self.failed(Fault::Broken(format!("{key} is there, and is not listed").into())));
        };
        let lock = self.store.lock_of(&key, &oldest, self.deadline).await.map_err(|fault| self.failed(fault))?;
        match lock.weakness() {
            None => Ok(oldest.id),
            Some(weakness) => Err(BackendError::Misconfigured {
                detail: format!(
                    "{}: the store does not hold to a lock that was asked for, or does not show it: {key} {weakness}; take a store with Object Lock, and allow s3:GetObjectRetention",
                    self.store.layout.url
                ),
            }),
        }
    }

    /// Reads where the log ends; `None` when there is no log yet.
    pub(crate) async fn log(self) -> Result<Option<Found>, BackendError> {
        let Some(key) = self.verifier_key().await? else {
            return self.refuse_leftovers().await.map(|()| None);
        };
        let checkpoint = self.newest_checkpoint(&key).await?;
        let size = checkpoint.as_ref().map_or(0, |(signed, _)| signed.checkpoint().size);
        let range = match &checkpoint {
            Some((signed, _)) => self.range(signed).await?,
            None => None,
        };
        let end = self.end(size, range.as_ref()).await?;
        let mut opened = Opened::empty();
        opened.verifier_key = Some(key.to_string());
        opened.signed_range = range;
        opened.checkpoint = checkpoint.as_ref().map(|(_, bytes)| bytes.clone());
        opened.head = end.head;
        let closed = end.last.is_empty() || contract::is_log_closed(&end.last);
        opened.recovery = (!closed).then(|| Recovery::adopted(size, end.head.size - size));
        Ok(Some(Found { end, published: checkpoint.map(|_| size), opened }))
    }

    async fn verifier_key(self) -> Result<Option<VerifierKey>, BackendError> {
        let key = self.store.layout.verifier_key();
        let Some(bytes) = self.only(&key).await? else {
            return Ok(None);
        };
        let text = std::str::from_utf8(&bytes).map_err(|error| error.to_string());
        let parsed = text.and_then(|text| VerifierKey::parse(text).map_err(|error| error.to_string()));
        parsed.map(Some).map_err(|error| tampered(format!("{key}: {error}")))
    }

    /// The bytes under a key that is written once. Other bytes in a later version are a fork.
    async fn only(self, key: &str) -> Result<Option<Vec<u8>>, BackendError> {
        let found = self.store.versions_of(key, self.deadline).await.map_err(|fault| self.failed(fault))?;
        let Some(oldest) = &found.oldest else {
            return Ok(None);
        };
        let object = self.store.get(key, oldest, self.deadline).await.map_err(|fault| self.failed(fault))?;
        let made =
            self.store.compare(&found, &object.bytes, self.deadline).await.map_err(|fault| self.failed(fault))?;
        match made {
            Made::Forked => Err(tampered(format!("{key} has two versions with different bytes"))),
            Made::Ours | Made::Others(_) => Ok(Some(object.bytes)),
        }
    }

    /// Without `log.pub` there is no log, and nothing that a log leaves behind.
    async fn refuse_leftovers(self) -> Result<(), BackendError> {
        for folder in [Folder::Lines, Folder::Checkpoints] {
            let newest = self.store.newest(folder, self.deadline).await.map_err(|fault| self.failed(fault))?;
            if newest.is_some() {
                let layout = &self.store.layout;
                return Err(BackendError::Misconfigured {
                    detail: format!(
                        "{} is missing, but {} holds a log: put back the verifier key that it was created with",
                        layout.verifier_key(),
                        layout.url
                    ),
                });
            }
        }
        Ok(())
    }

    async fn newest_checkpoint(self, key: &VerifierKey) -> Result<Option<(SignedCheckpoint, Vec<u8>)>, BackendError> {
        let found = self.store.newest(Folder::Checkpoints, self.deadline).await;
        let Some((number, found)) = found.map_err(|fault| self.failed(fault))? else {
            return Ok(None);
        };
        let bytes = self.only(&found.key).await?.unwrap_or_default();
        let signed = SignedCheckpoint::parse(&bytes).map_err(|error| tampered(format!("{}: {error}", found.key)))?;
        let checkpoint = signed.checkpoint();
        if checkpoint.origin != key.name() || checkpoint.size != number {
            return Err(tampered(format!(
                "{} is a checkpoint of {:?} of size {}, in the log of {:?}",
                found.key,
                checkpoint.origin,
                checkpoint.size,
                key.name()
            )));
        }
        Ok(Some((signed, bytes)))
    }

    /// The compact range beside a checkpoint, if it has the root that was signed.
    async fn range(self, signed: &SignedCheckpoint) -> Result<Option<CompactRange>, BackendError> {
        let checkpoint = signed.checkpoint();
        let range = self.store.peaks(checkpoint.size, self.deadline).await.map_err(|fault| self.failed(fault))?;
        Ok(range.filter(|range| range.root() == checkpoint.root))
    }

    /// Follows the lines behind the newest checkpoint.
    async fn end(self, size: u64, range: Option<&CompactRange>) -> Result<End, BackendError> {
        let failed = |fault| self.failed(fault);
        let (mut objects, mut end) = match size.checked_sub(1) {
            None => (Objects::from(self.store, None), End::EMPTY),
            Some(last) => {
                let found = self.store.holding(last, self.deadline).await.map_err(failed)?;
                let found = found.ok_or_else(|| chain::lost(size))?;
                let mut objects = Objects::from(self.store, Some(found));
                let lines = objects.next(self.deadline).await.map_err(failed)?.ok_or_else(|| chain::lost(size))?;
                self.refuse_fork(&lines).await?;
                let mut end = End::at_signed(size, &lines, range)?;
                end.follow(&lines)?;
                (objects, end)
            }
        };
        while let Some(lines) = objects.next(self.deadline).await.map_err(failed)? {
            self.refuse_fork(&lines).await?;
            end.follow(&lines)?;
        }
        Ok(end)
    }

    async fn refuse_fork(self, lines: &Lines) -> Result<(), BackendError> {
        if lines.found.is_doubled() {
            let made = self.store.compare(&lines.found, &lines.object.bytes, self.deadline).await;
            if matches!(made.map_err(|fault| self.failed(fault))?, Made::Forked) {
                return Err(chain::contradicts(lines.first, "two writers have written this line"));
            }
        }
        Ok(())
    }

    /// Opening is done by somebody who can repair what is wrong: credentials are named.
    fn failed(self, fault: Fault) -> BackendError {
        let layout = &self.store.layout;
        if fault.is_forbidden() {
            return BackendError::Misconfigured {
                detail: format!(
                    "{}: {fault}; the credentials came from {}, and `audit grants s3` prints what they need",
                    layout.url,
                    self.settings.credentials()
                ),
            };
        }
        match fault.reading("opening the log") {
            BackendError::Misconfigured { detail } => {
                BackendError::Misconfigured { detail: format!("{}: {detail}", layout.url) }
            }
            other => other,
        }
    }

    fn may_delete(self, right: DeleteRight) -> BackendError {
        let action = match right {
            DeleteRight::Versions => "s3:DeleteObjectVersion",
            DeleteRight::Markers => "s3:DeleteObject",
        };
        BackendError::Misconfigured {
            detail: format!(
                "{}: the credentials from {} may call {action}, and a writer of an audit log must not: apply the policy that `audit grants s3` prints, or set allow_delete_right=true",
                self.store.layout.url,
                self.settings.credentials()
            ),
        }
    }
}

fn tampered(detail: impl fmt::Display) -> BackendError {
    BackendError::Tampered {
        seq: None,
        detail: format!("{detail}; keep the bucket as evidence and start a new log elsewhere"),
    }
}
