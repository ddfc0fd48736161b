//! Full hash tiles (C2SP tlog-tiles): 256 hashes of one level of the tree to a file.
//!
//! They are derived from the lines: they save work, and prove nothing by themselves.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::create;
use super::layout::Layout;
use super::segments::Segments;
use crate::backend::BackendError;
use crate::evidence::{TILE_WIDTH, Tile, TileSource};

/// Writes one full tile. Not forced to disk: one that a crash damaged does not hash to a signed
/// root.
pub(super) fn write(layout: &Layout, level: u8, index: u64, tile: &Tile) -> io::Result<()> {
    let bytes = tile.to_bytes();
    let path = layout.tile(level, index);
    match put(&path, &bytes) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            put(&path, &bytes)
        }
        result => result,
    }
}

/// Without a detour over a temporary file, which would double the work: a reader takes a tile for
/// what it hashes to, and one that is not full for none.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match create::options().create_new(true).open(path) {
        Ok(mut file) => file.write_all(bytes),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => create::replace_unsynced(path, bytes),
        Err(error) => Err(error),
    }
}

/// Reads one full tile, right or wrong; `None` if it is not there or not full.
pub(super) fn read(layout: &Layout, level: u8, index: u64) -> Option<Tile> {
    let bytes = fs::read(layout.tile(level, index)).ok()?;
    Tile::from_bytes(&bytes).ok().filter(Tile::is_full)
}

/// The tiles of a log, those that are missing computed from the lines.
#[derive(Debug)]
pub(super) struct Tiles<'a> {
    segments: &'a Segments,
    /// Whether what was written is looked at, or only lines.
    written: bool,
}

impl<'a> Tiles<'a> {
    /// What was written, and the lines where something is missing.
    pub(super) const fn of(segments: &'a Segments) -> Self {
        Self { segments, written: true }
    }

    /// The lines alone: slow, and right whatever was written.
    pub(super) const fn of_lines(segments: &'a Segments) -> Self {
        Self { segments, written: false }
    }
}

impl TileSource for Tiles<'_> {
    type Error = BackendError;

    fn tile(&self, level: u8, index: u64) -> Result<Option<Tile>, BackendError> {
        let written = self.written.then(|| read(&self.segments.layout, level, index)).flatten();
        if written.is_some() || level > 0 {
            return Ok(written);
        }
        let first = index.saturating_mul(TILE_WIDTH);
        let leaves = self.segments.leaves(first..first.saturating_add(TILE_WIDTH))?;
        Ok(Tile::from_hashes(leaves).ok())
    }
}
