//! The worked example: every byte of it is recomputed.

use std::fs;

use audit_core::evidence::{
    Checkpoint, CompactRange, Hash, SignedCheckpoint, TlogProof, consistency_proof, inclusion_proof, leaf_hash,
    node_hash, verify_consistency,
};
use audit_core::key::{Key, VerifierKey};
use audit_core::record::Record;

use super::docs;

const SEGMENT: &str = "example-log/segments/00000000000000000000.jsonl";
const PROOF: &str = "example-seq-2.tlog-proof";

fn read(name: &str) -> String {
    fs::read_to_string(docs(name)).unwrap()
}

fn lines() -> Vec<String> {
    read(SEGMENT).lines().map(str::to_owned).collect()
}

fn leaves() -> Vec<Hash> {
    lines().iter().map(|line| leaf_hash(line.as_bytes())).collect()
}

/// The private key that the document publishes.
fn key() -> Key {
    let document = read("record-format.md");
    let line = document.lines().find(|line| line.starts_with("PRIVATE+KEY+payments")).unwrap();
    Key::from_text(line).unwrap()
}

#[test]
fn the_document_quotes_the_files_of_the_example_as_they_are() {
    let document = read("record-format.md");
    for name in [SEGMENT, "example-log/checkpoint", "example-log/log.pub", PROOF] {
        assert!(document.contains(&read(name)), "{name}");
    }
}

#[test]
fn the_lines_of_the_example_are_records_that_chain() {
    let mut prev = Hash::ZERO;
    for (seq, line) in lines().iter().enumerate() {
        let record = Record::parse(line.as_bytes()).unwrap();
        assert_eq!((record.seq(), *record.prev()), (seq as u64, prev));
        prev = leaf_hash(line.as_bytes());
    }
    assert!(read(SEGMENT).ends_with('\n'));
}

#[test]
fn every_hash_in_the_document_is_the_one_that_the_code_computes() {
    let document = read("record-format.md");
    let leaves = leaves();
    let shown = |text: &str| assert!(document.contains(text), "not in the document: {text}");
    for (index, leaf) in leaves.iter().enumerate() {
        shown(&format!("{index}  {leaf}  {}\n", leaf.to_base64()));
    }
    shown(&format!("{}  -\n", leaves[2]));
    let a = node_hash(&leaves[0], &leaves[1]);
    let b = node_hash(&leaves[2], &leaves[3]);
    let c = node_hash(&a, &b);
    let root = node_hash(&c, &leaves[4]);
    for (name, hash) in [("|| leaf 1)", a), ("|| leaf 3)", b), ("|| b)", c), ("|| leaf 4)", root)] {
        let line = document.lines().find(|line| line.ends_with(&hash.to_hex())).unwrap();
        assert!(line.contains(name), "{line}");
    }
    assert_eq!(leaves.iter().copied().collect::<CompactRange>().root(), root);
    let three: CompactRange = leaves[..3].iter().copied().collect();
    shown(&format!("the root `{}`", three.root()));
    let path = consistency_proof(3, 5, &leaves[..]).unwrap();
    assert_eq!(path, [leaves[2], leaves[3], a, leaves[4]]);
    assert_eq!(verify_consistency(3, 5, &path, &three.root(), &root), Ok(()));
}

#[test]
fn the_checkpoint_of_the_example_is_signed_again_byte_for_byte() {
    let key = key();
    assert_eq!(read("example-log/log.pub"), format!("{}\n", key.verifier()));
    let root = leaves().into_iter().collect::<CompactRange>().root();
    let signed = SignedCheckpoint::sign(Checkpoint::new(key.name(), 5, root), [&key]).unwrap();
    assert_eq!(signed.to_bytes(), read("example-log/checkpoint").into_bytes());
}

#[test]
fn the_key_under_the_plain_origin_serves_the_example_too() {
    let name = key().name().to_owned();
    let (origin, _) = name.rsplit_once('/').unwrap();
    let plain: VerifierKey = key().verifier().with_name(origin).unwrap();
    let signed = SignedCheckpoint::parse(read("example-log/checkpoint").as_bytes()).unwrap();
    assert_eq!(signed.verify(&plain.for_origin(&name).unwrap()), Ok(()));
}

#[test]
fn the_proof_of_the_example_is_made_again_byte_for_byte_and_verifies() {
    let bytes = read(PROOF).into_bytes();
    let signed = SignedCheckpoint::parse(read("example-log/checkpoint").as_bytes()).unwrap();
    let path = inclusion_proof(2, 5, &leaves()[..]).unwrap();
    let made = TlogProof::new(2, path, signed).with_extra(lines()[2].clone());
    assert_eq!(made.to_bytes(), bytes);
    let read = TlogProof::parse(&bytes).unwrap();
    let leaf = leaf_hash(read.extra.as_deref().unwrap());
    assert_eq!(read.verify(&leaf, key().verifier()), Ok(()));
}
