//! `docs/check-chain.sh`: a chain checked without this crate.

use std::fs;
use std::path::Path;
use std::process::Command;

use audit_core::evidence::{Hash, leaf_hash};
use tempfile::TempDir;

use super::docs;

const SEGMENT: &str = "example-log/segments/00000000000000000000.jsonl";

/// The exit code of the script and what it prints.
fn check(log: &Path) -> (Option<i32>, String) {
    let output = Command::new("sh").arg(docs("check-chain.sh")).arg(log).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

/// What the script says of a file with these bytes.
fn check_bytes(bytes: impl AsRef<[u8]>) -> (Option<i32>, String) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("log.jsonl");
    fs::write(&path, bytes).unwrap();
    check(&path)
}

fn example() -> Vec<u8> {
    fs::read(docs(SEGMENT)).unwrap()
}

/// A chained log of lines with these bodies, whatever they are.
fn chained<'a>(bodies: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut log = Vec::new();
    let mut prev = Hash::ZERO;
    for (seq, body) in bodies.into_iter().enumerate() {
        let mut line = format!("{{\"v\":1,\"seq\":{seq},\"prev\":\"{prev}\",").into_bytes();
        line.extend_from_slice(body);
        prev = leaf_hash(&line);
        log.extend_from_slice(&line);
        log.push(b'\n');
    }
    log
}

#[test]
fn the_script_accepts_the_example_as_a_directory_and_as_a_file() {
    for name in ["example-log", SEGMENT] {
        let (code, text) = check(&docs(name));
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("5 lines chain"), "{text}");
    }
}

#[test]
fn the_script_is_short_enough_to_be_read() {
    let script = fs::read_to_string(docs("check-chain.sh")).unwrap();
    assert!(script.lines().count() <= 24);
}

#[test]
fn the_script_names_the_record_that_was_edited() {
    let text = String::from_utf8(example()).unwrap();
    for (seq, (from, to)) in
        [("pay-7d4f9", "pay-7d4f8"), ("POST", "PUT_"), ("success", "failure"), ("signed\":3", "signed\":2")]
            .into_iter()
            .enumerate()
    {
        let edited = text.replacen(from, to, 1);
        assert_ne!(edited, text);
        let (code, said) = check_bytes(edited);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.starts_with(&format!("seq {seq}:")), "{said}");
    }
}

#[test]
fn the_script_names_the_first_record_that_is_missing_or_out_of_place() {
    let text = String::from_utf8(example()).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let cases: [(&[usize], &str); 5] = [
        (&[1, 2, 3, 4], "seq 0:"),
        (&[0, 1, 3, 4], "seq 2:"),
        (&[0, 2, 1, 3, 4], "seq 1:"),
        (&[0, 1, 1, 2, 3, 4], "seq 2:"),
        (&[0, 1, 2, 3, 3, 4], "seq 4:"),
    ];
    for (order, expected) in cases {
        let log: String = order.iter().map(|index| lines[*index]).collect();
        let (code, said) = check_bytes(log);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn the_script_hashes_every_byte_whatever_a_line_contains() {
    let all: Vec<u8> = (1..=255).filter(|byte| *byte != b'\n').collect();
    let long = vec![b'x'; 65_000];
    let bodies: [&[u8]; 8] = [
        &all,
        b"\\n \\0 \\c \\ %s %d %% $(false) `false` $HOME * ? [a-z] ~ ' \" ;",
        b"  leading and trailing  \t ",
        b"",
        b"\x81\x82\x88 caf\xc3\xa9 \xff\xfe",
        b"-n -e",
        &long,
        b"end",
    ];
    let log = chained(bodies);
    let (code, said) = check_bytes(&log);
    assert_eq!(code, Some(0), "{said}");
    // A zero byte, which a shell cannot hold, changes the hash as any other does.
    let mut altered = log;
    altered.insert(120, 0);
    let (code, said) = check_bytes(altered);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with("seq 0:"), "{said}");
}

#[test]
fn the_script_says_what_no_line_feed_ends_and_does_not_count_it() {
    let mut log = example();
    log.extend_from_slice(b"{\"v\":1,");
    let (code, said) = check_bytes(log);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("7 bytes that no line feed ends"), "{said}");
    assert!(said.contains("5 lines chain"), "{said}");
}

#[test]
fn the_script_cannot_tell_without_a_log() {
    let directory = TempDir::new().unwrap();
    for path in [directory.path().to_owned(), directory.path().join("none")] {
        let (code, said) = check(&path);
        assert_eq!(code, Some(2), "{said}");
    }
}
