use std::time::Duration;

use super::Durability;

/// How a store keeps a second writer out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fencing {
    /// The store itself refuses the second writer's bytes.
    Enforced,
    /// A second writer is noticed before anything is acknowledged.
    Detected,
    /// Nothing keeps it out: only for memory and tests.
    None,
}

/// What a store can promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// What a returned `append` means.
    pub append: Durability,
    /// What a returned `sync` means: the most a rule can ask for.
    pub sync: Durability,
    /// How a second writer is kept out.
    pub fencing: Fencing,
    /// On how many machines a line is when `append` has returned: 1, or the replicas of a store that
    /// replicates by itself.
    pub machines: u8,
    /// Whether the store is on another machine than this process.
    pub remote: bool,
    /// The shortest time between two checkpoints that the log publishes by itself, for a store where
    /// each of them costs something: zero by default.
    pub checkpoint_rest: Duration,
}

impl Capabilities {
    /// Capabilities of a store whose `append` and `sync` reach these classes.
    #[must_use]
    pub const fn new(append: Durability, sync: Durability, fencing: Fencing) -> Self {
        Self { append, sync, fencing, machines: 1, remote: false, checkpoint_rest: Duration::ZERO }
    }

    /// On how many machines a line is when `append` has returned.
    #[must_use]
    pub const fn on_machines(mut self, machines: u8) -> Self {
        self.machines = machines;
        self
    }

    /// The store is on another machine than this process.
    #[must_use]
    pub const fn remote(mut self) -> Self {
        self.remote = true;
        self
    }

    /// The shortest time between two checkpoints.
    #[must_use]
    pub const fn checkpoint_rest(mut self, rest: Duration) -> Self {
        self.checkpoint_rest = rest;
        self
    }

    /// Whether a rule that asks for `wanted` can ever be satisfied.
    #[must_use]
    pub const fn can_reach(&self, wanted: Durability) -> bool {
        self.append.satisfies(wanted) || self.sync.satisfies(wanted)
    }
}
