//! Proofs for single records, and reading.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod sample;

use std::fs;

use audit_core::evidence::TlogProof;
use audit_core::record::Record;
use audit_core::verify::{CheckError, Lines, LogReader as _, ProofError, Query, check, prove};
use sample::{LOG_ID, Log, ORIGIN, OnDisk, key_of, other_key};

#[test]
fn every_signed_record_can_be_proved_and_checked_offline() {
    let log = Log::sample();
    let disk = log.write();
    for seq in 0..11 {
        let bytes = prove(&disk.reader(), seq).expect("a proof").to_bytes();
        let proof = TlogProof::parse(&bytes).expect("the same proof");
        for name in [log.name(), ORIGIN] {
            let key = log.verifier_key().with_name(name).expect("a name");
            assert_eq!(check(&proof, &key).expect("proved"), log.lines[seq as usize]);
        }
    }
}

#[test]
fn a_record_that_no_checkpoint_covers_has_no_proof_yet() {
    let mut log = Log::sample();
    log.signed = vec![4, 8];
    let disk = log.write();
    assert!(prove(&disk.reader(), 7).is_ok());
    let error = prove(&disk.reader(), 8).expect_err("not signed");
    assert!(matches!(error, ProofError::NotSigned { seq: 8, signed: 8 }), "{error:?}");
    assert!(!error.is_tampering());
    log.signed.clear();
    let error = prove(&log.write().reader(), 0).expect_err("not signed");
    assert!(matches!(error, ProofError::NotSigned { signed: 0, .. }));
}

#[test]
fn a_record_that_was_changed_or_taken_away_cannot_be_proved() {
    let disk = Log::sample().write();
    let mut log = Log::sample();
    log.replace(5, "POST", "PUT_");
    log.write_lines(disk.path());
    assert!(prove(&disk.reader(), 5).expect_err("changed").is_tampering());
    log.lines.truncate(5);
    log.write_lines(disk.path());
    assert!(prove(&disk.reader(), 5).expect_err("gone").is_tampering());
}

#[test]
fn a_proof_fails_with_another_key_another_line_or_another_place() {
    let log = Log::sample();
    let proof = prove(&log.write().reader(), 7).expect("a proof");
    assert!(matches!(check(&proof, other_key(LOG_ID).verifier()), Err(CheckError::Unproven(_))));
    let elsewhere = key_of(LOG_ID).verifier().with_name("other.example.com").expect("a name");
    assert!(matches!(check(&proof, &elsewhere), Err(CheckError::OtherLog { .. })));

    let mut changed = proof.clone();
    changed.extra = Some(log.lines[6].clone());
    assert!(matches!(check(&changed, &log.verifier_key()), Err(CheckError::Unproven(_))));
    changed.extra = None;
    assert!(matches!(check(&changed, &log.verifier_key()), Err(CheckError::NoRecord)));

    let mut moved = proof;
    moved.index = 6;
    assert!(check(&moved, &log.verifier_key()).is_err());
}

#[test]
fn a_changed_character_anywhere_in_a_proof_is_noticed() {
    let log = Log::sample();
    let bytes = prove(&log.write().reader(), 7).expect("a proof").to_bytes();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let proved = TlogProof::parse(&changed).is_ok_and(|proof| check(&proof, &log.verifier_key()).is_ok());
        assert!(!proved, "byte {at}");
    }
}

/// Writes the full hash tiles of a log, as its writer does.
fn write_tiles(log: &Log, disk: &OnDisk) {
    let mut hashes: Vec<_> = log.lines.iter().map(|line| audit_core::evidence::leaf_hash(line)).collect();
    for level in 0..2 {
        let mut roots = Vec::new();
        for (index, full) in hashes.chunks_exact(256).enumerate() {
            let tile = audit_core::evidence::Tile::from_hashes(full.to_vec()).expect("a tile");
            let path = disk.path().join(audit_core::evidence::tile_path(level, index as u64, None));
            fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
            fs::write(path, tile.to_bytes()).expect("a tile");
            roots.push(tile.root());
        }
        hashes = roots;
    }
}

#[test]
fn a_proof_is_the_same_with_tiles_without_them_and_with_broken_ones() {
    let log = Log::long(1_500);
    let disk = log.write();
    let asked = [0, 255, 256, 257, 1_000, 2_559, 2_560, 2_900, 3_001];
    let without: Vec<_> = asked.map(|seq| prove(&disk.reader(), seq).expect("a proof")).to_vec();
    write_tiles(&log, &disk);
    let with: Vec<_> = asked.map(|seq| prove(&disk.reader(), seq).expect("a proof")).to_vec();
    assert_eq!(without, with);
    let growing: Vec<u8> = with[0].path.iter().flat_map(|hash| *hash.as_bytes()).take(32 * 3).collect();
    for (name, bytes) in [("tile/0/011", growing.clone()), ("tile/1/000", growing)] {
        fs::create_dir_all(disk.path().join("tile/1")).expect("a directory");
        fs::write(disk.path().join(name), bytes).expect("written");
        assert_eq!(without, asked.map(|seq| prove(&disk.reader(), seq).expect("a proof")).to_vec(), "{name}");
    }
    fs::write(disk.path().join("tile/0/003"), vec![7; 8_192]).expect("written");
    fs::write(disk.path().join("tile/0/004"), b"short").expect("written");
    fs::remove_file(disk.path().join("tile/0/005")).expect("removed");
    let broken: Vec<_> = asked.map(|seq| prove(&disk.reader(), seq).expect("a proof")).to_vec();
    assert_eq!(without, broken);
    for proof in with {
        check(&proof, &log.verifier_key()).expect("proved");
    }
}

