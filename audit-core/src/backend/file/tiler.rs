//! Turns the leaf hashes of signed lines into full tiles as the log grows.

use std::ops::Range;

use super::layout::Layout;
use super::segments::Segments;
use super::shared::WaitingLeaves;
use super::tiles::{self, Tiles};
use crate::backend::BackendError;
use crate::evidence::{Hash, NodeSource as _, TILE_HEIGHT, TILE_WIDTH, Tile, TiledTree};

/// Tiles have 64 levels at most; 8 of them hold every log of up to 2^64 lines.
const LEVELS: usize = 8;

/// How many lines are hashed again in one go: 2 MiB of hashes.
const REREAD: u64 = 1 << 16;

/// The tiles that are not full yet.
#[derive(Debug)]
pub(super) struct Tiler {
    layout: Layout,
    /// The first line whose hash is in `leaves`: the start of a tile.
    first: u64,
    leaves: Vec<Hash>,
    /// For each level the roots of the tiles below that were filled since the log was opened, up
    /// to the newest one.
    roots: [Vec<Hash>; LEVELS],
}

impl Tiler {
    /// Goes on from line `first`, the start of a tile, of which `leaves` are known already.
    pub(super) fn new(layout: Layout, first: u64, leaves: Vec<Hash>) -> Self {
        Self { layout, first, leaves, roots: Default::default() }
    }

    /// Takes leaf hashes, and writes the tiles that the first `size` lines fill.
    ///
    /// A tile that cannot be written, or whose hashes cannot be had, is left out: whoever needs
    /// it reads the lines instead.
    pub(super) fn advance(&mut self, mut waiting: WaitingLeaves, size: u64, segments: Reread<'_>) {
        let full = size - size % TILE_WIDTH;
        loop {
            if let Some(skip) = self.known().checked_sub(waiting.first) {
                let skip = usize::try_from(skip).unwrap_or(usize::MAX);
                let hashes = std::mem::take(&mut waiting.hashes);
                self.leaves.extend(hashes.into_iter().skip(skip));
            }
            self.fill_up_to(full, segments);
            let wanted = if waiting.hashes.is_empty() { full } else { waiting.first };
            let known = self.known();
            if known >= wanted {
                break;
            }
            if self.reread(known, wanted.min(known + REREAD), segments).is_none() {
                *self = Self::new(self.layout.clone(), full, Vec::new());
                break;
            }
        }
    }

    /// The first line whose leaf hash is not known.
    fn known(&self) -> u64 {
        self.first + self.leaves.len() as u64
    }

    /// Hashes lines again whose hashes did not wait.
    fn reread(&mut self, from: u64, to: u64, segments: Reread<'_>) -> Option<()> {
        let leaves = segments().ok()?.leaves(from..to).ok()?;
        self.leaves.extend_from_slice(&leaves);
        (leaves.len() as u64 == to - from).then_some(())
    }

    fn fill_up_to(&mut self, full: u64, segments: Reread<'_>) {
        let leaves = std::mem::take(&mut self.leaves);
        let mut rest = leaves.as_slice();
        while self.first < full
            && let Some((tile, after)) = rest.split_at_checked(TILE_WIDTH as usize)
        {
            self.fill(0, self.first / TILE_WIDTH, tile, segments);
            self.first += TILE_WIDTH;
            rest = after;
        }
        self.leaves = rest.to_vec();
    }

    /// Writes a full tile, and the one above if this was its last.
    fn fill(&mut self, level: u8, index: u64, hashes: &[Hash], segments: Reread<'_>) {
        let Ok(tile) = Tile::from_hashes(hashes.to_vec()) else {
            return;
        };
        // A tile that is missing costs its readers time.
        let _skipped = tiles::write(&self.layout, level, index, &tile);
        let Some(roots) = self.roots.get_mut(usize::from(level)) else {
            return;
        };
        roots.push(tile.root());
        if index % TILE_WIDTH < TILE_WIDTH - 1 {
            return;
        }
        let mut above = std::mem::take(roots);
        if let Some(missing) = TILE_WIDTH.checked_sub(above.len() as u64).filter(|missing| *missing > 0) {
            let start = index + 1 - TILE_WIDTH;
            let Some(older) = roots_of(level, start..start + missing, segments) else {
                return;
            };
            above.splice(..0, older);
        }
        self.fill(level + 1, index / TILE_WIDTH, &above, segments);
    }
}

/// Lists the segments, for the few times that lines are read again.
pub(super) type Reread<'a> = &'a dyn Fn() -> Result<Segments, BackendError>;

/// The roots of tiles that were filled before the log was opened.
fn roots_of(level: u8, indexes: Range<u64>, segments: Reread<'_>) -> Option<Vec<Hash>> {
    let segments = segments().ok()?;
    let tree = TiledTree::new(Tiles::of(&segments));
    let level = TILE_HEIGHT * (u32::from(level) + 1);
    indexes.map(|index| tree.node(level, index).ok()).collect()
}
