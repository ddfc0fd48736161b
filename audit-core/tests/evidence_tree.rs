//! Hashes, roots and the right edge of a tree against published vectors and another
//! implementation.

use audit_core::evidence::{CompactRange, Hash, compact_range_of, leaf_hash, node_hash, root_of};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use sha2::Sha256;

/// The leaves of the classic tree of eight, and the roots of its beginnings.
const LEAVES: [(&[u8], &str); 8] = [
    (b"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    (b"\x00", "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"),
    (b"\x10", "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7"),
    (b"\x20\x21", "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7"),
    (b"\x30\x31", "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"),
    (b"@ABC", "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658"),
    (b"PQRSTUVW", "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f"),
    (b"`abcdefghijklmno", "46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1"),
];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn decimal_leaves(count: u64) -> impl Iterator<Item = Hash> {
    (0..count).map(|index| leaf_hash(index.to_string().as_bytes()))
}

#[test]
fn the_hasher_agrees_with_the_published_vectors() {
    let vectors = [
        (leaf_hash(b"L123456"), "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"),
        (Hash::empty_root(), ROOTS[0]),
    ];
    for (hash, expected) in vectors {
        assert_eq!(hash.to_hex(), expected);
    }
    for (data, expected) in LEAVES {
        assert_eq!(leaf_hash(data).to_hex(), expected);
    }
}

#[test]
fn the_roots_of_the_classic_tree_are_those_published() {
    let mut tree = CompactRange::new();
    for (size, root) in ROOTS.into_iter().enumerate() {
        assert_eq!(tree.size(), size as u64);
        assert_eq!(tree.root().to_hex(), root, "size {size}");
        if let Some((data, _)) = LEAVES.get(size) {
            tree.push(leaf_hash(data));
        }
    }
}

#[test]
fn the_roots_of_trees_of_several_tiles_are_the_known_ones() {
    let known = [
        (255, "32f85bcaa87d7bcd05728f09e9aeba350ba6a2f733830087f0597682848be5cb"),
        (256, "828515d033c19d8c901f37eccb8aed919667703486f8d2fff1cf7040321c5db1"),
        (257, "1eda049a4351d86f76252bd7ec0b7746ad75b7fa0316ad5f541dbda458a312c4"),
        (512, "d4b2162495ca609dc06390d353ca0c55107765c609e0226eb747d89105dc8d55"),
        (1000, "638afa98022925bacfddadb15ef22fd0199c1ac99c2973b6158243d13fce05c2"),
    ];
    for (size, root) in known {
        let tree: CompactRange = decimal_leaves(size).collect();
        assert_eq!(tree.root().to_hex(), root, "size {size}");
    }
}

#[test]
fn every_size_up_to_300_has_the_root_that_another_implementation_computes() {
    let mut oracle = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut tree = CompactRange::new();
    let leaves: Vec<Hash> = decimal_leaves(300).collect();
    for size in 0..=300_usize {
        if size > 0 {
            oracle.push((size - 1).to_string().into_bytes());
            tree.push(leaves[size - 1]);
        }
        assert_eq!(tree.root().as_bytes().as_slice(), oracle.root().as_bytes().as_slice(), "size {size}");
        assert_eq!(compact_range_of(size as u64, &leaves[..]).unwrap(), tree);
        assert_eq!(root_of(size as u64, &leaves[..]).unwrap(), tree.root());
    }
}

#[test]
fn a_node_is_not_a_leaf_of_its_children() {
    let (left, right) = (leaf_hash(b"left"), leaf_hash(b"right"));
    let joined = [left.as_bytes().as_slice(), right.as_bytes()].concat();
    assert_ne!(node_hash(&left, &right), leaf_hash(&joined));
    assert_ne!(node_hash(&left, &right), node_hash(&right, &left));
    assert_eq!(node_hash(&left, &right), Hash::digest(&[b"\x01".as_slice(), &joined].concat()));
}

#[test]
fn a_right_edge_of_another_length_than_its_size_needs_is_refused() {
    let tree: CompactRange = decimal_leaves(7).collect();
    assert_eq!(tree.peaks().len(), 3);
    for size in [0, 1, 3, 8, 15, u64::MAX] {
        assert!(CompactRange::from_peaks(size, tree.peaks().to_vec()).is_err());
        assert!(CompactRange::from_bytes(size, &tree.to_bytes()).is_err());
    }
    let bytes = tree.to_bytes();
    for length in [0, 1, 32, 64, 95] {
        assert!(CompactRange::from_bytes(7, &bytes[..length]).is_err());
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(CompactRange::from_bytes(7, &longer).is_err());
    assert_eq!(CompactRange::from_bytes(0, &[]).unwrap(), CompactRange::new());
}

#[test]
fn hashes_are_read_only_in_their_one_form() {
    let hash = leaf_hash(b"");
    assert_eq!(Hash::from_hex(hash.to_hex().as_bytes()), Ok(hash));
    assert_eq!(Hash::from_base64(&hash.to_base64()), Ok(hash));
    let hex = hash.to_hex();
    for wrong in [&hex[1..], &format!("{hex}0"), &hex.to_uppercase(), ""] {
        assert!(Hash::from_hex(wrong.as_bytes()).is_err(), "{wrong}");
    }
    let base64 = hash.to_base64();
    let unpadded = &base64[..43];
    let url_safe = base64.replace(['+', '/'], "-");
    let loose = base64.replace("B0=", "B1=");
    assert_ne!(loose, base64);
    for wrong in [unpadded, &format!("{base64}="), &loose, "", "===="] {
        assert!(Hash::from_base64(wrong).is_err(), "{wrong}");
    }
    if url_safe != base64 {
        assert!(Hash::from_base64(&url_safe).is_err());
    }
}

proptest! {
    #[test]
    fn a_right_edge_read_back_goes_on_as_if_never_written(first in 0..600_u64, more in 0..600_u64) {
        let whole: CompactRange = decimal_leaves(first + more).collect();
        let start: CompactRange = decimal_leaves(first).collect();
        let mut read = CompactRange::from_bytes(start.size(), &start.to_bytes()).unwrap();
        prop_assert_eq!(&read, &start);
        read.extend(decimal_leaves(first + more).skip(usize::try_from(first).unwrap()));
        prop_assert_eq!(read.root(), whole.root());
        prop_assert_eq!(read, whole);
    }

    #[test]
    fn hostile_text_is_no_hash_or_reads_back(text in "[0-9A-Za-z+/=]{40,66}") {
        if let Ok(hash) = Hash::from_hex(text.as_bytes()) {
            prop_assert_eq!(hash.to_hex(), text);
        } else if let Ok(hash) = Hash::from_base64(&text) {
            prop_assert_eq!(hash.to_base64(), text);
        }
    }
}
