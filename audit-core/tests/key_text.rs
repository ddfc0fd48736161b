//! Keys as text: names, key ids, algorithms, and keys that are held elsewhere.

#![allow(clippy::unwrap_used, reason = "what is shared between tests may fail them")]

use audit_core::key::{Key, KeyError, NAME_LIMIT, SignError, Signer, VerifierKey};
use proptest::prelude::*;

const PRIVATE: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const LOG_ID: &str = "0193580e-5f1a-7aaa-bbbb-0123456789ab";
const OTHER_ID: &str = "0193580e-5f1a-7aaa-bbbb-0123456789ac";

#[test]
fn white_space_around_a_key_is_ignored() {
    let padded = format!(" {PRIVATE}\r\n");
    assert_eq!(Key::from_text(&padded).unwrap().name(), "PeterNeumann");
    let padded = format!("{PUBLIC}\n");
    assert_eq!(VerifierKey::parse(&padded).unwrap().to_string(), PUBLIC);
    assert_eq!(PUBLIC.parse::<VerifierKey>().unwrap().to_string(), PUBLIC);
}

#[test]
fn a_base64_part_may_contain_a_plus() {
    // The Tessera test key has one in both halves.
    let key =
        Key::from_text("PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg")
            .unwrap();
    let public = key.verifier().to_string();
    assert_eq!(public.matches('+').count(), 3);
    assert_eq!(&VerifierKey::parse(&public).unwrap(), key.verifier());
}

#[test]
fn each_fault_of_a_private_key_has_its_own_message() {
    let fault = |text: &str| Key::from_text(text).unwrap_err().to_string();
    let cases = [
        (String::new(), "it is empty"),
        (" \n".to_owned(), "it is empty"),
        ("hello".to_owned(), "does not start with PRIVATE+KEY+"),
        (PUBLIC.to_owned(), "it is a verifier key, the public half"),
        ("PRIVATE+KEY+".to_owned(), "it is empty"),
        ("PRIVATE+KEY+a+b".to_owned(), "<name>+<key id>+<base64>"),
        (PRIVATE.replace("c74f20a3", "C74F20A3"), "lower-case"),
        (PRIVATE.replace("c74f20a3", "+74f20a3"), "lower-case"),
        (PRIVATE.replace("c74f20a3", "c74f20a"), "lower-case"),
        (PRIVATE.replace("c74f20a3", "c74f20a4"), "c74f20a3"),
        (PRIVATE.replace("PeterN", "peterN"), "the key id is"),
        (PRIVATE.replace("PeterN", "Peter N"), "white space"),
        (PRIVATE.replace("PeterNeumann", ""), "it is empty"),
        (PRIVATE.replace("a3+AY", "a3+Ag"), "ECDSA"),
        (PRIVATE.replace("a3+AY", "a3+BY"), "type 0x05"),
        (PRIVATE.replace("KDFz", "KDF!"), "standard base64"),
        (PRIVATE.replace("KDFz", "KA=="), "not 32 bytes"),
        (format!("{PRIVATE}AAAA"), "not 32 bytes"),
        (format!("{PRIVATE}{}", "A".repeat(80)), "longer"),
        (PRIVATE.replace("AYEKFALV", ""), "type 0x14"),
    ];
    for (text, expected) in cases {
        let message = fault(&text);
        assert!(message.contains(expected), "{text:?}: {message}");
    }
}

#[test]
fn each_fault_of_a_verifier_key_has_its_own_message() {
    let fault = |text: &str| VerifierKey::parse(text).unwrap_err().to_string();
    let ecdsa = "name+00000000+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABA==";
    let cases = [
        (String::new(), "it is empty"),
        ("name".to_owned(), "<name>+<key id>+<base64>"),
        (ecdsa.to_owned(), "ECDSA"),
        (PUBLIC.replace("c74f20a3", "00000000"), "c74f20a3"),
        (PUBLIC.replace("10TW", "10TX"), "the key id is"),
        (PUBLIC.replace("10TW", ""), "not 32 bytes"),
        (PUBLIC.replace("+AR", "+BB"), "type 0x04"),
    ];
    for (text, expected) in cases {
        let message = fault(&text);
        assert!(message.contains(expected), "{text:?}: {message}");
    }
}

#[test]
fn a_private_key_given_as_a_verifier_key_is_refused_and_not_repeated() {
    let error = VerifierKey::parse(PRIVATE).unwrap_err();
    let message = format!("{error} {error:?}");
    assert!(message.contains("public half"), "{message}");
    assert!(!message.contains("AYEKFALVFGyNh"), "{message}");
}

#[test]
fn neither_debug_nor_errors_show_private_bytes() {
    let key = Key::from_text(PRIVATE).unwrap();
    let shown = format!("{key:?}");
    assert!(shown.contains("PeterNeumann"), "{shown}");
    assert!(!shown.contains("AYEKFALV"), "{shown}");
    for damaged in [
        PRIVATE.replace("c74f20a3", "c74f20a4"),
        PRIVATE.replace("KDFz", "KDF!"),
        PRIVATE.replace("PRIVATE", "private"),
    ] {
        let error = Key::from_text(&damaged).unwrap_err();
        let message = format!("{error} {error:?}");
        assert!(!message.contains("NhPJEMzD1QIDr"), "{message}");
    }
}

#[test]
fn a_public_key_under_which_anything_verifies_is_refused() {
    let mut identity = [0; 32];
    identity[0] = 1;
    for weak in [[0; 32], identity] {
        assert!(matches!(VerifierKey::new("name", &weak), Err(KeyError::Weak)));
    }
}

