//! The compact range at the newest checkpoint: from what was kept beside it, or from the lines.

use super::peaks;
use super::segments::Segments;
use super::signed::Signed;
use super::tiles::{self, Tiles};
use crate::backend::BackendError;
use crate::evidence::{
    CompactRange, Hash, NodeSource as _, TILE_HEIGHT, TILE_WIDTH, TiledTree, TiledTreeError, compact_range_of,
    node_hash,
};
use crate::record::{Frame, line};

/// The signed end of a log.
#[derive(Debug)]
pub(super) struct SignedEnd {
    pub(super) range: CompactRange,
    /// The leaf hashes behind the last full tile.
    pub(super) leaves: Vec<Hash>,
}

impl SignedEnd {
    /// The end of a log without a checkpoint.
    pub(super) const fn nothing() -> Self {
        Self { range: CompactRange::new(), leaves: Vec::new() }
    }
}

/// Derives the compact range whose root the newest checkpoint signs, and checks that the last
/// lines it is about are those that are there.
///
/// Nothing that was kept is believed: only a range that hashes to the signed root counts. With
/// tiles or peaks this reads up to 256 lines and O(log n) hashes or tiles, without them all lines.
pub(super) fn derive(segments: &Segments, signed: &Signed) -> Result<SignedEnd, BackendError> {
    let last = LastLines::read(segments, signed.size)?;
    let range = authentic(segments, signed, &last)?;
    last.check(segments, &range)?;
    let full = last.leaves.len() as u64 == TILE_WIDTH;
    Ok(SignedEnd { range, leaves: if full { Vec::new() } else { last.leaves } })
}

fn authentic(segments: &Segments, signed: &Signed, last: &LastLines) -> Result<CompactRange, BackendError> {
    let size = signed.size;
    let fits = |range: &CompactRange| range.size() == size && range.root() == signed.root;
    if let Some(range) = peaks::read(&segments.layout, size).filter(fits) {
        return Ok(range);
    }
    if let Some(range) = from_tiles(segments, size, last)?.filter(fits) {
        return Ok(range);
    }
    for older in peaks::sizes(&segments.layout) {
        if older < size
            && let Some(range) = peaks::read(&segments.layout, older)
            && let Some(range) = Some(extend(segments, range, size)?).filter(fits)
        {
            return Ok(range);
        }
    }
    let range = extend(segments, CompactRange::new(), size)?;
    if fits(&range) {
        return Ok(range);
    }
    Err(rewritten(
        last.edited,
        &format!("the first {size} lines do not have the root that the newest checkpoint signs"),
    ))
}

/// The last lines that are signed: from the start of the last tile that they touch.
#[derive(Debug)]
struct LastLines {
    first: u64,
    leaves: Vec<Hash>,
    /// The first of them that the next one does not link to.
    edited: Option<u64>,
}

impl LastLines {
    fn read(segments: &Segments, size: u64) -> Result<Self, BackendError> {
        let first = size.saturating_sub(1) / TILE_WIDTH * TILE_WIDTH;
        let mut leaves = Vec::new();
        let mut edited = None;
        segments.visit(first, size - first, |bytes| {
            let prev = Frame::parse(bytes).ok().map(|frame| frame.prev);
            if leaves.last().is_some() && prev.as_ref() != leaves.last() && edited.is_none() {
                edited = Some(first + leaves.len() as u64 - 1);
            }
            leaves.push(line::leaf(bytes));
        })?;
        Ok(Self { first, leaves, edited })
    }

    /// Checks that the smallest subtrees of `range` are those over these lines.
    fn check(&self, segments: &Segments, range: &CompactRange) -> Result<(), BackendError> {
        let mut own = CompactRange::new();
        for leaf in &self.leaves {
            own.push(*leaf);
        }
        let complete = self.first + own.size() == range.size();
        if !complete {
            // Garbage among them: no line can be told from it.
        } else if (self.leaves.len() as u64) < TILE_WIDTH {
            if range.peaks().ends_with(own.peaks()) {
                return Ok(());
            }
        } else {
            // Tiles that were damaged are no reason to refuse the log.
            for tiles in [Tiles::of(segments), Tiles::of_lines(segments)] {
                let peak = climb(tiles, range.size(), own.root())?;
                if peak.as_ref() == range.peaks().last() {
                    return Ok(());
                }
            }
        }
        Err(rewritten(
            self.edited,
            &format!(
                "lines {} to {} are not those that the newest checkpoint signs",
                self.first,
                range.size().saturating_sub(1)
            ),
        ))
    }
}

/// From the root of the last tile of a tree that ends with a full one to its smallest complete
/// subtree.
fn climb(tiles: Tiles<'_>, size: u64, tile: Hash) -> Result<Option<Hash>, BackendError> {
    let tree = TiledTree::new(tiles);
    let mut node = tile;
    for level in TILE_HEIGHT..size.trailing_zeros() {
        match found(tree.node(level, (size >> level) - 2))? {
            Some(left) => node = node_hash(&left, &node),
            None => return Ok(None),
        }
    }
    Ok(Some(node))
}

/// The range from full tiles and the last lines.
fn from_tiles(segments: &Segments, size: u64, last: &LastLines) -> Result<Option<CompactRange>, BackendError> {
    if size >= TILE_WIDTH && tiles::read(&segments.layout, 0, 0).is_none() {
        // Without tiles, the lines behind older peaks are the shorter way.
        return Ok(None);
    }
    let tree = TiledTree::new(Tiles::of(segments));
    let full = size - size % TILE_WIDTH;
    let range = found(compact_range_of(full, &tree))?;
    Ok(range.map(|mut range| {
        if size > full {
            range.extend(last.leaves.iter().copied());
        }
        range
    }))
}

/// Nothing where a tile is missing whose lines are not all there.
fn found<T>(node: Result<T, TiledTreeError<BackendError>>) -> Result<Option<T>, BackendError> {
    match node {
        Ok(node) => Ok(Some(node)),
        Err(TiledTreeError::Missing { .. }) => Ok(None),
        Err(TiledTreeError::Source(error)) => Err(error),
    }
}

/// Adds the lines up to `size` to `range`, as far as they are there.
fn extend(segments: &Segments, mut range: CompactRange, size: u64) -> Result<CompactRange, BackendError> {
    let start = range.size();
    segments.visit(start, size - start, |bytes| range.push(line::leaf(bytes)))?;
    Ok(range)
}

fn rewritten(seq: Option<u64>, what: &str) -> BackendError {
    BackendError::Tampered {
        seq,
        detail: format!("{what}; keep the directory as evidence and start a new log elsewhere"),
    }
}
