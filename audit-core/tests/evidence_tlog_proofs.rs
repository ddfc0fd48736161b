//! Proofs that travel: the form of C2SP tlog-proof, and what must never verify.

#![allow(clippy::unwrap_used, reason = "what is shared between tests may fail them")]

use audit_core::evidence::{
    Checkpoint, CheckpointError, CompactRange, Hash, NoteError, ProofError, SignatureError, SignedCheckpoint,
    TlogProof, TlogProofError, UnprovenError, inclusion_proof, leaf_hash,
};
use audit_core::key::{Key, VerifierKey};
use proptest::prelude::*;

/// Leaf 5 of the classic tree of eight, under a checkpoint with a witness's line.
const GOLDEN: &str = "c2sp.org/tlog-proof@v1\n\
    index 5\n\
    vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=\n\
    yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=\n\
    037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=\n\
    \n\
    example.com/audit\n\
    8\n\
    XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\
    \n\
    — example.com/audit Kbh7/MMDZzUK+Vn5aeiirlU7DkzTjY8Q014NWv4lp/DhLnxVQP9jgD8Wxf7HAzHwZgfJfgl/Sxj8AshRwfohrAwzAw0=\n\
    — witness.example/w1 IDJKvgAAAABkGFDLBLEdpZmnyX7ukFW/zKvS55h7k+8Ibm2Fld15ZCLVXapKQjkD6ekuzoCtxjTTH0E6SiEMnhMdGuUDkJwAUA2yAA==\n";
const GOLDEN_KEY: &str = "example.com/audit+29b87bfc+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";

fn parse(text: &str) -> Result<TlogProof, TlogProofError> {
    TlogProof::parse(text.as_bytes())
}

/// A log of `size` lines, its key, and the proof of line `index` with the line beside it.
fn made(index: u64, size: u64) -> (Key, TlogProof) {
    let key = Key::generate("log.example/one").unwrap();
    let line = |index: u64| format!("line {index}").into_bytes();
    let leaves: Vec<Hash> = (0..size).map(|index| leaf_hash(&line(index))).collect();
    let tree: CompactRange = leaves.iter().copied().collect();
    let checkpoint = Checkpoint::new(key.name(), size, tree.root());
    let checkpoint = SignedCheckpoint::sign(checkpoint, [&key]).unwrap();
    let path = inclusion_proof(index, size, &leaves[..]).unwrap();
    let proof = TlogProof::new(index, path, checkpoint).with_extra(line(index));
    (key, proof)
}

fn verify_extra(proof: &TlogProof, key: &VerifierKey) -> Result<(), UnprovenError> {
    proof.verify(&leaf_hash(proof.extra.as_deref().unwrap()), key)
}

#[test]
fn the_known_proof_verifies_and_is_written_back_byte_for_byte() {
    let key = VerifierKey::parse(GOLDEN_KEY).unwrap();
    let proof = parse(GOLDEN).unwrap();
    assert_eq!((proof.index, proof.path.len()), (5, 3));
    assert_eq!(proof.extra, None);
    assert_eq!(proof.verify(&leaf_hash(b"@ABC"), &key), Ok(()));
    assert_eq!(proof.to_bytes(), GOLDEN.as_bytes());
    assert_eq!(proof.verify(&leaf_hash(b"@ABD"), &key), Err(UnprovenError::Inclusion(ProofError::OtherRoot)));
}

#[test]
fn a_record_line_travels_in_the_extra_line() {
    let (key, proof) = made(41, 100);
    let bytes = proof.to_bytes();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert_eq!(text.lines().nth(1), Some("extra bGluZSA0MQ=="));
    let read = TlogProof::parse(&bytes).unwrap();
    assert_eq!(read, proof);
    assert_eq!(read.extra.as_deref(), Some(&b"line 41"[..]));
    assert_eq!(verify_extra(&read, key.verifier()), Ok(()));
}

#[test]
fn empty_extra_bytes_are_written_as_none() {
    let (_, proof) = made(0, 1);
    let bytes = proof.with_extra(Vec::new()).to_bytes();
    assert_eq!(TlogProof::parse(&bytes).unwrap().extra, None);
}

#[test]
fn a_line_of_the_greatest_length_fits() {
    let (_, proof) = made(3, 9);
    let line = vec![0xff; 65_535];
    let proof = proof.with_extra(line);
    assert_eq!(TlogProof::parse(&proof.to_bytes()), Ok(proof));
}

#[test]
fn a_proof_under_another_key_or_of_another_log_is_refused() {
    let (key, proof) = made(3, 9);
    let stranger = Key::generate(key.name()).unwrap();
    assert!(matches!(
        verify_extra(&proof, stranger.verifier()),
        Err(UnprovenError::Signature(SignatureError::NotSigned { .. }))
    ));
    let renamed = key.with_name("log.example/two").unwrap();
    assert!(matches!(
        verify_extra(&proof, renamed.verifier()),
        Err(UnprovenError::Signature(SignatureError::Origin { .. }))
    ));
}

