use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use audit_core::backend::{Capabilities, Durability, Fencing};

use crate::stream_info::StreamInfo;
use crate::target::Target;

/// The shortest time between two checkpoints: each is a message that stays for good.
const CHECKPOINT_REST: Duration = Duration::from_secs(1);

/// What the two halves of an open log both know.
#[derive(Debug)]
pub(crate) struct Facts {
    /// How many lines have been acknowledged.
    size: AtomicU64,
    /// The replicas that the stream has, as far as is known.
    replicas: AtomicU8,
    sync_always: bool,
}

impl Facts {
    pub(crate) fn new(target: &Target, info: &StreamInfo) -> Self {
        Self { size: AtomicU64::new(0), replicas: AtomicU8::new(replicas(info)), sync_always: target.sync_always }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    pub(crate) fn set_size(&self, size: u64) {
        self.size.store(size, Ordering::Release);
    }

    /// Takes note of how many replicas there are now: what is claimed never exceeds what is known.
    pub(crate) fn set_replicas(&self, info: &StreamInfo) {
        self.replicas.store(replicas(info), Ordering::Release);
    }

    pub(crate) fn replicas(&self) -> u8 {
        self.replicas.load(Ordering::Acquire)
    }

    /// How durable a line is that has been acknowledged.
    pub(crate) fn durability(&self) -> Durability {
        durability(self.sync_always, self.replicas())
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        capabilities(self.sync_always, self.replicas())
    }
}

/// What a stream with so many replicas can promise.
pub(crate) fn capabilities(sync_always: bool, replicas: u8) -> Capabilities {
    let durability = durability(sync_always, replicas);
    Capabilities::new(durability, durability, Fencing::Enforced)
        .on_machines(machines(replicas))
        .remote()
        .checkpoint_rest(CHECKPOINT_REST)
}

fn durability(sync_always: bool, replicas: u8) -> Durability {
    match (sync_always, replicas) {
        (true, _) => Durability::Synced,
        (false, 3..) => Durability::Replicated,
        (false, _) => Durability::Written,
    }
}

/// How many replicas have a message for certain when it is acknowledged: a majority.
const fn machines(replicas: u8) -> u8 {
    if replicas < 3 { 1 } else { replicas / 2 + 1 }
}

fn replicas(info: &StreamInfo) -> u8 {
    u8::try_from(info.number("num_replicas").max(1)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_claimed_that_an_acknowledgement_does_not_say() {
        for (sync_always, replicas, durability, machines) in [
            (false, 1, Durability::Written, 1),
            (true, 1, Durability::Synced, 1),
            (false, 2, Durability::Written, 1),
            (false, 3, Durability::Replicated, 2),
            (true, 3, Durability::Synced, 2),
            (false, 5, Durability::Replicated, 3),
        ] {
            let found = capabilities(sync_always, replicas);
            assert_eq!((found.append, found.sync, found.machines), (durability, durability, machines));
        }
    }
}
