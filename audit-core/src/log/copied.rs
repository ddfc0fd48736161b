use crate::backend::{Batch, Head};
use crate::evidence::Hash;
use crate::record::{Frame, line};

/// Lines that are copied from one store to another, checked on the way.
#[derive(Debug)]
pub(crate) struct Copied {
    before: Head,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    leaves: Vec<Hash>,
}

/// The number of the first line that does not continue those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) u64);

impl Copied {
    /// The whole lines of `bytes`, at most `records` of them and about `limit` bytes, which have to
    /// continue a log that ends at `before`.
    pub(crate) fn new(before: Head, mut bytes: Vec<u8>, records: usize, limit: usize) -> Result<Self, Broken> {
        let (mut ends, mut leaves) = (Vec::new(), Vec::new());
        let mut head = before;
        let mut start = 0;
        for at in memchr::memchr_iter(b'\n', &bytes).take(records.max(1)) {
            let end = at + 1;
            if start > 0 && end > limit {
                break;
            }
            let found = bytes.get(start..at).unwrap_or_default();
            let continues = Frame::parse(found).is_ok_and(|frame| frame.seq == head.size && frame.prev == head.leaf);
            if !continues {
                return Err(Broken(head.size));
            }
            head = Head { size: head.size + 1, leaf: line::leaf(found) };
            leaves.push(head.leaf);
            ends.push(end);
            start = end;
        }
        bytes.truncate(start);
        Ok(Self { before, bytes, ends, leaves })
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The head of the log before these lines.
    pub(crate) const fn before(&self) -> Head {
        self.before
    }

    /// The head of the log once they are in it.
    pub(crate) fn head(&self) -> Head {
        self.batch().head().unwrap_or(self.before)
    }

    pub(crate) fn batch(&self) -> Batch<'_> {
        Batch::new(self.before.size, &self.bytes, &self.ends, &self.leaves, true)
    }
}
