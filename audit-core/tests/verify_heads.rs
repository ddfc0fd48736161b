//! Checkpoints: who signed them, and whether they are heads of this log.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod sample;

use std::fs;

use audit_core::VerifierKey;
use audit_core::evidence::{Checkpoint, Hash, SignedCheckpoint};
use audit_core::verify::FindingKind::{
    BadSignature, Forked, KeyUnpinned, Rewritten, Truncated, Unverifiable, WrongKey,
};
use audit_core::verify::{FindingKind, Judgement, KeySource, Verdict, Verifier};
use sample::{InMemory, LOG_ID, Log, ORIGIN, OTHER_ID, OnDisk, found, key_of, other_key, tampered};

fn with(log: &OnDisk, against: SignedCheckpoint) -> Verdict {
    Verifier::new().key(key_of(LOG_ID).verifier().clone()).against(against).run(&log.reader())
}

fn kinds(verdict: &Verdict) -> Vec<FindingKind> {
    verdict.findings.iter().map(|finding| finding.kind).collect()
}

#[test]
fn a_key_counts_under_the_name_of_the_log_of_its_origin_and_of_another_log_of_it() {
    let disk = Log::sample().write();
    let key = key_of(LOG_ID).verifier().clone();
    let names = [
        format!("{ORIGIN}/{LOG_ID}"),
        ORIGIN.to_owned(),
        "payments.example.com".to_owned(),
        format!("{ORIGIN}/{OTHER_ID}"),
    ];
    for name in names {
        let verdict = Verifier::new().key(key.with_name(&name).expect("a name")).run(&disk.reader());
        assert_eq!(found(&verdict), [], "{name}");
        assert_eq!(verdict.key, KeySource::Pinned);
    }
    let verdict = Verifier::new().key(key.with_name("other.example.com").expect("a name")).run(&disk.reader());
    assert_eq!(verdict.judgement(), Judgement::Tampered, "a key for other logs does not vouch for this one");
}

#[test]
fn without_a_key_the_verdict_says_that_it_is_not_pinned() {
    let verdict = Log::sample().write().verdict_unpinned();
    assert_eq!(found(&verdict), [(KeyUnpinned, None, None)]);
    assert_eq!(verdict.judgement(), Judgement::Intact);
    assert_eq!(verdict.key, KeySource::LogPub);
}

#[test]
fn a_pinned_key_that_did_not_sign_is_told_for_each_checkpoint() {
    let disk = Log::sample().write();
    let verdict = Verifier::new().key(other_key(LOG_ID).verifier().clone()).run(&disk.reader());
    // Three checkpoints, `log.pub`, and the opening record.
    assert_eq!(kinds(&verdict).iter().filter(|kind| **kind == WrongKey).count(), 5);
    assert_eq!(verdict.signed, 0);
}

#[test]
fn a_checkpoint_whose_numbers_were_changed_has_a_bad_signature() {
    let log = Log::sample();
    let disk = log.write();
    let text = fs::read_to_string(disk.path().join("checkpoint")).expect("read");
    fs::write(disk.path().join("checkpoint"), text.replacen("\n11\n", "\n10\n", 1)).expect("written");
    let verdict = disk.verdict();
    assert_eq!(tampered(&verdict), [(BadSignature, None, None)]);
    assert_eq!(verdict.signed, 8);
}

#[test]
fn a_checkpoint_that_is_none_is_told() {
    let disk = Log::sample().write();
    for bytes in [&b""[..], b"garbage", &[0; 300], &[0xff; 2_000_000]] {
        fs::write(disk.path().join("checkpoints/00000000000000000004"), bytes).expect("written");
        let verdict = disk.verdict();
        assert_eq!(tampered(&verdict), [(BadSignature, None, None)]);
        assert!(verdict.findings[0].detail.contains("checkpoints/00000000000000000004"));
    }
}

#[test]
fn a_checkpoint_of_another_log_in_the_directory_is_told() {
    let mut other = Log::sample();
    other.key = key_of(OTHER_ID);
    let disk = Log::sample().write();
    fs::write(disk.path().join("checkpoint"), other.checkpoint(11).to_bytes()).expect("written");
    assert_eq!(tampered(&disk.verdict()), [(Forked, None, None)]);

    // Of a log under another origin, even one that the same key signs.
    let key = key_of(LOG_ID).with_name(&format!("other.example.com/{LOG_ID}")).expect("a name");
    let foreign = SignedCheckpoint::sign(Checkpoint::new(key.name(), 11, other.root(11)), [&key]).expect("signed");
    fs::write(disk.path().join("checkpoint"), foreign.to_bytes()).expect("written");
    let fleet = key.verifier().with_name("com").expect("a name");
    let _ = fleet;
    assert_eq!(tampered(&disk.verdict()), [(Forked, None, None)]);
}

#[test]
fn a_given_checkpoint_that_the_log_extends_changes_nothing() {
    let log = Log::sample();
    let disk = log.write();
    for size in 1..=11 {
        assert_eq!(found(&with(&disk, log.checkpoint(size))), [], "size {size}");
    }
}

#[test]
fn a_given_checkpoint_of_the_empty_log_is_extended_by_any() {
    let log = Log::sample();
    let empty = SignedCheckpoint::sign(Checkpoint::new(log.name(), 0, Hash::empty_root()), [&log.key]).expect("signed");
    assert_eq!(found(&with(&log.write(), empty)), []);
}

