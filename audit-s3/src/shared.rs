//! What the halves of an open log have in common.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use audit_core::backend::{BackendError, Durability};

use super::LockMode;
use super::bucket::BucketSettings;
use super::put::Making;
use super::runtime::SharedRuntime;
use super::store::Store;

/// There is no newest object yet.
pub(crate) const NO_OBJECT: u64 = u64::MAX;

/// An open store.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) runtime: Arc<SharedRuntime>,
    pub(crate) store: Arc<Store>,
    pub(crate) making: Making,
    /// Which log in which bucket this is, however it is reached.
    pub(crate) place: String,
    /// The bucket's settings when the log was opened.
    pub(crate) bucket: BucketSettings,
    /// Whether credentials that may delete were accepted when the log was opened.
    pub(crate) delete_right_accepted: bool,
    /// How many lines are acknowledged.
    pub(crate) size: AtomicU64,
    /// The first line of the newest object, or [`NO_OBJECT`].
    pub(crate) newest: AtomicU64,
}

impl Shared {
    /// Runs a call to its end on the store's own runtime.
    pub(crate) fn run<F: Future>(&self, doing: &'static str, call: F) -> Result<F::Output, BackendError> {
        self.runtime.block_on(call).map_err(|error| BackendError::unavailable(doing, error))
    }

    /// What an acknowledgement means.
    pub(crate) const fn durability(&self) -> Durability {
        durability(self.making.retention.mode)
    }
}

/// What an acknowledgement means under a lock of this mode.
pub(crate) const fn durability(mode: LockMode) -> Durability {
    match mode {
        LockMode::Compliance => Durability::Locked,
        // Somebody may delete it: no more than what is on disk.
        LockMode::Governance => Durability::Synced,
    }
}
