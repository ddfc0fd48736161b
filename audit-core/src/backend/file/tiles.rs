//! Full hash tiles (C2SP tlog-tiles): 256 hashes of one level of the tree to a file.
//!
//! They are derived from the lines: they save work, and prove nothing by themselves.

use std::fs;
use std::io;

use super::create;
use super::layout::Layout;
use super::segments::Segments;
use crate::backend::BackendError;
use crate::evidence::{CompactRange, Hash};

/// How many hashes are in a full tile.
pub(super) const WIDTH: u64 = 256;

/// How many levels of the tree a tile covers.
const HEIGHT: u32 = 8;

const HASH: usize = 32;

/// Writes one full tile. Not forced to disk: one that a crash damaged does not hash to a signed
/// root.
pub(super) fn write(layout: &Layout, level: u8, index: u64, hashes: &[Hash]) -> io::Result<()> {
    let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
    let path = layout.tile(level, index);
    match create::replace_unsynced(&path, &bytes) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            create::replace_unsynced(&path, &bytes)
        }
        result => result,
    }
}

/// Reads one full tile, right or wrong; `None` if it is not there or not full.
pub(super) fn read(layout: &Layout, level: u8, index: u64) -> Option<Vec<Hash>> {
    let bytes = fs::read(layout.tile(level, index)).ok()?;
    let hashes: Vec<Hash> = bytes
        .chunks_exact(HASH)
        .filter_map(|chunk| Some(Hash::from_bytes(chunk.try_into().ok()?)))
        .collect();
    (bytes.len() as u64 == WIDTH * HASH as u64).then_some(hashes)
}

/// The root of a complete subtree.
pub(super) fn root(hashes: &[Hash]) -> Hash {
    let mut range = CompactRange::new();
    for hash in hashes {
        range.push(*hash);
    }
    range.root()
}

/// Hashes of a tree whose leaves are all in the log, from tiles where there are some and from the
/// lines where not.
#[derive(Debug)]
pub(super) struct Nodes<'a> {
    segments: &'a Segments,
    /// Whether tiles are looked at, or only lines.
    tiles: bool,
    /// The tile that was looked at last: neighbours are asked for one after the other.
    last: Option<(u8, u64, Option<Vec<Hash>>)>,
}

impl<'a> Nodes<'a> {
    pub(super) const fn new(segments: &'a Segments) -> Self {
        Self {
            segments,
            tiles: true,
            last: None,
        }
    }

    /// Hashes from the lines alone: slow, and right whatever the tiles say.
    pub(super) const fn of_lines(segments: &'a Segments) -> Self {
        Self {
            segments,
            tiles: false,
            last: None,
        }
    }

    /// A tile that was written.
    fn written(&self, level: u8, index: u64) -> Option<Vec<Hash>> {
        self.tiles
            .then(|| read(&self.segments.layout, level, index))
            .flatten()
    }

    /// The root of the complete subtree of 2^`level` leaves that is the `index`th of its size;
    /// `None` if lines of it are missing.
    pub(super) fn node(&mut self, level: u32, index: u64) -> Result<Option<Hash>, BackendError> {
        let tile_level = u8::try_from(level / HEIGHT).unwrap_or(u8::MAX);
        let width = 1_u64 << (level % HEIGHT);
        let mut range = CompactRange::new();
        for at in index * width..(index + 1) * width {
            match self.hash(tile_level, at)? {
                Some(hash) => range.push(hash),
                None => return Ok(None),
            }
        }
        Ok(Some(range.root()))
    }

    /// The `index`th hash of a level of tiles.
    fn hash(&mut self, level: u8, index: u64) -> Result<Option<Hash>, BackendError> {
        let (tile, at) = (index / WIDTH, usize::try_from(index % WIDTH).unwrap_or(0));
        if let Some(hash) = self.tile(level, tile).and_then(|hashes| hashes.get(at)) {
            return Ok(Some(*hash));
        }
        match level.checked_sub(1) {
            None => Ok(self.segments.leaves(index..index + 1)?.first().copied()),
            Some(below) => Ok(self.hashes(below, index)?.map(|hashes| root(&hashes))),
        }
    }

    /// All hashes of a tile that the tree fills, whether it was written or not.
    pub(super) fn hashes(
        &mut self,
        level: u8,
        index: u64,
    ) -> Result<Option<Vec<Hash>>, BackendError> {
        if let Some(hashes) = self.written(level, index) {
            return Ok(Some(hashes));
        }
        let range = index * WIDTH..(index + 1) * WIDTH;
        let hashes = match level.checked_sub(1) {
            None => self.segments.leaves(range)?,
            Some(below) => {
                let mut hashes = Vec::new();
                for at in range {
                    let Some(tile) = self.hashes(below, at)? else {
                        return Ok(None);
                    };
                    hashes.push(root(&tile));
                }
                hashes
            }
        };
        Ok((hashes.len() as u64 == WIDTH).then_some(hashes))
    }

    /// A tile that was written, through a cache of one.
    fn tile(&mut self, level: u8, index: u64) -> Option<&Vec<Hash>> {
        let cached = matches!(&self.last, Some((l, i, _)) if (*l, *i) == (level, index));
        if !cached {
            self.last = Some((level, index, self.written(level, index)));
        }
        self.last
            .as_ref()
            .and_then(|(_, _, hashes)| hashes.as_ref())
    }
}