#[test]
fn what_is_not_a_proof_is_refused_with_the_reason() {
    let (head, checkpoint) = GOLDEN.split_once("\n\n").unwrap();
    let with = |lines: &str| format!("c2sp.org/tlog-proof@v1\n{lines}\n\n{checkpoint}");
    let hash = "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=";
    let too_few = CheckpointError::Note(NoteError::NoSignatures);
    let cases = [
        (String::new(), TlogProofError::Header),
        (GOLDEN.replace("@v1", "@v2"), TlogProofError::Header),
        (GOLDEN.replace("@v1\n", "@v1\r\n"), TlogProofError::Header),
        (format!("\n{GOLDEN}"), TlogProofError::Header),
        (head.to_owned(), TlogProofError::Cut),
        (with("index"), TlogProofError::Index),
        (with("index "), TlogProofError::Index),
        (with("index -5"), TlogProofError::Index),
        (with("index +5"), TlogProofError::Index),
        (with("index 05"), TlogProofError::Index),
        (with("index 5 "), TlogProofError::Index),
        (with("index five"), TlogProofError::Index),
        (with("index 18446744073709551616"), TlogProofError::Index),
        (with("Index 5"), TlogProofError::Index),
        (with(hash), TlogProofError::Index),
        (with("extra YQ=="), TlogProofError::Index),
        (with("index 5\nextra YQ=="), TlogProofError::Hash),
        (with("extra \nindex 5"), TlogProofError::Extra),
        (with("extra YQ\nindex 5"), TlogProofError::Extra),
        (with("extra YR==\nindex 5"), TlogProofError::Extra),
        (with("extra !!\nindex 5"), TlogProofError::Extra),
        (with("index 5\nAAAA"), TlogProofError::Hash),
        (with(&format!("index 5\n{hash}=")), TlogProofError::Hash),
        (with(&format!("index 5\n {hash}")), TlogProofError::Hash),
        (with("\nindex 5"), TlogProofError::Index),
        (format!("{head}\n\nnothing signed\n"), TlogProofError::Checkpoint(too_few)),
        (format!("{head}\n\n\n{checkpoint}"), TlogProofError::Checkpoint(CheckpointError::Lines)),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(&text), Err(expected), "{text:?}");
    }
    assert_eq!(TlogProof::parse(b"c2sp.org/tlog-proof@v1\nindex \xff"), Err(TlogProofError::Header));
}

#[test]
fn a_proof_over_a_limit_is_refused_and_one_at_the_limit_is_not() {
    let (_, mut proof) = made(3, 9);
    proof.path = vec![Hash::ZERO; TlogProof::PATH_LIMIT];
    assert_eq!(TlogProof::parse(&proof.to_bytes()), Ok(proof.clone()));
    proof.path.push(Hash::ZERO);
    assert_eq!(TlogProof::parse(&proof.to_bytes()), Err(TlogProofError::TooManyHashes));
    proof.path.clear();
    // Four characters for three bytes: the longest extra line that still fits.
    let rest = proof.clone().with_extra(Vec::new()).to_bytes().len() + "extra \n".len();
    let room = (TlogProof::SIZE_LIMIT - rest) / 4 * 3;
    let largest = proof.clone().with_extra(vec![1; room]);
    assert_eq!(TlogProof::parse(&largest.to_bytes()), Ok(largest));
    let larger = proof.with_extra(vec![1; room + 3]);
    assert_eq!(TlogProof::parse(&larger.to_bytes()), Err(TlogProofError::TooLong));
}

#[test]
fn any_changed_byte_of_a_proof_is_noticed() {
    let (key, proof) = made(5, 11);
    let bytes = proof.to_bytes();
    for position in 0..bytes.len() {
        for change in [1, 2, 0x20, 0x80] {
            let mut altered = bytes.clone();
            altered[position] ^= change;
            let accepted = TlogProof::parse(&altered)
                .is_ok_and(|read| read.extra.is_some() && verify_extra(&read, key.verifier()).is_ok());
            assert!(!accepted, "byte {position} changed by {change:#04x}");
        }
    }
}

proptest! {
    #[test]
    fn any_proof_comes_back_out_of_its_bytes_and_fits_its_own_place_only(
        size in 1..200_u64,
        place: prop::sample::Index,
        other in 0..220_u64,
        other_size in 0..220_u64,
    ) {
        let index = place.index(size as usize) as u64;
        let (key, proof) = made(index, size);
        let read = TlogProof::parse(&proof.to_bytes());
        prop_assert_eq!(read.as_ref(), Ok(&proof));
        prop_assert_eq!(verify_extra(&proof, key.verifier()), Ok(()));
        if other != index {
            let mut moved = proof.clone();
            moved.index = other;
            prop_assert!(verify_extra(&moved, key.verifier()).is_err());
        }
        if other_size != size {
            let text = String::from_utf8(proof.to_bytes()).unwrap();
            let resized = text.replacen(
                &format!("{}\n{size}\n", key.name()),
                &format!("{}\n{other_size}\n", key.name()),
                1,
            );
            prop_assert_ne!(&resized, &text);
            prop_assert!(verify_extra(&parse(&resized).unwrap(), key.verifier()).is_err());
        }
    }

    #[test]
    fn hostile_bytes_are_refused_or_written_back_unchanged(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let _ = TlogProof::parse(&bytes);
        let text = [b"c2sp.org/tlog-proof@v1\n".as_slice(), &bytes].concat();
        if let Ok(proof) = TlogProof::parse(&text) {
            prop_assert_eq!(proof.to_bytes(), text);
        }
    }

    #[test]
    fn hostile_lines_are_refused_or_written_back_unchanged(
        extra in "(extra [A-Za-z0-9+/]{0,12}={0,2}\n)?",
        index in "index [0-9]{0,3}\n",
        path in "([A-Za-z0-9+/]{42,43}=\n){0,3}",
    ) {
        let (_, checkpoint) = GOLDEN.split_once("\n\n").unwrap();
        let text = format!("c2sp.org/tlog-proof@v1\n{extra}{index}{path}\n{checkpoint}");
        if let Ok(proof) = parse(&text) {
            prop_assert_eq!(proof.to_bytes(), text.as_bytes());
        }
    }
}
