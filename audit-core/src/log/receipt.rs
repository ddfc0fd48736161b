use crate::backend::Durability;
use crate::evidence::Hash;

/// Proof that a record is in the log, as durable as it says and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The position of the record's line.
    pub seq: u64,
    /// The leaf hash of the line: what an inclusion proof starts from (RFC 6962 §2.1.1).
    pub leaf: Hash,
    /// What the record had reached when the receipt was made.
    pub durability: Durability,
    /// In how many of the log's stores it was then: the primary and its replicas.
    pub copies: u8,
}

impl Receipt {
    pub(crate) const fn new(seq: u64, leaf: Hash, durability: Durability) -> Self {
        Self { seq, leaf, durability, copies: 1 }
    }

    /// The same for a record that is in so many stores.
    pub(crate) const fn in_stores(mut self, copies: u8) -> Self {
        self.copies = copies;
        self
    }
}
