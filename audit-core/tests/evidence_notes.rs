//! Signed notes and checkpoints against published vectors, and against hostile bytes.

use audit_core::evidence::{
    Checkpoint, CheckpointError, CompactRange, Hash, NoteError, SignatureError, SignedCheckpoint, SignedNote, leaf_hash,
};
use audit_core::key::{Key, VerifierKey};
use proptest::prelude::*;

const C2SP_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const C2SP_NOTE: &str = "This is an example message.\n\n\
    — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

const GO_PRIVATE: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

const TESSERA_PRIVATE: &str =
    "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg";
const TESSERA_KEY: &str = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
const TESSERA_LEAVES: [&str; 15] = [
    "one", "two", "three", "four", "five", "six", "seven", "eit", "nain", "ten", "ileven", "twelf", "threeten",
    "fourten", "fivten",
];
const TESSERA_ROOTS: [&str; 16] = [
    "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    "0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek=",
    "T1X2GdkhUjV3iyufF9b0kVsWFxIU0VI4EpNml2Teci4=",
    "Wqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk=",
    "zY1lN35vrXYAPixXSd59LsU29xUJtuW4o2dNNg5Y2Co=",
    "gy5gl3aksFyiCO95a/1vLXz88A3dRq+0l9Sxte8ZqZQ=",
    "a6sWvsc2eEzmj72vah7mZ5dwFltivehh2b11qwlp5Jg=",
    "IrSXADBqJ7EQoUODSDKROySgNveeL6CFhik2w/+fS7U=",
    "bC+VwvrJbalNVjfkdI8kUgs7mJoXrqiXCE7bgnD28pY=",
    "CvhHViE3S9E3htHLR+25mapWoGCJ3WckMq1UtC3VmEY=",
    "y8/gZsZCtitsMan09tY+k8I7Qpr7Y5fbO2tLi9GQnfU=",
    "Yok1cS5VdokGLBy73BC2I16b3atss6KBN9jnIi6Fz/A=",
    "uZo6M+IhVna+CLgWCrJs0xBPUHbozHkYTQASduHSLME=",
    "av0kLH0VkkVDrTuZzBGIx7d9z5G1l/GlKz/nAV/8woQ=",
    "SvCd38yNade7xEPY1a/aAc1M3A2AHYVF8lIiUnsH1ao=",
    "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=",
];
const TESSERA_SIGNATURE_15: &str =
    "M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/dlPWF74ewI=";

fn note(text: &str) -> Result<SignedNote, NoteError> {
    SignedNote::parse(text.as_bytes())
}

#[test]
fn the_c2sp_example_verifies_and_is_written_back_byte_for_byte() {
    let key = VerifierKey::parse(C2SP_KEY).unwrap();
    let note = note(C2SP_NOTE).unwrap();
    assert_eq!(note.text(), "This is an example message.\n");
    assert_eq!(note.signatures()[0].name(), "example.com/foo");
    assert_eq!(note.signatures()[0].key_id(), 0x530d_903a);
    assert_eq!(note.signatures()[0].signature().len(), 64);
    assert_eq!(note.verify(&key), Ok(()));
    assert_eq!(note.to_bytes(), C2SP_NOTE.as_bytes());
    assert_eq!(key.to_string(), C2SP_KEY);
}

#[test]
fn the_go_example_is_signed_again_byte_for_byte() {
    let key = Key::from_text(GO_PRIVATE).unwrap();
    assert_eq!(key.verifier().to_string(), GO_KEY);
    assert_eq!(*key.to_private_text().unwrap(), GO_PRIVATE);
    let text = note(GO_NOTE).unwrap().text().to_owned();
    assert_eq!(key.sign_note(&text).unwrap(), GO_NOTE.as_bytes());
    assert_eq!(note(GO_NOTE).unwrap().verify(key.verifier()), Ok(()));
}

