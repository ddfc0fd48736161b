//! Tiles: their paths and sizes, and proofs from a tree that is stored in them.

#![allow(clippy::unwrap_used, reason = "what is shared between tests may fail them")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::convert::Infallible;

use audit_core::evidence::{
    CompactRange, Hash, ProveError, TILE_WIDTH, Tile, TileSource, TiledTree, TiledTreeError, consistency_proof,
    entries_path, inclusion_proof, leaf_hash, root_of, tile_counts, tile_path,
};
use proptest::prelude::*;

fn decimal_leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|index| leaf_hash(index.to_string().as_bytes())).collect()
}

/// All tiles that a tree of these leaves has, by level and index; partial ones where asked.
fn tiles_of(leaves: &[Hash], partial: bool) -> BTreeMap<(u8, u64), Tile> {
    let mut tiles = BTreeMap::new();
    let mut hashes = leaves.to_vec();
    for level in 0.. {
        let full = hashes.len() / TILE_WIDTH as usize;
        let mut next = Vec::new();
        for (index, chunk) in hashes.chunks(TILE_WIDTH as usize).enumerate() {
            let tile = Tile::from_hashes(chunk.to_vec()).unwrap();
            if index < full {
                next.push(tile.root());
            }
            if index < full || partial || level == 0 {
                tiles.insert((level, index as u64), tile);
            }
        }
        if next.is_empty() {
            return tiles;
        }
        hashes = next;
    }
    unreachable!()
}

struct Stored {
    tiles: BTreeMap<(u8, u64), Tile>,
    reads: Cell<u64>,
}

impl Stored {
    fn new(tiles: BTreeMap<(u8, u64), Tile>) -> Self {
        let reads = Cell::new(0);
        Self { tiles, reads }
    }
}

impl TileSource for &Stored {
    type Error = Infallible;

    fn tile(&self, level: u8, index: u64) -> Result<Option<Tile>, Infallible> {
        self.reads.set(self.reads.get() + 1);
        Ok(self.tiles.get(&(level, index)).cloned())
    }
}

#[test]
fn paths_have_groups_of_three_digits() {
    let paths = [
        (0, 0, None, "tile/0/000"),
        (0, 999, None, "tile/0/999"),
        (0, 1_000, None, "tile/0/x001/000"),
        (0, 1_234, None, "tile/0/x001/234"),
        (1, 1_234_067, None, "tile/1/x001/x234/067"),
        (7, 12, Some(255), "tile/7/012.p/255"),
        (63, 1_234_067, Some(1), "tile/63/x001/x234/067.p/1"),
        (0, u64::MAX, None, "tile/0/x018/x446/x744/x073/x709/x551/615"),
    ];
    for (level, index, width, expected) in paths {
        assert_eq!(tile_path(level, index, width), expected);
    }
    assert_eq!(entries_path(1_234, None), "tile/entries/x001/234");
    assert_eq!(entries_path(0, Some(8)), "tile/entries/000.p/8");
}

#[test]
fn a_tree_has_as_many_tiles_as_the_standard_says() {
    let counts = |size| [0, 1, 2, 3].map(|level| tile_counts(level, size));
    assert_eq!(counts(0), [(0, 0); 4]);
    assert_eq!(counts(255), [(0, 255), (0, 0), (0, 0), (0, 0)]);
    assert_eq!(counts(256), [(1, 0), (0, 1), (0, 0), (0, 0)]);
    assert_eq!(counts(257), [(1, 1), (0, 1), (0, 0), (0, 0)]);
    assert_eq!(counts(70_000), [(273, 112), (1, 17), (0, 1), (0, 0)]);
    assert_eq!(tile_counts(7, u64::MAX), (0, 255));
    assert_eq!(tile_counts(8, u64::MAX), (0, 0));
    assert_eq!(tile_counts(255, u64::MAX), (0, 0));
}

