//! Compact ranges beside the checkpoints: they save work when a log is opened, and prove nothing.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::create;
use super::layout::{Layout, peaks_size};
use crate::evidence::CompactRange;

/// 64 hashes.
const LIMIT: u64 = 64 * 32;

/// Keeps the compact range of a checkpoint: 32 bytes a hash, the largest subtree first.
///
/// Not forced to disk: a file that a crash damaged does not hash to the signed root.
///
/// The file of the checkpoint of size `replaced`, which nobody needs any more, is used again.
pub(super) fn write(layout: &Layout, range: &CompactRange, replaced: Option<u64>) -> io::Result<()> {
    let path = layout.peaks(range.size());
    let bytes = range.to_bytes();
    if let Some(older) = replaced.map(|size| layout.peaks(size))
        && let Ok(file) = create::options().open(&older)
    {
        file.write_all_at(&bytes, 0)?;
        file.set_len(bytes.len() as u64)?;
        return fs::rename(&older, &path);
    }
    create::replace_unsynced(&path, &bytes)
}

/// The compact range that was kept for `size`, right or wrong; `None` if there is none to read.
pub(super) fn read(layout: &Layout, size: u64) -> Option<CompactRange> {
    let bytes = create::read_small(&layout.peaks(size), LIMIT).ok()??;
    CompactRange::from_bytes(size, &bytes).ok()
}

/// The sizes for which compact ranges are kept, largest first.
pub(super) fn sizes(layout: &Layout) -> Vec<u64> {
    let mut sizes = create::names(&layout.checkpoints(), peaks_size);
    sizes.sort_unstable_by(|left, right| right.cmp(left));
    sizes
}