#[test]
fn all_sixteen_tessera_checkpoints_are_made_from_the_published_key_and_leaves() {
    let key = Key::from_text(TESSERA_PRIVATE).unwrap();
    let published = VerifierKey::parse(TESSERA_KEY).unwrap();
    assert_eq!(key.verifier(), &published);
    let mut tree = CompactRange::new();
    for (size, expected_root) in TESSERA_ROOTS.into_iter().enumerate() {
        let root = tree.root();
        assert_eq!(root.to_base64(), expected_root);
        let checkpoint = Checkpoint::new("example.com/log/testdata", size as u64, root);
        let text = checkpoint.to_text();
        let expected = format!("example.com/log/testdata\n{size}\n{expected_root}\n");
        assert_eq!(text, expected);
        let signed = SignedCheckpoint::sign(checkpoint, [&key]).unwrap();
        assert_eq!(signed.to_bytes(), key.sign_note(&text).unwrap());
        let read = SignedCheckpoint::parse(&signed.to_bytes()).unwrap();
        assert_eq!(read, signed);
        assert_eq!(read.verify(&published), Ok(()));
        if let Some(leaf) = TESSERA_LEAVES.get(size) {
            tree.push(leaf_hash(leaf.as_bytes()));
        } else {
            let line = format!("\n— example.com/log/testdata {TESSERA_SIGNATURE_15}\n");
            assert_eq!(signed.to_bytes(), format!("{text}{line}").as_bytes());
        }
    }
}

#[test]
fn a_checkpoint_with_a_witness_line_verifies_under_the_log_key_alone() {
    let bytes = "example.com/audit\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\n\
        — example.com/audit Kbh7/MMDZzUK+Vn5aeiirlU7DkzTjY8Q014NWv4lp/DhLnxVQP9jgD8Wxf7HAzHwZgfJfgl/Sxj8AshRwfohrAwzAw0=\n\
        — witness.example/w1 IDJKvgAAAABkGFDLBLEdpZmnyX7ukFW/zKvS55h7k+8Ibm2Fld15ZCLVXapKQjkD6ekuzoCtxjTTH0E6SiEMnhMdGuUDkJwAUA2yAA==\n";
    let key = VerifierKey::parse("example.com/audit+29b87bfc+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4").unwrap();
    let signed = SignedCheckpoint::parse(bytes.as_bytes()).unwrap();
    assert_eq!(signed.verify(&key), Ok(()));
    assert_eq!(signed.checkpoint().size, 8);
    assert_eq!(signed.note().signatures()[1].signature().len(), 72);
    assert_eq!(signed.to_bytes(), bytes.as_bytes());
}

#[test]
fn a_signature_of_an_unknown_key_is_ignored_even_under_a_known_name_or_key_id() {
    let ours = Key::generate("example.com/ours").unwrap();
    let same_name = Key::generate("example.com/ours").unwrap();
    let other_name = ours.with_name("example.com/theirs").unwrap();
    let text = "text\n";
    for stranger in [&same_name, &other_name] {
        let note = SignedNote::sign(text, [stranger]).unwrap();
        let Err(SignatureError::NotSigned { signers }) = note.verify(ours.verifier()) else {
            panic!("a stranger's signature was taken for ours");
        };
        assert_eq!(signers.len(), 1);
        let both = SignedNote::sign(text, [stranger, &ours]).unwrap();
        assert_eq!(both.verify(ours.verifier()), Ok(()));
    }
    // A line with our key id under another name, and nonsense as its signature.
    let id = ours.verifier().key_id();
    let signed = String::from_utf8(ours.sign_note(text).unwrap()).unwrap();
    let foreign = signed.replace("example.com/ours", "example.com/else");
    let Err(SignatureError::NotSigned { signers }) = note(&foreign).unwrap().verify(ours.verifier()) else {
        panic!("a key id alone was taken for ours");
    };
    assert_eq!(signers, [format!("example.com/else+{id:08x}")]);
}

#[test]
fn a_bad_signature_of_a_known_key_rejects_the_note_whatever_else_is_good() {
    let good = Key::generate("example.com/good").unwrap();
    let bad = Key::generate("example.com/bad").unwrap();
    let honest = SignedNote::sign("one\n", [&good, &bad]).unwrap().to_bytes();
    let other = SignedNote::sign("two\n", [&bad]).unwrap().to_bytes();
    let honest = String::from_utf8(honest).unwrap();
    let other = String::from_utf8(other).unwrap();
    let kept = honest.lines().nth(2).unwrap();
    let wrong = other.lines().nth(2).unwrap();
    let mixed = note(&format!("one\n\n{kept}\n{wrong}\n")).unwrap();
    assert_eq!(mixed.verify(good.verifier()), Ok(()));
    assert_eq!(
        mixed.verify_known([good.verifier(), bad.verifier()]),
        Err(SignatureError::Invalid { name: "example.com/bad".to_owned(), key_id: bad.verifier().key_id() })
    );
    let honest = note(&honest).unwrap();
    assert_eq!(honest.verify_known([good.verifier(), bad.verifier()]), Ok(()));
    assert!(matches!(honest.verify_known([]), Err(SignatureError::NotSigned { .. })));
}

