//! Inclusion and consistency proofs: published vectors, another implementation, and what must
//! never verify.

use audit_core::evidence::{
    CompactRange, Hash, NodeMissing, NodeSource, ProofError, ProveError, consistency_proof, inclusion_proof, leaf_hash,
    verify_consistency, verify_inclusion,
};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use proptest::sample::Index;
use sha2::Sha256;

const SIZE: u64 = 300;

const CLASSIC: [&[u8]; 8] =
    [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"];
const LEAF_0: &str = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
const LEAF_1: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const LEAF_4: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const LEAF_6: &str = "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f";
const ROOT_2: &str = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125";
const ROOT_4: &str = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7";
const NODE_2_3: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const NODE_4_5: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
const NODE_6_7: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const NODE_4_7: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";

fn classic() -> Vec<Hash> {
    CLASSIC.iter().map(|data| leaf_hash(data)).collect()
}

fn decimal_leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|index| leaf_hash(index.to_string().as_bytes())).collect()
}

/// The roots of all beginnings, the empty one first.
fn roots(leaves: &[Hash]) -> Vec<Hash> {
    let mut tree = CompactRange::new();
    let mut roots = vec![tree.root()];
    for leaf in leaves {
        tree.push(*leaf);
        roots.push(tree.root());
    }
    roots
}

fn hex(path: &[Hash]) -> Vec<String> {
    path.iter().map(Hash::to_hex).collect()
}

#[test]
fn the_classic_inclusion_proofs_are_those_published() {
    let leaves = classic();
    let roots = roots(&leaves);
    let vectors: [(u64, u64, &[&str]); 5] = [
        (0, 1, &[]),
        (0, 8, &[LEAF_1, NODE_2_3, NODE_4_7]),
        (5, 8, &[LEAF_4, NODE_6_7, ROOT_4]),
        (2, 3, &[ROOT_2]),
        (1, 5, &[LEAF_0, NODE_2_3, LEAF_4]),
    ];
    for (index, size, expected) in vectors {
        let path = inclusion_proof(index, size, &leaves[..]).unwrap();
        assert_eq!(hex(&path), expected, "{index} of {size}");
        let (leaf, root) = (&leaves[index as usize], &roots[size as usize]);
        assert_eq!(verify_inclusion(index, size, leaf, &path, root), Ok(()));
    }
}

#[test]
fn the_classic_consistency_proofs_are_those_published() {
    let leaves = classic();
    let roots = roots(&leaves);
    let vectors: [(u64, u64, &[&str]); 5] = [
        (1, 1, &[]),
        (1, 8, &[LEAF_1, NODE_2_3, NODE_4_7]),
        (6, 8, &[NODE_4_5, NODE_6_7, ROOT_4]),
        (2, 5, &[NODE_2_3, LEAF_4]),
        (6, 7, &[NODE_4_5, LEAF_6, ROOT_4]),
    ];
    for (old, new, expected) in vectors {
        let path = consistency_proof(old, new, &leaves[..]).unwrap();
        assert_eq!(hex(&path), expected, "{old} in {new}");
        let (old_root, root) = (&roots[old as usize], &roots[new as usize]);
        assert_eq!(verify_consistency(old, new, &path, old_root, root), Ok(()));
    }
}

#[test]
fn every_leaf_of_every_size_up_to_300_is_proved_and_only_under_its_own_root() {
    let leaves = decimal_leaves(SIZE);
    let roots = roots(&leaves);
    for size in 1..=SIZE {
        let root = &roots[size as usize];
        let other_root = &roots[size as usize - 1];
        // All indices of small trees, and a sample that covers both edges of the large ones.
        let step = if size <= 70 { 1 } else { 7 };
        for index in (0..size).step_by(step).chain([size - 1]) {
            let leaf = &leaves[index as usize];
            let path = inclusion_proof(index, size, &leaves[..]).unwrap();
            assert_eq!(verify_inclusion(index, size, leaf, &path, root), Ok(()));
            assert_eq!(
                verify_inclusion(index, size, leaf, &path, other_root),
                Err(ProofError::OtherRoot),
                "{index} of {size}"
            );
        }
    }
}

#[test]
fn every_beginning_of_every_size_up_to_300_is_proved_and_only_under_its_own_roots() {
    let leaves = decimal_leaves(SIZE);
    let roots = roots(&leaves);
    for size in 0..=SIZE {
        let step = if size <= 70 { 1 } else { 7 };
        for old in (0..=size).step_by(step).chain([size]) {
            let path = consistency_proof(old, size, &leaves[..]).unwrap();
            let (old_root, root) = (&roots[old as usize], &roots[size as usize]);
            let verify = |old_root, root| verify_consistency(old, size, &path, old_root, root);
            assert_eq!(verify(old_root, root), Ok(()), "{old} in {size}");
            assert!(verify(&Hash::ZERO, root).is_err(), "{old} in {size}");
            if old > 0 {
                assert!(verify(old_root, &Hash::ZERO).is_err(), "{old} in {size}");
            }
        }
    }
}

