use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// The names of all members, to find one that stands twice in an object.
///
/// Only keyed hashes are held. Two names with one hash would count as the same: the text is then
/// withheld, which does no harm.
#[derive(Debug, Default)]
pub(super) struct JsonNames {
    keys: RandomState,
    seen: HashSet<u64>,
    objects: u32,
}

impl JsonNames {
    /// The number of a new object.
    pub(super) const fn object(&mut self) -> u32 {
        self.objects = self.objects.wrapping_add(1);
        self.objects
    }

    /// Whether `name` is new in `object`.
    pub(super) fn is_new(&mut self, object: u32, name: &str) -> bool {
        self.seen.insert(self.keys.hash_one((object, name)))
    }
}
