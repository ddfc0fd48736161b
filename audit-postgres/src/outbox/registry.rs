//! One relay for each log in this process, and what the last one left in doubt.
//!
//! Across processes nothing is needed: of two that have the log open, the store refuses one.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::uuid::Uuid;

/// By the name of the log's key, which no other log has.
static RELAYS: Mutex<BTreeMap<String, Entry>> = Mutex::new(BTreeMap::new());

#[derive(Debug)]
enum Entry {
    Running,
    /// Nobody relays, and these may be on their way.
    Left(Vec<Uuid>),
}

/// The right to relay one log. Dropping it without [`leave`](Self::leave) leaves nothing in doubt.
#[derive(Debug)]
pub(super) struct Claim {
    log: String,
    in_doubt: Vec<Uuid>,
}

impl Claim {
    /// The claim and what the last relay left in doubt; `None` while another relay runs.
    pub(super) fn take(log: &str) -> Option<(Self, Vec<Uuid>)> {
        let mut relays = relays();
        let before = match relays.get_mut(log) {
            Some(Entry::Running) => return None,
            Some(Entry::Left(ids)) => std::mem::take(ids),
            None => Vec::new(),
        };
        relays.insert(log.to_owned(), Entry::Running);
        Some((Self { log: log.to_owned(), in_doubt: before.clone() }, before))
    }

    /// Says what is in doubt now, for the next relay.
    pub(super) fn leave(&mut self, in_doubt: Vec<Uuid>) {
        self.in_doubt = in_doubt;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut relays = relays();
        if self.in_doubt.is_empty() {
            relays.remove(&self.log);
        } else {
            relays.insert(self.log.clone(), Entry::Left(std::mem::take(&mut self.in_doubt)));
        }
    }
}

fn relays() -> MutexGuard<'static, BTreeMap<String, Entry>> {
    RELAYS.lock().unwrap_or_else(PoisonError::into_inner)
}