#[test]
fn another_implementation_makes_the_same_proofs() {
    let leaves = decimal_leaves(130);
    let mut oracle = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for size in 1..=130_u64 {
        oracle.push((size - 1).to_string().into_bytes());
        for index in 0..size {
            let ours = inclusion_proof(index, size, &leaves[..]).unwrap();
            let ours: Vec<u8> = ours.iter().flat_map(|hash| *hash.as_bytes()).collect();
            let theirs = oracle.prove_inclusion(index as usize);
            assert_eq!(ours, theirs.as_bytes(), "{index} of {size}");
        }
        for old in 1..size {
            let ours = consistency_proof(old, size, &leaves[..]).unwrap();
            let ours: Vec<u8> = ours.iter().flat_map(|hash| *hash.as_bytes()).collect();
            let theirs = oracle.prove_consistency((size - old) as usize);
            assert_eq!(ours, theirs.as_bytes(), "{old} in {size}");
        }
    }
}

#[test]
fn what_lies_behind_the_end_has_no_proof() {
    let leaves = classic();
    let out_of_range = |asked| Err(ProveError::OutOfRange { asked, size: 8 });
    assert_eq!(inclusion_proof(8, 8, &leaves[..]), out_of_range(8));
    assert_eq!(inclusion_proof(u64::MAX, 8, &leaves[..]), out_of_range(u64::MAX));
    assert_eq!(consistency_proof(9, 8, &leaves[..]), out_of_range(9));
    assert!(inclusion_proof(0, 0, &leaves[..]).is_err());
    assert_eq!(verify_inclusion(8, 8, &leaves[0], &[], &Hash::ZERO), Err(ProofError::OutOfRange { index: 8, size: 8 }));
    assert_eq!(
        verify_consistency(9, 8, &[], &Hash::ZERO, &Hash::ZERO),
        Err(ProofError::Shrunk { old_size: 9, size: 8 })
    );
}

#[test]
fn a_node_that_cannot_be_had_is_the_callers_error() {
    let leaves = classic();
    let missing = NodeMissing { level: 2, index: 2 };
    assert_eq!(inclusion_proof(3, 12, &leaves[..]), Err(ProveError::Source(missing)));
    assert_eq!(leaves[..].node(63, u64::MAX), Err(NodeMissing { level: 63, index: u64::MAX }));
    assert!(leaves[..].node(64, 0).is_err());
    assert!(leaves[..].node(u32::MAX, 1).is_err());
}

#[test]
fn the_empty_tree_has_one_root_only() {
    let leaves = classic();
    let roots = roots(&leaves);
    let verify = |old_root: Hash| verify_consistency(0, 8, &[], &old_root, &roots[8]);
    assert_eq!(verify(Hash::empty_root()), Ok(()));
    assert_eq!(verify(Hash::ZERO), Err(ProofError::OtherRoot));
    assert_eq!(verify_consistency(0, 8, &leaves[..1], &roots[0], &roots[8]), Err(ProofError::TooLong));
    assert_eq!(verify_consistency(8, 8, &leaves[..1], &roots[8], &roots[8]), Err(ProofError::TooLong));
}

#[test]
fn a_proof_of_the_wrong_length_is_refused() {
    let leaves = decimal_leaves(100);
    let roots = roots(&leaves);
    for size in 2..=100_u64 {
        let root = &roots[size as usize];
        for index in 0..size {
            let leaf = &leaves[index as usize];
            let mut path = inclusion_proof(index, size, &leaves[..]).unwrap();
            let short = &path[..path.len() - 1];
            assert_eq!(verify_inclusion(index, size, leaf, short, root), Err(ProofError::TooShort));
            path.push(*root);
            assert_eq!(verify_inclusion(index, size, leaf, &path, root), Err(ProofError::TooLong));
        }
        for old in 1..size {
            let old_root = &roots[old as usize];
            let mut path = consistency_proof(old, size, &leaves[..]).unwrap();
            let short = &path[..path.len() - 1];
            assert_eq!(verify_consistency(old, size, short, old_root, root), Err(ProofError::TooShort));
            path.push(*root);
            assert_eq!(verify_consistency(old, size, &path, old_root, root), Err(ProofError::TooLong));
        }
    }
}

