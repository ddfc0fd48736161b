//! Trying what a store does, where its settings do not tell.

use std::sync::Arc;
use std::time::Instant;

use super::fault::{Fault, within};
use super::retention::Retention;
use super::store::Store;

/// What the object says that is there to be written over.
const PROBE: &[u8] = b"audit-s3 tries to write this again when it opens the log: it must not be able to.\n";

/// A right that the writer's credentials should not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeleteRight {
    /// `s3:DeleteObjectVersion`: removing a version once its lock is over.
    Versions,
    /// `s3:DeleteObject`: hiding objects behind delete markers.
    Markers,
}

impl Store {
    /// Whether the store refuses to make an object where there is one.
    ///
    /// Writes one small object in the life of a log, where the store does as it should. `known` says
    /// that a store which was found not to need not be tried again.
    pub(crate) async fn enforces_conditions(
        self: &Arc<Self>,
        retention: Retention,
        known: bool,
        deadline: Instant,
    ) -> Result<bool, Fault> {
        let key = self.layout.probe();
        if known && self.versions_of(&key, deadline).await?.is_doubled() {
            return Ok(false);
        }
        // The first may find nothing there, or a delete marker.
        for _ in 0..2 {
            match self.put(&key, PROBE, retention, deadline).await {
                Ok(_) => {}
                Err(fault) if fault.is_unmet() => return Ok(true),
                Err(fault) if fault.is_unknown_request() => return Ok(false),
                Err(fault) => return Err(fault),
            }
        }
        Ok(false)
    }

    /// Which right to delete the credentials have, if they have one. Deletes nothing: there is
    /// nothing under the key. Where hiding objects is allowed, a delete marker remains there.
    pub(crate) async fn delete_right(&self, deadline: Instant) -> Result<Option<DeleteRight>, Fault> {
        if self.may_delete_versions(deadline).await? {
            return Ok(Some(DeleteRight::Versions));
        }
        let request = self.client.delete_object().bucket(&self.layout.bucket).key(self.layout.nothing());
        match within(deadline, request.send()).await {
            Ok(_) => Ok(Some(DeleteRight::Markers)),
            Err(fault) if fault.is_forbidden() => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Whether the credentials may delete versions: tried on one that is not there.
    pub(crate) async fn may_delete_versions(&self, deadline: Instant) -> Result<bool, Fault> {
        let request = self.client.delete_object().bucket(&self.layout.bucket).key(self.layout.nothing());
        match within(deadline, request.version_id("null").send()).await {
            Ok(_) => Ok(true),
            Err(fault) if fault.is_nothing_to_delete() => Ok(true),
            Err(fault) if fault.is_forbidden() => Ok(false),
            // Anything else says nothing about rights.
            Err(fault) => Err(fault),
        }
    }
}