#[test]
fn a_name_that_cannot_stand_in_a_signature_line_is_refused() {
    let long = "n".repeat(NAME_LIMIT + 1);
    let names = ["", "a b", "a+b", "a\nb", "a\u{2003}b", "a\u{1}b", &long];
    let key = Key::generate("good").unwrap();
    for name in names {
        assert!(matches!(Key::generate(name), Err(KeyError::Name { .. })), "{name:?}");
        assert!(key.with_name(name).is_err(), "{name:?}");
        assert!(key.verifier().with_name(name).is_err(), "{name:?}");
    }
    let longest = "n".repeat(NAME_LIMIT);
    let key = key.with_name(&longest).unwrap();
    let text = key.to_private_text().unwrap();
    assert_eq!(Key::from_text(&text).unwrap().name(), longest);
}

#[test]
fn generated_keys_differ_and_survive_their_text() {
    let one = Key::generate("log").unwrap();
    let two = Key::generate("log").unwrap();
    assert_ne!(one.verifier().public_key(), two.verifier().public_key());
    let text = one.to_private_text().unwrap();
    let read = Key::from_text(&text).unwrap();
    assert_eq!(read.verifier(), one.verifier());
    assert_eq!(read.sign_note("text\n").unwrap(), one.sign_note("text\n").unwrap());
}

#[test]
fn one_key_serves_its_own_name_and_every_log_below_it() {
    let plain = Key::generate("pay.example/prod-1").unwrap();
    let plain = plain.verifier();
    let log = format!("pay.example/prod-1/{LOG_ID}");
    let derived = plain.for_origin(&log).unwrap();
    assert_eq!(derived.name(), log);
    assert_eq!(derived, plain.with_name(&log).unwrap());
    assert_ne!(derived.key_id(), plain.key_id());
    assert_eq!(derived.public_key(), plain.public_key());
    assert_eq!(plain.for_origin("pay.example/prod-1").unwrap(), *plain);
    for stranger in [
        "pay.example/prod-2",
        "pay.example/prod-10",
        "pay.example/prod-1/",
        "pay.example",
        "",
        "pay.example/prod-1/a b",
    ] {
        assert!(plain.for_origin(stranger).is_none(), "{stranger:?}");
    }
}

#[test]
fn a_key_under_one_log_id_serves_the_other_logs_of_the_same_origin_only() {
    let key = Key::generate(&format!("pay.example/prod-1/{LOG_ID}")).unwrap();
    let key = key.verifier();
    let sibling = format!("pay.example/prod-1/{OTHER_ID}");
    assert_eq!(key.for_origin(&sibling).unwrap().name(), sibling);
    for stranger in [
        format!("pay.example/prod-2/{OTHER_ID}"),
        "pay.example/prod-1/not-a-log-id".to_owned(),
        "pay.example/prod-1".to_owned(),
        format!("pay.example/prod-1/{}", OTHER_ID.to_uppercase()),
    ] {
        assert!(key.for_origin(&stranger).is_none(), "{stranger:?}");
    }
    let bare = Key::generate(LOG_ID).unwrap();
    assert!(bare.verifier().for_origin(OTHER_ID).is_none());
}

struct Module {
    key: Key,
    fault: Fault,
}

enum Fault {
    None,
    Refuses,
    SignsSomethingElse,
}

impl Signer for Module {
    fn public_key(&self) -> [u8; 32] {
        *self.key.verifier().public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let signed = |text: &[u8]| {
            let note = self.key.sign_note(std::str::from_utf8(text).unwrap())?;
            let note = audit_core::evidence::SignedNote::parse(&note).unwrap();
            Ok(note.signatures()[0].signature().try_into().unwrap())
        };
        match self.fault {
            Fault::None => signed(message),
            Fault::Refuses => Err(SignError::signer("the module is locked")),
            Fault::SignsSomethingElse => signed(b"something else\n"),
        }
    }
}

fn held_elsewhere(fault: Fault) -> (Key, Key) {
    let key = Key::generate("log").unwrap();
    let module = Module { key: key.clone(), fault };
    (key, Key::new("log", module).unwrap())
}

#[test]
fn a_key_that_is_held_elsewhere_signs_the_same_notes_and_cannot_be_written_out() {
    let (here, elsewhere) = held_elsewhere(Fault::None);
    assert_eq!(here.verifier(), elsewhere.verifier());
    assert_eq!(here.sign_note("text\n").unwrap(), elsewhere.sign_note("text\n").unwrap());
    assert!(matches!(elsewhere.to_private_text(), Err(KeyError::NotExportable { .. })));
    let renamed = elsewhere.with_name("log/two").unwrap();
    assert_eq!(renamed.name(), "log/two");
    assert!(renamed.sign_note("text\n").is_ok());
}

#[test]
fn a_holder_that_refuses_is_quoted_as_the_source() {
    let (_, elsewhere) = held_elsewhere(Fault::Refuses);
    let error = elsewhere.sign_note("text\n").unwrap_err();
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "the module is locked");
}

#[test]
fn a_signature_that_does_not_verify_is_never_handed_out() {
    let (_, elsewhere) = held_elsewhere(Fault::SignsSomethingElse);
    assert!(matches!(elsewhere.sign_note("text\n"), Err(SignError::Unverifiable { .. })));
}

proptest! {
    #[test]
    fn hostile_text_never_panics_and_a_verifier_key_reads_back(
        text in "(PRIVATE\\+KEY\\+)?.{0,6}\\+[0-9a-f]{7,9}\\+[AB][A-Za-z0-9+/]{0,100}={0,2}",
    ) {
        let _ = Key::from_text(&text);
        if let Ok(key) = VerifierKey::parse(&text) {
            prop_assert_eq!(key.to_string(), text.trim());
        }
    }

    #[test]
    fn any_text_is_refused_or_a_key(text: String) {
        let _ = Key::from_text(&text);
        let _ = VerifierKey::parse(&text);
    }
}