#[test]
fn of_repeated_signatures_of_one_key_the_first_counts() {
    let key = Key::generate("example.com/log").unwrap();
    let one = String::from_utf8(key.sign_note("one\n").unwrap()).unwrap();
    let two = String::from_utf8(key.sign_note("two\n").unwrap()).unwrap();
    let line = two.lines().nth(2).unwrap();
    let first_good = note(&format!("{one}{line}\n")).unwrap();
    assert_eq!(first_good.verify(key.verifier()), Ok(()));
    let first_line = one.lines().nth(2).unwrap();
    let first_bad = note(&format!("one\n\n{line}\n{first_line}\n")).unwrap();
    assert!(matches!(first_bad.verify(key.verifier()), Err(SignatureError::Invalid { .. })));
}

#[test]
fn the_last_blank_line_ends_the_text() {
    let key = Key::generate("example.com/log").unwrap();
    for text in ["a\n\nb\n", "\n", "\n\n\n", "a\n\n— not a signature\n"] {
        let bytes = key.sign_note(text).unwrap();
        let note = SignedNote::parse(&bytes).unwrap();
        assert_eq!(note.text(), text);
        assert_eq!(note.verify(key.verifier()), Ok(()));
    }
}

#[test]
fn what_is_not_a_note_is_refused_with_the_reason() {
    let line = C2SP_NOTE.lines().nth(2).unwrap();
    let bad_line = |fault| Err(NoteError::Signature { fault });
    let cases: [(String, Result<SignedNote, NoteError>); 13] = [
        (String::new(), Err(NoteError::NoSignatures)),
        ("text\n".to_owned(), Err(NoteError::NoSignatures)),
        ("text\n\n".to_owned(), Err(NoteError::NoSignatures)),
        (format!("\n{line}\n"), Err(NoteError::NoSignatures)),
        (format!("text\n\n{line}"), Err(NoteError::NoSignatures)),
        (format!("te\rxt\n\n{line}\n"), Err(NoteError::NotText)),
        (format!("te\0xt\n\n{line}\n"), Err(NoteError::NotText)),
        (format!("te\txt\n\n{line}\n"), Err(NoteError::NotText)),
        (format!("text\n\n{}\n", line.replace('—', "-")), bad_line("it does not start with an em dash and a space")),
        (
            format!("text\n\n{}\n", line.replace("foo Uw2Q", "foo  Uw2Q")),
            bad_line("its signature is not standard base64"),
        ),
        (format!("text\n\n{}\n", line.replace("aQM=", "aQN=")), bad_line("its signature is not standard base64")),
        ("text\n\n— example.com/foo Uw2QOg==\n".to_owned(), bad_line("its signature is too short")),
        (format!("text\n\n{line}\n\n"), Err(NoteError::NoSignatures)),
    ];
    for (text, expected) in cases {
        assert_eq!(note(&text), expected, "{text:?}");
    }
    let mut invalid = C2SP_NOTE.as_bytes().to_vec();
    invalid[3] = 0xff;
    assert_eq!(SignedNote::parse(&invalid), Err(NoteError::NotText));
    for name in ["a+b", "a\u{a0}b", ""] {
        let text = format!("text\n\n{}\n", line.replace("example.com/foo", name));
        assert!(matches!(note(&text), Err(NoteError::KeyName { .. })), "{name:?}");
    }
}

