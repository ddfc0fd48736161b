//! Hash tiles (C2SP tlog-tiles): the tree in files of 256 hashes, eight levels apart.

use std::error::Error;
use std::fmt;

use super::{CompactRange, Hash, NodeSource};

/// A full tile holds this many hashes.
pub const TILE_WIDTH: u64 = 256;

/// A tile spans this many levels of the tree.
pub const TILE_HEIGHT: u32 = 8;

/// The path of a hash tile, `tile/<level>/<index>` (C2SP tlog-tiles).
///
/// `level` counts tiles, not nodes: the hashes of a tile of level *l* are roots of subtrees of
/// `256^l` leaves. `width` is that of a partial tile, 1 to 255; `None` is a full one.
#[must_use]
pub fn tile_path(level: u8, index: u64, width: Option<u8>) -> String {
    let mut path = format!("tile/{level}/");
    push_index(index, width, &mut path);
    path
}

/// The path of an entry bundle, `tile/entries/<index>`: the entries whose hashes are in the
/// tile of level 0 with the same index and width.
#[must_use]
pub fn entries_path(index: u64, width: Option<u8>) -> String {
    let mut path = String::from("tile/entries/");
    push_index(index, width, &mut path);
    path
}

/// Groups of three digits, all but the last marked with an `x`.
fn push_index(index: u64, width: Option<u8>, path: &mut String) {
    let digits = index.to_string();
    let padded = format!("{digits:0>width$}", width = digits.len().next_multiple_of(3));
    let groups = padded.len() / 3;
    for (position, digit) in padded.chars().enumerate() {
        if position % 3 == 0 {
            if position > 0 {
                path.push('/');
            }
            if position / 3 + 1 < groups {
                path.push('x');
            }
        }
        path.push(digit);
    }
    if let Some(width) = width {
        path.push_str(&format!(".p/{width}"));
    }
}

/// How many full tiles a tree of `size` leaves has on tile level `level`, and how many hashes
/// its partial tile there holds (0: there is none).
#[must_use]
pub fn tile_counts(level: u8, size: u64) -> (u64, u8) {
    let hashes = size.checked_shr(TILE_HEIGHT * u32::from(level)).unwrap_or(0);
    (hashes / TILE_WIDTH, (hashes % TILE_WIDTH) as u8)
}

/// The bytes are not a tile: 1 to 256 hashes of 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTile;

impl fmt::Display for InvalidTile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a hash tile holds 1 to 256 hashes of 32 bytes")
    }
}

impl Error for InvalidTile {}

/// The hashes of one tile, full or partial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    hashes: Vec<Hash>,
}

impl Tile {
    /// A tile from its bytes.
    ///
    /// # Errors
    ///
    /// When they are not 1 to 256 hashes of 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidTile> {
        let (hashes, rest) = bytes.as_chunks();
        if !rest.is_empty() {
            return Err(InvalidTile);
        }
        Self::from_hashes(hashes.iter().copied().map(Hash::from_bytes).collect())
    }

    /// A tile from its hashes.
    ///
    /// # Errors
    ///
    /// When they are not 1 to 256.
    pub fn from_hashes(hashes: Vec<Hash>) -> Result<Self, InvalidTile> {
        if (1..=TILE_WIDTH as usize).contains(&hashes.len()) { Ok(Self { hashes }) } else { Err(InvalidTile) }
    }

    /// The bytes: 32 for each hash.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let hashes = self.hashes.iter();
        hashes.flat_map(|hash| *hash.as_bytes()).collect()
    }

    /// The hashes, 1 to 256.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// Whether all 256 hashes are there.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.hashes.len() == TILE_WIDTH as usize
    }

    /// The root of the tile's hashes: of a full tile, the hash that stands for it in a tile of
    /// the next level.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.hashes.iter().copied().collect::<CompactRange>().root()
    }

    /// The node `height` levels (0 to 8) above the tile's hashes whose subtree begins with hash
    /// `offset * 2^height`, if the tile has all of it.
    #[must_use]
    pub fn node(&self, height: u32, offset: u64) -> Option<Hash> {
        self.hashes.as_slice().node(height, offset).ok()
    }
}