#[test]
fn the_tile_of_the_classic_tree_is_the_known_one() {
    let leaves: [&[u8]; 8] =
        [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"];
    let tile = Tile::from_hashes(leaves.map(leaf_hash).to_vec()).unwrap();
    let bytes = tile.to_bytes();
    assert_eq!(bytes.len(), 256);
    assert_eq!(Hash::digest(&bytes).to_hex(), "aea2f1bbb5140fd5f8eacb503fdf54c00c3d860c72588e40233addd416bc8f10");
    assert_eq!(Tile::from_bytes(&bytes), Ok(tile));
}

#[test]
fn bytes_of_another_length_than_whole_hashes_are_no_tile() {
    for length in [0, 1, 31, 33, 255, 257 * 32, 256 * 32 + 1] {
        assert!(Tile::from_bytes(&vec![0; length]).is_err(), "{length}");
    }
    for length in [32, 256 * 32] {
        let tile = Tile::from_bytes(&vec![7; length]).unwrap();
        assert_eq!(tile.is_full(), length == 256 * 32);
        assert_eq!(tile.to_bytes(), vec![7; length]);
    }
}

#[test]
fn a_node_of_a_tile_is_given_only_when_all_of_it_is_there() {
    let leaves = decimal_leaves(6);
    let tile = Tile::from_hashes(leaves.clone()).unwrap();
    let root = |range: std::ops::Range<usize>| {
        let range: CompactRange = leaves[range].iter().copied().collect();
        Some(range.root())
    };
    assert_eq!(tile.node(0, 5), root(5..6));
    assert_eq!(tile.node(1, 2), root(4..6));
    assert_eq!(tile.node(2, 0), root(0..4));
    assert_eq!(tile.node(0, 6), None);
    assert_eq!(tile.node(2, 1), None);
    assert_eq!(tile.node(3, 0), None);
}

#[test]
fn proofs_from_tiles_are_those_from_the_leaves_with_or_without_partial_tiles() {
    let leaves = decimal_leaves(66_000);
    let mut tree = CompactRange::new();
    let mut sizes = [1_u64, 256, 257, 65_535, 65_536, 66_000].into_iter();
    let mut next = sizes.next();
    for (position, leaf) in leaves.iter().enumerate() {
        tree.push(*leaf);
        let size = position as u64 + 1;
        if next != Some(size) {
            continue;
        }
        next = sizes.next();
        for partial in [true, false] {
            let stored = Stored::new(tiles_of(&leaves[..size as usize], partial));
            let tiled = TiledTree::new(&stored);
            assert_eq!(root_of(size, &tiled).unwrap(), tree.root(), "{size}");
            for index in [0, size / 3, size / 2, size - 1] {
                assert_eq!(
                    inclusion_proof(index, size, &tiled).unwrap(),
                    inclusion_proof(index, size, &leaves[..]).unwrap(),
                    "{index} of {size}"
                );
            }
            let old = size.div_ceil(2);
            assert_eq!(
                consistency_proof(old, size, &tiled).unwrap(),
                consistency_proof(old, size, &leaves[..]).unwrap(),
                "{old} in {size}"
            );
        }
    }
    assert_eq!(next, None);
}

#[test]
fn a_proof_reads_few_tiles() {
    let leaves = decimal_leaves(70_000);
    let stored = Stored::new(tiles_of(&leaves, true));
    inclusion_proof(34_567, 70_000, &TiledTree::new(&stored)).unwrap();
    assert!(stored.reads.get() <= 24, "{} reads", stored.reads.get());
}

#[test]
fn a_lost_tile_is_computed_from_those_below_and_missed_only_on_level_0() {
    let leaves = decimal_leaves(70_000);
    let mut tiles = tiles_of(&leaves, false);
    let whole = Stored::new(tiles.clone());
    let expected = inclusion_proof(69_999, 70_000, &TiledTree::new(&whole)).unwrap();
    tiles.remove(&(1, 0));
    let damaged = Stored::new(tiles.clone());
    let made = inclusion_proof(69_999, 70_000, &TiledTree::new(&damaged)).unwrap();
    assert_eq!(made, expected);
    tiles.remove(&(0, 3));
    let damaged = Stored::new(tiles);
    assert_eq!(
        inclusion_proof(69_999, 70_000, &TiledTree::new(&damaged)),
        Err(ProveError::Source(TiledTreeError::Missing { level: 0, index: 3 }))
    );
}

proptest! {
    #[test]
    fn every_path_is_different_and_made_of_allowed_characters(one: u64, other: u64) {
        let path = tile_path(0, one, None);
        prop_assert_eq!(path == tile_path(0, other, None), one == other);
        let groups: Vec<&str> = path.strip_prefix("tile/0/").unwrap().split('/').collect();
        let (last, first) = groups.split_last().unwrap();
        prop_assert!(last.len() == 3 && first.iter().all(|group| group.len() == 4));
        let digits: String = path[7..].chars().filter(char::is_ascii_digit).collect();
        prop_assert_eq!(digits.parse::<u64>().unwrap(), one);
    }

    #[test]
    fn hostile_bytes_are_no_tile_or_read_back(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        if let Ok(tile) = Tile::from_bytes(&bytes) {
            prop_assert_eq!(tile.to_bytes(), bytes);
        }
    }
}