#[test]
fn a_given_checkpoint_of_another_history_is_a_fork() {
    let mut other = Log::sample();
    other.replace(6, "success", "failure");
    other.rechain(7);
    let disk = Log::sample().write();
    let verdict = with(&disk, other.checkpoint(9));
    assert_eq!(tampered(&verdict), [(Forked, Some(8), Some(8))].map(|(kind, from, _)| (kind, from, None)));
    let verdict = with(&disk, other.checkpoint(11));
    assert_eq!(kinds(&verdict)[0], Forked);
    assert_eq!(verdict.judgement(), Judgement::Tampered);
    // Up to where they part, they are the same log.
    assert_eq!(tampered(&with(&disk, other.checkpoint(6))), []);
}

#[test]
fn a_history_that_only_the_given_checkpoint_contradicts_was_rewritten() {
    let good = Log::sample();
    let mut log = good.clone();
    log.replace(6, "success", "failure");
    log.rechain(7);
    log.signed = vec![4];
    let verdict = with(&log.write(), good.checkpoint(10));
    assert_eq!(tampered(&verdict), [(Rewritten, Some(4), Some(9))]);
}

#[test]
fn a_given_checkpoint_beyond_the_end_is_a_truncation() {
    let good = Log::sample();
    let mut log = good.clone();
    log.lines.truncate(8);
    log.signed = vec![8];
    let verdict = with(&log.write(), good.checkpoint(9));
    assert_eq!(tampered(&verdict), [(Truncated, Some(8), None)]);
}

#[test]
fn a_given_checkpoint_of_an_unrelated_log_tells_nothing() {
    let key = key_of(LOG_ID).with_name(&format!("other.example.com/{OTHER_ID}")).expect("a name");
    let foreign = SignedCheckpoint::sign(Checkpoint::new(key.name(), 3, Hash::digest(b"x")), [&key]).expect("signed");
    let verdict = with(&Log::sample().write(), foreign);
    assert_eq!(found(&verdict), [(Unverifiable, None, None)]);
    assert_eq!(verdict.exit_code(), 2);
}

#[test]
fn a_given_checkpoint_that_the_key_does_not_sign_is_told() {
    let mut log = Log::sample();
    log.key = other_key(LOG_ID);
    let verdict = with(&Log::sample().write(), log.checkpoint(5));
    assert_eq!(tampered(&verdict), [(WrongKey, None, None)]);
}

#[test]
fn a_key_beside_the_log_that_is_not_the_pinned_one_is_told() {
    let disk = Log::sample().write();
    for text in [other_key(LOG_ID).verifier().to_string(), "not a key".to_owned()] {
        fs::write(disk.path().join("log.pub"), text).expect("written");
        assert_eq!(tampered(&disk.verdict()), [(WrongKey, None, None)]);
    }
}

#[test]
fn an_opening_record_of_another_log_or_key_is_told() {
    let mut log = Log::sample();
    log.lines.pop();
    let own = log.key.clone();
    log.key = key_of(OTHER_ID);
    let at = log.open();
    log.key = own;
    log.signed = vec![12];
    log.lines.truncate(at + 1);
    log.signed = vec![at as u64 + 1];
    let verdict = log.write().verdict();
    assert_eq!(tampered(&verdict), [(Forked, Some(10), None)]);

    let mut log = Log::sample();
    let own = log.key.clone();
    log.lines.pop();
    log.key = other_key(LOG_ID);
    log.open();
    log.key = own;
    log.signed = vec![11];
    assert_eq!(tampered(&log.write().verdict()), [(WrongKey, Some(10), None)]);
}

#[test]
fn a_store_that_fails_is_no_verdict_on_the_log() {
    let log = Log::sample();
    let mut stored = InMemory::new(&log);
    stored.fails_after = Some(500);
    stored.step = 100;
    let verdict = Verifier::new().key(log.verifier_key()).run(&stored);
    assert_eq!(tampered(&verdict), []);
    assert_eq!(verdict.judgement(), Judgement::Unverifiable);
    assert!(verdict.findings.iter().any(|finding| finding.detail.contains("the disk is gone")));
}

#[test]
fn a_store_that_fails_once_in_the_midst_of_a_long_log_ends_the_work_at_once() {
    let mut log = Log::long(12_000);
    log.segments = vec![0];
    let mut stored = InMemory::new(&log);
    stored.fails_after = Some(1 << 20);
    for threads in [1, 2, 7] {
        let threads = std::num::NonZero::new(threads).expect("threads");
        let verdict = Verifier::new().key(log.verifier_key()).threads(threads).run(&stored);
        assert_eq!(tampered(&verdict), []);
        assert_eq!(verdict.judgement(), Judgement::Unverifiable);
        assert!(verdict.records > 1_000 && verdict.records < 10_000, "{}", verdict.records);
    }
}

#[test]
fn what_is_not_a_file_is_not_waited_for() {
    let disk = Log::sample().write();
    let path = disk.path().join("checkpoint");
    fs::remove_file(&path).expect("removed");
    let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo");
    assert!(made.success());
    let verdict = disk.verdict();
    assert_eq!(verdict.judgement(), Judgement::Unverifiable);
    assert!(verdict.findings[0].detail.contains("not a regular file"), "{:?}", verdict.findings);
}

#[test]
fn a_directory_that_is_no_log_is_not_opened() {
    let dir = tempfile::tempdir().expect("a directory");
    let error = audit_core::backend::FileReader::open(dir.path()).expect_err("no log");
    assert!(error.to_string().contains("is not a log"), "{error}");
    let error = audit_core::backend::FileReader::open(dir.path().join("absent")).expect_err("no log");
    assert!(error.to_string().contains("no such directory"), "{error}");
}

#[test]
fn a_verifier_key_parses_from_what_a_log_keeps() {
    let disk = Log::sample().write();
    let text = fs::read_to_string(disk.path().join("log.pub")).expect("read");
    assert_eq!(VerifierKey::parse(&text).expect("a key").to_string(), key_of(LOG_ID).verifier().to_string());
}
