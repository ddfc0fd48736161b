//! The nodes of a tree that is stored in tiles, some of which may be missing.

use std::error::Error;
use std::fmt;

use super::tile::TILE_HEIGHT;
use super::{CompactRange, Hash, NodeSource, Tile};

/// Where tiles come from: a directory, a server, a test.
pub trait TileSource {
    /// Why a tile could not be looked for. That there is none is no error.
    type Error;

    /// The hash tile at `index` of tile level `level`, with as many hashes as there are, or
    /// `None` when there is no such tile.
    ///
    /// A missing tile above level 0 is computed from those below it. May block.
    ///
    /// # Errors
    ///
    /// When it could not be looked for.
    fn tile(&self, level: u8, index: u64) -> Result<Option<Tile>, Self::Error>;
}

/// A tree in tiles, as a source of nodes for proofs and roots.
///
/// Only level 0 has to be complete: what is missing above it, such as the partial tiles at the
/// right edge, is computed from full tiles below, one of them for each hash.
#[derive(Clone, Debug)]
pub struct TiledTree<T> {
    tiles: T,
}

impl<T: TileSource> TiledTree<T> {
    /// The tree that `tiles` hold.
    pub const fn new(tiles: T) -> Self {
        Self { tiles }
    }

    /// The hash at `position` of tile level `level`, from the tile below it.
    fn derive_hash(&self, level: u8, position: u64) -> Result<Hash, TiledTreeError<T::Error>> {
        let Some(below) = level.checked_sub(1) else {
            let index = position >> TILE_HEIGHT;
            return Err(TiledTreeError::Missing { level, index });
        };
        match self.read(below, position)? {
            Some(tile) if tile.is_full() => Ok(tile.root()),
            _ => self.join(below, position << TILE_HEIGHT, 1 << TILE_HEIGHT),
        }
    }

    /// The root of `count` hashes from `first` on of tile level `level`.
    fn join(&self, level: u8, first: u64, count: u64) -> Result<Hash, TiledTreeError<T::Error>> {
        let mut range = CompactRange::new();
        for position in first..first.saturating_add(count) {
            range.push(self.derive_hash(level, position)?);
        }
        Ok(range.root())
    }

    fn read(&self, level: u8, index: u64) -> Result<Option<Tile>, TiledTreeError<T::Error>> {
        self.tiles.tile(level, index).map_err(TiledTreeError::Source)
    }
}

impl<T: TileSource> NodeSource for TiledTree<T> {
    type Error = TiledTreeError<T::Error>;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error> {
        let height = level % TILE_HEIGHT;
        let tile_level = u8::try_from(level / TILE_HEIGHT).unwrap_or(u8::MAX);
        // A tile begins at each multiple of 256 hashes, that is of 2^(8 - height) nodes.
        let nodes = 1_u64 << (TILE_HEIGHT - height);
        if let Some(tile) = self.read(tile_level, index / nodes)?
            && let Some(hash) = tile.node(height, index % nodes)
        {
            return Ok(hash);
        }
        match index.checked_shl(height) {
            Some(first) if first >> height == index => self.join(tile_level, first, 1 << height),
            _ => Err(TiledTreeError::Missing { level: tile_level, index: index / nodes }),
        }
    }
}

/// Why a tree in tiles could not give a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TiledTreeError<E> {
    /// A tile of level 0 is not there, or has too few hashes.
    Missing {
        /// The level of the tile.
        level: u8,
        /// Its index.
        index: u64,
    },
    /// A tile could not be looked for.
    Source(E),
}

impl<E> fmt::Display for TiledTreeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { level, index } => {
                write!(f, "the hash tile {index} of level {level} is missing or too short")
            }
            Self::Source(_) => f.write_str("a hash tile could not be read"),
        }
    }
}

impl<E: Error + 'static> Error for TiledTreeError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Source(source) => Some(source),
            Self::Missing { .. } => None,
        }
    }
}
