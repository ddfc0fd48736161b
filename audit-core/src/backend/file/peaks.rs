//! Compact ranges beside the checkpoints: they save work when a log is opened, and prove nothing.

use std::fs;
use std::io;

use super::create;
use super::layout::{Layout, peaks_size};
use crate::evidence::{CompactRange, Hash};

/// 64 hashes in base64, a line each.
const LIMIT: u64 = 64 * 45;

/// Keeps the compact range of a checkpoint: one base64 hash a line, the largest subtree first.
///
/// Not forced to disk: a file that a crash damaged does not hash to the signed root.
pub(super) fn write(layout: &Layout, range: &CompactRange) -> io::Result<()> {
    let mut text = String::new();
    for peak in range.peaks() {
        text.push_str(&peak.to_base64());
        text.push('\n');
    }
    create::replace_unsynced(&layout.peaks(range.size()), text.as_bytes())
}

/// The compact range that was kept for `size`, right or wrong; `None` if there is none to read.
pub(super) fn read(layout: &Layout, size: u64) -> Option<CompactRange> {
    let bytes = create::read_small(&layout.peaks(size), LIMIT).ok()??;
    let text = std::str::from_utf8(&bytes).ok()?;
    let peaks: Result<Vec<Hash>, _> = text.lines().map(Hash::from_base64).collect();
    CompactRange::from_peaks(size, peaks.ok()?).ok()
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