#[test]
fn a_note_over_a_limit_is_refused_and_one_at_the_limit_is_not() {
    let key = Key::generate("example.com/log").unwrap();
    let signed = String::from_utf8(key.sign_note("text\n").unwrap()).unwrap();
    let line = signed.lines().nth(2).unwrap();
    let lines = |count: usize| format!("text\n\n{}", format!("{line}\n").repeat(count));
    assert_eq!(note(&lines(100)).unwrap().signatures().len(), 100);
    assert_eq!(note(&lines(101)), Err(NoteError::TooManySignatures));

    let room = SignedNote::SIZE_LIMIT - (signed.len() - "text\n".len());
    let text = |length: usize| format!("{}\n", "x".repeat(length - 1));
    let whole = key.sign_note(&text(room)).unwrap();
    assert_eq!(whole.len(), SignedNote::SIZE_LIMIT);
    assert!(SignedNote::parse(&whole).is_ok());
    assert!(key.sign_note(&text(room + 1)).is_err());
    let mut longer = b"x".to_vec();
    longer.extend_from_slice(&whole);
    assert_eq!(SignedNote::parse(&longer), Err(NoteError::TooLong));

    let name = |length: usize| line.replace("example.com/log", &"n".repeat(length));
    assert!(note(&format!("text\n\n{}\n", name(255))).is_ok());
    assert!(matches!(note(&format!("text\n\n{}\n", name(256))), Err(NoteError::KeyName { .. })));
}

#[test]
fn a_text_that_cannot_be_a_note_is_not_signed() {
    let key = Key::generate("example.com/log").unwrap();
    for text in ["", "no line feed", "a\r\n", "a\0\n", "tab\t\n"] {
        assert!(key.sign_note(text).is_err(), "{text:?}");
    }
    assert!(SignedNote::sign("text\n", []).is_err());
}

#[test]
fn what_is_not_a_checkpoint_is_refused_with_the_reason() {
    const ROOT: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let cases = [
        (format!("log\n0\n{ROOT}"), CheckpointError::Lines),
        ("log\n0\n".to_owned(), CheckpointError::Lines),
        (String::new(), CheckpointError::Lines),
        (format!("\n0\n{ROOT}\n"), CheckpointError::Lines),
        (format!("log\n0\n{ROOT}\n\n"), CheckpointError::Lines),
        (format!("log\n0\n{ROOT}\n\nx\n"), CheckpointError::Lines),
        (format!("log\r\n0\n{ROOT}\n"), CheckpointError::Lines),
        (format!("log\n00\n{ROOT}\n"), CheckpointError::Size),
        (format!("log\n01\n{ROOT}\n"), CheckpointError::Size),
        (format!("log\n+1\n{ROOT}\n"), CheckpointError::Size),
        (format!("log\n-1\n{ROOT}\n"), CheckpointError::Size),
        (format!("log\n1 \n{ROOT}\n"), CheckpointError::Size),
        (format!("log\n0x1\n{ROOT}\n"), CheckpointError::Size),
        (format!("log\n18446744073709551616\n{ROOT}\n"), CheckpointError::Size),
        (format!("log\n0\n{}\n", &ROOT[..43]), CheckpointError::Root),
        (format!("log\n0\n{ROOT}=\n"), CheckpointError::Root),
        (format!("log\n0\n{}\n", ROOT.replace("uFU=", "uFV=")), CheckpointError::Root),
        ("log\n0\nAAAA\n".to_owned(), CheckpointError::Root),
    ];
    for (text, expected) in cases {
        assert_eq!(Checkpoint::parse(&text), Err(expected), "{text:?}");
    }
    let largest = format!("log\n18446744073709551615\n{ROOT}\n");
    assert_eq!(Checkpoint::parse(&largest).unwrap().size, u64::MAX);
    let extended = format!("log\n0\n{ROOT}\none\ntwo 2\n");
    let checkpoint = Checkpoint::parse(&extended).unwrap();
    assert_eq!(checkpoint.extensions, ["one", "two 2"]);
    assert_eq!(checkpoint.to_text(), extended);
}

#[test]
fn a_checkpoint_that_would_read_differently_is_not_signed() {
    let key = Key::generate("log").unwrap();
    let sign = |checkpoint| SignedCheckpoint::sign(checkpoint, [&key]);
    assert!(sign(Checkpoint::new("log\n7", 0, Hash::ZERO)).is_err());
    assert!(sign(Checkpoint::new("", 0, Hash::ZERO)).is_err());
    let mut split = Checkpoint::new("log", 0, Hash::ZERO);
    split.extensions = vec!["a\nb".to_owned()];
    assert!(sign(split).is_err());
    let mut empty = Checkpoint::new("log", 0, Hash::ZERO);
    empty.extensions = vec![String::new()];
    assert!(sign(empty).is_err());
    assert!(sign(Checkpoint::new("another", 0, Hash::ZERO)).is_err());
    assert!(sign(Checkpoint::new("log", 0, Hash::ZERO)).is_ok());
}

