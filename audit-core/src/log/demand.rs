use crate::backend::{Capabilities, Durability};

/// How far a record has to get before its caller gets a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Demand {
    pub(crate) wanted: Durability,
    /// In how many of the log's stores.
    pub(crate) copies: u8,
}

/// A store that holds every line below `size`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holding {
    pub(crate) capabilities: Capabilities,
    /// How durable it holds them.
    pub(crate) class: Durability,
    pub(crate) size: u64,
}

impl Demand {
    /// Whether the one store with these capabilities is enough, where it holds a record in `class`.
    pub(crate) const fn needs_no_more_than(self, class: Durability, capabilities: &Capabilities) -> bool {
        self.copies <= 1 && self.accepts(class, capabilities)
    }

    /// What a record has reached that one store holds in `class`, as its caller is told.
    pub(crate) const fn class(self, class: Durability, capabilities: &Capabilities) -> Durability {
        if !class.satisfies(self.wanted) && self.accepts(class, capabilities) { self.wanted } else { class }
    }

    /// Whether a store with these capabilities counts, where it holds a record in `class`.
    const fn accepts(self, class: Durability, capabilities: &Capabilities) -> bool {
        let replicates = matches!(self.wanted, Durability::Replicated) && capabilities.machines > 1;
        class.satisfies(self.wanted) || (replicates && is_durable(class))
    }

    /// Below which line every record meets the demand, given what the stores hold.
    pub(crate) fn met_below(self, stores: &[Holding]) -> u64 {
        let copies = usize::from(self.copies.max(1));
        let counts = |held: &&Holding| self.accepts(held.class, &held.capabilities);
        let by_class = nth_largest(stores.iter().filter(counts).map(|held| held.size).collect(), copies);
        if self.wanted != Durability::Replicated {
            return by_class;
        }
        // Stores of this host are one machine together.
        let durable = |held: &&Holding| is_durable(held.class);
        let here = stores.iter().filter(durable).filter(|held| !held.capabilities.remote).map(|held| held.size).max();
        let elsewhere = stores.iter().filter(durable).filter(|held| held.capabilities.remote).map(|held| held.size);
        by_class.max(nth_largest(elsewhere.chain(here).collect(), copies.max(2)))
    }
}

/// Whether a record in this class survives the loss of power where it is.
const fn is_durable(class: Durability) -> bool {
    matches!(class, Durability::Synced | Durability::Replicated | Durability::Locked)
}

fn nth_largest(mut sizes: Vec<u64>, n: usize) -> u64 {
    sizes.sort_unstable_by(|one, other| other.cmp(one));
    n.checked_sub(1).and_then(|at| sizes.get(at)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Fencing;

    fn held(class: Durability, remote: bool, size: u64) -> Holding {
        let capabilities = Capabilities::new(class, class, Fencing::Enforced);
        Holding { capabilities: if remote { capabilities.remote() } else { capabilities }, class, size }
    }

    fn met(wanted: Durability, copies: u8, stores: &[Holding]) -> u64 {
        Demand { wanted, copies }.met_below(stores)
    }

    #[test]
    fn copies_are_counted_among_the_stores_that_reach_the_class() {
        let stores =
            [held(Durability::Synced, false, 9), held(Durability::Locked, true, 5), held(Durability::Written, true, 7)];
        assert_eq!(met(Durability::Synced, 1, &stores), 9);
        assert_eq!(met(Durability::Synced, 2, &stores), 5);
        assert_eq!(met(Durability::Synced, 3, &stores), 0);
        assert_eq!(met(Durability::Locked, 1, &stores), 5);
        assert_eq!(met(Durability::Locked, 2, &stores), 0);
        assert_eq!(met(Durability::Written, 3, &stores), 5);
    }

    #[test]
    fn replicated_takes_two_machines_or_a_store_that_replicates() {
        let two_disks_here = [held(Durability::Synced, false, 9), held(Durability::Synced, false, 9)];
        assert_eq!(met(Durability::Replicated, 1, &two_disks_here), 0);
        let here_and_there = [held(Durability::Synced, false, 9), held(Durability::Synced, true, 4)];
        assert_eq!(met(Durability::Replicated, 1, &here_and_there), 4);
        assert_eq!(met(Durability::Replicated, 3, &here_and_there), 0);
        let by_itself = [held(Durability::Replicated, true, 6)];
        assert_eq!(met(Durability::Replicated, 1, &by_itself), 6);
        let not_on_disk = [held(Durability::Written, true, 6), held(Durability::Synced, false, 9)];
        assert_eq!(met(Durability::Replicated, 1, &not_on_disk), 0);
    }
}