/// The root of a tree far too large to build: every node is the hash of its place.
struct Imagined;

impl NodeSource for Imagined {
    type Error = std::convert::Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error> {
        Ok(Hash::digest(format!("{level} {index}").as_bytes()))
    }
}

#[test]
fn trees_of_any_size_are_walked_without_overflow() {
    for size in [u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) + 1] {
        for index in [0, 1, size / 2, size - 2, size - 1] {
            let path = inclusion_proof(index, size, &Imagined).unwrap();
            assert!(path.len() <= 64);
            let leaf = leaf_hash(b"");
            // Imagined nodes do not hash to one another: only the length can be right.
            assert_eq!(verify_inclusion(index, size, &leaf, &path, &Hash::ZERO), Err(ProofError::OtherRoot));
            let path = consistency_proof(index.max(1), size, &Imagined).unwrap();
            assert!(path.len() <= 65);
            assert_eq!(
                verify_consistency(index.max(1), size, &path, &Hash::ZERO, &Hash::ZERO),
                Err(ProofError::OtherRoot)
            );
        }
    }
}

proptest! {
    #[test]
    fn a_changed_leaf_index_size_hash_or_root_never_verifies(
        size in 2..SIZE,
        place: Index,
        hash: Index,
        bit in 0..256_usize,
        other in 0..SIZE,
    ) {
        let leaves = decimal_leaves(size);
        let root = roots(&leaves)[size as usize];
        let index = place.index(size as usize) as u64;
        let leaf = leaves[index as usize];
        let path = inclusion_proof(index, size, &leaves[..]).unwrap();
        prop_assert_eq!(verify_inclusion(index, size, &leaf, &path, &root), Ok(()));

        prop_assert!(verify_inclusion(index, size, &flip(&leaf, bit), &path, &root).is_err());
        prop_assert!(verify_inclusion(index, size, &leaf, &path, &flip(&root, bit)).is_err());
        let mut changed = path.clone();
        let position = hash.index(path.len());
        changed[position] = flip(&changed[position], bit);
        prop_assert!(verify_inclusion(index, size, &leaf, &changed, &root).is_err());
        if other != index {
            prop_assert!(verify_inclusion(other, size, &leaf, &path, &root).is_err());
        }
    }

    #[test]
    fn a_changed_root_or_hash_never_shows_consistency(
        size in 2..SIZE,
        place: Index,
        hash: Index,
        bit in 0..256_usize,
    ) {
        let leaves = decimal_leaves(size);
        let roots = roots(&leaves);
        let old = 1 + place.index(size as usize - 1) as u64;
        let (old_root, root) = (roots[old as usize], roots[size as usize]);
        let path = consistency_proof(old, size, &leaves[..]).unwrap();
        let verify = |path: &[Hash], old_root: Hash, root: Hash| {
            verify_consistency(old, size, path, &old_root, &root)
        };
        prop_assert_eq!(verify(&path, old_root, root), Ok(()));
        prop_assert!(verify(&path, flip(&old_root, bit), root).is_err());
        prop_assert!(verify(&path, old_root, flip(&root, bit)).is_err());
        let mut changed = path.clone();
        let position = hash.index(path.len());
        changed[position] = flip(&changed[position], bit);
        prop_assert!(verify(&changed, old_root, root).is_err());
    }

    #[test]
    fn a_tree_with_one_old_leaf_changed_is_never_consistent(
        size in 2..SIZE,
        place: Index,
        victim: Index,
    ) {
        let leaves = decimal_leaves(size);
        let old = 1 + place.index(size as usize - 1) as u64;
        let old_root = roots(&leaves)[old as usize];
        let mut forged = leaves;
        forged[victim.index(old as usize)] = leaf_hash(b"forged");
        let root = roots(&forged)[size as usize];
        let path = consistency_proof(old, size, &forged[..]).unwrap();
        prop_assert!(verify_consistency(old, size, &path, &old_root, &root).is_err());
    }

    #[test]
    fn hostile_proofs_are_refused_without_panic(
        index: u64,
        size: u64,
        path in proptest::collection::vec(any::<[u8; 32]>(), 0..70),
        root: [u8; 32],
    ) {
        let path: Vec<Hash> = path.into_iter().map(Hash::from_bytes).collect();
        let root = Hash::from_bytes(root);
        prop_assert!(verify_inclusion(index, size, &Hash::ZERO, &path, &root).is_err());
        prop_assert!(verify_consistency(index, size, &path, &Hash::ZERO, &root).is_err());
    }
}

fn flip(hash: &Hash, bit: usize) -> Hash {
    let mut bytes = *hash.as_bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Hash::from_bytes(bytes)
}
