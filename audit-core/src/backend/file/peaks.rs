//! Compact ranges beside the checkpoints: they save work when a log is opened, and prove nothing.

use std::fs;
use std::io;

use super::create;
use super::layout::{Layout, peaks_size};
use crate::evidence::CompactRange;

/// 64 hashes.
const LIMIT: u64 = 64 * 32;

/// Keeps the compact range of a checkpoint: 32 bytes a hash, the largest subtree first.
///
/// Not forced to disk: a file that a crash damaged does not hash to the signed root.
pub(super) fn write(layout: &Layout, range: &CompactRange) -> io::Result<()> {
    create::replace_unsynced(&layout.peaks(range.size()), &range.to_bytes())
}

/// The compact range that was kept for `size`, right or wrong; `None` if there is none to read.
pub(super) fn read(layout: &Layout, size: u64) -> Option<CompactRange> {
    let bytes = create::read_small(&layout.peaks(size), LIMIT).ok()??;
    CompactRange::from_bytes(size, &bytes).ok()
}

/// Forgets the compact range of a checkpoint that has been replaced.
pub(super) fn remove(layout: &Layout, size: u64) {
    // A range too many does no harm.
    let _removed = fs::remove_file(layout.peaks(size));
}

/// The sizes for which compact ranges are kept, largest first.
pub(super) fn sizes(layout: &Layout) -> Vec<u64> {
    let mut sizes = create::names(&layout.checkpoints(), peaks_size);
    sizes.sort_unstable_by(|left, right| right.cmp(left));
    sizes
}