#[test]
fn a_compact_range_beside_the_checkpoint_helps_and_cannot_mislead() {
    let log = Log::long(1_500);
    let disk = log.write();
    write_tiles(&log, &disk);
    let asked = [0, 255, 1_000, 2_559, 3_001];
    let without: Vec<_> = asked.map(|seq| prove(&disk.reader(), seq).expect("a proof")).to_vec();
    let leaves = log.lines.iter().map(|line| audit_core::evidence::leaf_hash(line));
    let range: audit_core::evidence::CompactRange = leaves.collect();
    let right: Vec<u8> = range.peaks().iter().flat_map(|hash| *hash.as_bytes()).collect();
    for bytes in [right, vec![7; range.peaks().len() * 32], vec![7; 31], Vec::new()] {
        fs::write(disk.path().join("checkpoints/00000000000000003002.peaks"), bytes).expect("written");
        assert_eq!(without, asked.map(|seq| prove(&disk.reader(), seq).expect("a proof")).to_vec());
    }
}

#[test]
fn lines_are_read_from_any_number_on() {
    let log = Log::long(2_000);
    let disk = log.write();
    let reader = disk.reader();
    assert_eq!(reader.size().expect("a size"), 4_002);
    for from in [0, 1, 2_499, 2_500, 2_501, 4_001] {
        let mut lines = Lines::from(&reader, from).expect("lines");
        for expected in &log.lines[from as usize..] {
            assert_eq!(lines.next_line().expect("a line").expect("a line"), expected);
        }
        assert_eq!(lines.next_line().expect("the end"), None);
    }
    let mut lines = Lines::from(&reader, 4_002).expect("lines");
    assert_eq!(lines.next_line().expect("the end"), None);
}

#[test]
fn a_log_that_grows_is_read_on() {
    let mut log = Log::sample();
    let disk = log.write();
    let reader = disk.reader();
    let mut lines = Lines::from(&reader, 8).expect("lines");
    while lines.next_line().expect("a line").is_some() {}
    log.event("more");
    log.write_lines(disk.path());
    assert_eq!(reader.size().expect("a size"), 12);
}

fn answers(log: &Log, query: Query) -> Vec<u64> {
    let mut found = Vec::new();
    let mut search = query.search();
    let mut show = |line: &[u8]| found.push(Record::parse(line).expect("a record").seq());
    for line in &log.lines {
        search.next(&Record::parse(line).expect("a record"), &mut show);
    }
    search.finish(show);
    found
}

fn queried() -> Log {
    let mut log = Log::new(key_of(LOG_ID));
    let intent = |log: &mut Log, call: u64, actor: &str, action: &str| {
        log.record(
            "intent",
            &format!(
                "\"id\":\"{}\",\"actor\":{{\"type\":\"service_account\",\"id\":\"{actor}\"}},\"action\":\"{action}\",\"trace\":\"00-4bf92f3577b34da6a3ce929d0e0e473{call}-00f067aa0ba902b7-01\"",
                sample::id_of(call)
            ),
        )
    };
    let outcome = |log: &mut Log, call: u64, members: &str| {
        log.record("outcome", &format!("\"id\":\"{}\",{members}", sample::id_of(call)))
    };
    intent(&mut log, 1, "settler", "POST /v1/refunds/{id}"); // 1
    intent(&mut log, 2, "reporter", "GET /v1/refunds"); // 2
    outcome(&mut log, 2, "\"result\":\"denied\""); // 3
    outcome(&mut log, 1, "\"result\":\"success\""); // 4
    log.pass(60_000);
    intent(&mut log, 3, "settler", "GET /v1/refunds"); // 5
    log.event("ledger.rotate"); // 6
    intent(&mut log, 4, "nobody", "GET /v1/refunds"); // 7
    outcome(&mut log, 4, "\"actor\":{\"type\":\"user\",\"id\":\"alice\"},\"result\":\"success\""); // 8
    log
}

#[test]
fn a_query_shows_both_records_of_each_call_that_matches() {
    let log = queried();
    let new = Query::new;
    assert_eq!(answers(&log, new()), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(answers(&log, new().actor("settler")), [1, 4, 5]);
    assert_eq!(answers(&log, new().actor("sett*").result("success")), [1, 4]);
    assert_eq!(answers(&log, new().actor("service_account")), [1, 2, 3, 4, 5, 7, 8]);
    assert_eq!(answers(&log, new().action("GET *")), [2, 3, 5, 7, 8]);
    assert_eq!(answers(&log, new().action("ledger.rotate")), [6]);
    assert_eq!(answers(&log, new().result("denied")), [2, 3]);
    assert_eq!(answers(&log, new().result("unknown")), [5]);
    assert_eq!(answers(&log, new().actor("alice")), [7, 8], "known only in the outcome");
    assert_eq!(answers(&log, new().trace("4bf92f3577b34da6a3ce929d0e0e4732")), [2, 3]);
    assert_eq!(answers(&log, new().trace("00-4bf92f3577b34da6a3ce929d0e0e4732-00f067aa0ba902b7-01")), [2, 3]);
    let minute = (sample::START as i64 + 30) * 1_000_000;
    assert_eq!(answers(&log, new().since(minute)), [5, 6, 7, 8]);
    assert_eq!(answers(&log, new().until(minute)), [0, 1, 2, 3, 4]);
    assert!(answers(&log, new().actor("nobody at all")).is_empty());
}
