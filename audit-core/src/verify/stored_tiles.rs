//! The hash tiles of a stored log, and what is missing of them at the right edge.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::thread;

use super::hashing::node;
use super::{Lines, LogReader, ReadError};
use crate::evidence::{
    Hash, NodeSource, TILE_HEIGHT, TILE_WIDTH, Tile, TileSource, TiledTree, TiledTreeError, leaf_hash,
};

/// From how many tiles on it pays to join them on more than one thread.
const WORTH_THREADS: usize = 32;

/// The nodes of a stored tree: those of the right edge from the compact range that a store may
/// keep, the others from tiles.
#[derive(Debug)]
pub(crate) struct StoredNodes<'r> {
    edge: BTreeMap<(u32, u64), Hash>,
    tiles: TiledTree<StoredTiles<'r>>,
}

impl<'r> StoredNodes<'r> {
    pub(crate) fn new(reader: &'r dyn LogReader, size: u64) -> Result<Self, ReadError> {
        let mut edge = BTreeMap::new();
        if let Some(range) = reader.compact_range(size)?.filter(|range| range.size() == size) {
            let mut start = 0;
            for peak in range.peaks() {
                let level = (size - start).ilog2();
                edge.insert((level, start >> level), *peak);
                start += 1 << level;
            }
        }
        Ok(Self { edge, tiles: TiledTree::new(StoredTiles { reader, size, known: RefCell::default() }) })
    }
}

impl NodeSource for StoredNodes<'_> {
    type Error = TiledTreeError<ReadError>;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error> {
        match self.edge.get(&(level, index)) {
            Some(hash) => Ok(*hash),
            None => self.tiles.node(level, index),
        }
    }
}

/// The full tiles of a store, and the partial ones of a tree of a certain size, which stores do
/// not keep: those of level 0 come from the lines, those above from the full tiles below.
#[derive(Debug)]
struct StoredTiles<'r> {
    reader: &'r dyn LogReader,
    size: u64,
    /// Tiles that have been looked for: a proof asks for some of them more than once.
    known: RefCell<BTreeMap<(u8, u64), Option<Tile>>>,
}

impl StoredTiles<'_> {
    /// The tile at the right edge: as many of its hashes as the tree has.
    fn partial(&self, level: u8, index: u64) -> Result<Option<Tile>, ReadError> {
        let hashes = self.size.checked_shr(TILE_HEIGHT * u32::from(level)).unwrap_or(0);
        let first = index * TILE_WIDTH;
        if first >= hashes || hashes - first >= TILE_WIDTH {
            return Ok(None);
        }
        let mut known = self.stored(level, index)?;
        known.truncate((hashes - first) as usize);
        let from = first + known.len() as u64;
        let rest = match level.checked_sub(1) {
            None => self.leaves(from, hashes)?,
            Some(below) => self.roots(below, from, hashes)?,
        };
        Ok(rest.and_then(|rest| {
            known.extend(rest);
            Tile::from_hashes(known).ok()
        }))
    }

    /// As many hashes of a tile as the store has: a store may keep tiles that still grow.
    fn stored(&self, level: u8, index: u64) -> Result<Vec<Hash>, ReadError> {
        let bytes = self.reader.tile(level, index)?.unwrap_or_default();
        Ok(bytes.as_chunks::<32>().0.iter().copied().map(Hash::from_bytes).collect())
    }

    /// The leaf hashes of lines, `None` if there are too few.
    fn leaves(&self, first: u64, end: u64) -> Result<Option<Vec<Hash>>, ReadError> {
        let mut lines = Lines::from(self.reader, first)?;
        let mut hashes = Vec::new();
        for _ in first..end {
            match lines.next_line()? {
                Some(line) => hashes.push(leaf_hash(line)),
                None => return Ok(None),
            }
        }
        Ok(Some(hashes))
    }

    /// The roots of full tiles, `None` if one is missing.
    fn roots(&self, level: u8, first: u64, end: u64) -> Result<Option<Vec<Hash>>, ReadError> {
        let indexes: Vec<u64> = (first..end).collect();
        if indexes.len() < WORTH_THREADS {
            return roots_of(self.reader, level, &indexes);
        }
        let workers = thread::available_parallelism().map_or(1, usize::from).min(8);
        let shares = indexes.chunks(indexes.len().div_ceil(workers));
        let reader = self.reader;
        let joined = thread::scope(|scope| {
            let running: Vec<_> = shares.map(|share| scope.spawn(move || roots_of(reader, level, share))).collect();
            running.into_iter().map(|worker| worker.join().unwrap_or(Ok(None))).collect::<Vec<_>>()
        });
        let mut roots = Vec::with_capacity(indexes.len());
        for share in joined {
            match share? {
                Some(share) => roots.extend(share),
                None => return Ok(None),
            }
        }
        Ok(Some(roots))
    }
}

impl TileSource for StoredTiles<'_> {
    type Error = ReadError;

    fn tile(&self, level: u8, index: u64) -> Result<Option<Tile>, ReadError> {
        if let Some(tile) = self.known.borrow().get(&(level, index)) {
            return Ok(tile.clone());
        }
        let tile = match self.partial(level, index)? {
            Some(tile) => Some(tile),
            None => {
                let bytes = self.reader.tile(level, index)?;
                bytes.and_then(|bytes| Tile::from_bytes(&bytes).ok()).filter(Tile::is_full)
            }
        };
        self.known.borrow_mut().insert((level, index), tile.clone());
        Ok(tile)
    }
}

fn roots_of(reader: &dyn LogReader, level: u8, indexes: &[u64]) -> Result<Option<Vec<Hash>>, ReadError> {
    let mut roots = Vec::with_capacity(indexes.len());
    for index in indexes {
        let bytes = reader.tile(level, *index)?;
        match bytes.as_deref().and_then(root_of) {
            Some(root) => roots.push(root),
            None => return Ok(None),
        }
    }
    Ok(Some(roots))
}

/// The root of a full tile.
fn root_of(tile: &[u8]) -> Option<Hash> {
    let (hashes, rest) = tile.as_chunks::<32>();
    if hashes.len() != TILE_WIDTH as usize || !rest.is_empty() {
        return None;
    }
    let mut nodes: Vec<Hash> = hashes.iter().copied().map(Hash::from_bytes).collect();
    while nodes.len() > 1 {
        nodes = nodes.as_chunks::<2>().0.iter().map(|[left, right]| node(left, right)).collect();
    }
    nodes.pop()
}