#[test]
fn a_checkpoint_of_another_log_is_refused_even_when_the_same_key_signed_it() {
    let one = Key::generate("fleet/one").unwrap();
    let other = one.with_name("fleet/other").unwrap();
    let signed = SignedCheckpoint::sign(Checkpoint::new("fleet/one", 3, Hash::ZERO), [&one]);
    let signed = signed.unwrap();
    assert_eq!(signed.verify(one.verifier()), Ok(()));
    assert_eq!(
        signed.verify(other.verifier()),
        Err(SignatureError::Origin { found: "fleet/one".to_owned(), expected: "fleet/other".to_owned() })
    );
}

#[test]
fn a_replaced_key_and_its_successor_can_both_sign_one_checkpoint() {
    let old = Key::generate("log").unwrap();
    let new = Key::generate("log").unwrap();
    let signed = SignedCheckpoint::sign(Checkpoint::new("log", 9, Hash::ZERO), [&old, &new]).unwrap();
    let signed = SignedCheckpoint::parse(&signed.to_bytes()).unwrap();
    assert_eq!(signed.verify(old.verifier()), Ok(()));
    assert_eq!(signed.verify(new.verifier()), Ok(()));
}

#[test]
fn any_changed_byte_of_a_signed_checkpoint_is_noticed() {
    let key = Key::from_text(TESSERA_PRIVATE).unwrap();
    let checkpoint = Checkpoint::new(key.name(), 7, leaf_hash(b"root"));
    let signed = SignedCheckpoint::sign(checkpoint, [&key]).unwrap().to_bytes();
    for position in 0..signed.len() {
        for change in [1, 2, 0x20, 0x80] {
            let mut altered = signed.clone();
            altered[position] ^= change;
            let accepted = SignedCheckpoint::parse(&altered).is_ok_and(|read| read.verify(key.verifier()).is_ok());
            assert!(!accepted, "byte {position} changed by {change:#04x}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_comes_back_out_of_its_signed_note(text in "([^\\p{Cc}]|\n){0,200}\n") {
        let key = Key::from_text(GO_PRIVATE).unwrap();
        let bytes = key.sign_note(&text).unwrap();
        let read = SignedNote::parse(&bytes).unwrap();
        prop_assert_eq!(read.text(), text);
        prop_assert_eq!(read.to_bytes(), bytes);
        prop_assert_eq!(read.verify(key.verifier()), Ok(()));
    }

    #[test]
    fn any_checkpoint_comes_back_out_of_its_text(
        origin in "[^\\p{Cc}]{1,60}",
        size: u64,
        root: [u8; 32],
        extensions in proptest::collection::vec("[^\\p{Cc}]{1,30}", 0..4),
    ) {
        let mut checkpoint = Checkpoint::new(origin, size, Hash::from_bytes(root));
        checkpoint.extensions = extensions;
        prop_assert_eq!(Checkpoint::parse(&checkpoint.to_text()), Ok(checkpoint));
    }

    #[test]
    fn hostile_bytes_are_refused_or_written_back_unchanged(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        if let Ok(note) = SignedNote::parse(&bytes) {
            prop_assert_eq!(note.to_bytes(), bytes);
        }
    }

    #[test]
    fn hostile_lines_are_refused_or_written_back_unchanged(
        text in "([a-z0-9]{0,5}\n){0,6}\n(— [a-z+ ]{0,4} ?[A-Za-z0-9+/]{0,12}={0,3}\n){0,3}",
    ) {
        if let Ok(note) = note(&text) {
            prop_assert_eq!(note.to_bytes(), text.as_bytes());
            let _ = SignedCheckpoint::parse(text.as_bytes());
        }
        if let Ok(checkpoint) = Checkpoint::parse(&text) {
            prop_assert_eq!(checkpoint.to_text(), text);
        }
    }
}
