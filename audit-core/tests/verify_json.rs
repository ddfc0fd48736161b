//! The verdict as JSON: other programs rely on its form.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod sample;

use std::fs;

use audit_core::verify::{Class, FindingKind, Judgement, KeySource, Verdict};
use sample::{Log, OTHER_ID, key_of};

#[test]
fn an_intact_log() {
    let disk = Log::sample().write();
    assert_eq!(
        disk.verdict().to_json(),
        "{\"verdict\":\"intact\",\"key\":\"pinned\",\"records\":11,\"signed\":11,\
         \"root\":\"ROOT\",\"findings\":[]}"
            .replace("ROOT", &Log::sample().root(11).to_base64())
    );
}

#[test]
fn an_intact_log_whose_key_is_not_pinned() {
    let json = Log::sample().write().verdict_unpinned().to_json();
    let start = "{\"verdict\":\"intact\",\"key\":\"log.pub\",\"records\":11,\"signed\":11,";
    assert!(json.starts_with(start), "{json}");
    assert!(json.contains("[{\"kind\":\"key_unpinned\",\"class\":\"warning\",\"detail\":\""), "{json}");
}

#[test]
fn an_edited_log() {
    let mut log = Log::sample();
    let disk = log.write();
    log.replace(3, "POST", "PUT_");
    log.write_lines(disk.path());
    let json = disk.verdict().to_json();
    assert!(
        json.contains(
            "\"findings\":[{\"kind\":\"edited\",\"class\":\"tamper\",\"seq\":3,\
             \"detail\":\"record 3 was changed: it does not have the hash that record 4 carries\"}]"
        ),
        "{json}"
    );
}

#[test]
fn a_truncated_log() {
    let mut log = Log::sample();
    let disk = log.write();
    log.lines.truncate(9);
    log.write_lines(disk.path());
    let json = disk.verdict().to_json();
    assert!(
        json.contains(
            "{\"kind\":\"truncated\",\"class\":\"tamper\",\"seq\":9,\"to\":10,\
             \"detail\":\"`checkpoint` (size 11) signs 11 records, but only 9 are there\"}"
        ),
        "{json}"
    );
}

#[test]
fn whatever_stands_in_a_log_the_verdict_is_json() {
    let mut log = Log::sample();
    log.key = key_of(OTHER_ID);
    let disk = Log::sample().write();
    log.replace(0, "\"heartbeat_s\":60", "\"heartbeat_s\":60,\"x\":\"\\u0000\\\"\u{202e}\"");
    log.replace(0, "\"origin\":\"", "\"origin\":\"\\u001b[2J\\\" \u{202e}");
    log.lines[4] = b"\xff\x00\"\\".to_vec();
    log.write_lines(disk.path());
    fs::write(disk.path().join("log.pub"), b"\xff\"\\\x00").expect("written");
    for verdict in [disk.verdict(), disk.verdict_unpinned()] {
        let json = verdict.to_json();
        let value: serde_json::Value = serde_json::from_str(&json).expect(&json);
        assert_eq!(value["verdict"], verdict.judgement().as_str());
        assert_eq!(value["findings"].as_array().expect("findings").len(), verdict.findings.len());
        assert!(!json.contains('\u{1b}') && !json.contains('\n'));
    }
}

#[test]
fn the_words_and_their_weights_are_fixed() {
    use FindingKind::{
        BadSignature, ClockStep, Coverage, Duplicated, Edited, Forked, Gap, Hidden, Inserted, KeyUnpinned, Malformed,
        Missing, OutcomeUnknown, Recovered, Reordered, Rewritten, Silent, TornTail, Truncated, UnsignedTail,
        Unverifiable, WrongKey,
    };
    let words = [
        (Edited, "edited", Class::Tamper),
        (Missing, "missing", Class::Tamper),
        (Duplicated, "duplicated", Class::Tamper),
        (Reordered, "reordered", Class::Tamper),
        (Inserted, "inserted", Class::Tamper),
        (Rewritten, "rewritten", Class::Tamper),
        (Truncated, "truncated", Class::Tamper),
        (Forked, "forked", Class::Tamper),
        (BadSignature, "bad_signature", Class::Tamper),
        (WrongKey, "wrong_key", Class::Tamper),
        (Malformed, "malformed", Class::Tamper),
        (Hidden, "hidden", Class::Tamper),
        (UnsignedTail, "unsigned_tail", Class::Warning),
        (TornTail, "torn_tail", Class::Warning),
        (KeyUnpinned, "key_unpinned", Class::Warning),
        (ClockStep, "clock_step", Class::Warning),
        (Silent, "silent", Class::Warning),
        (Gap, "gap", Class::Warning),
        (Recovered, "recovered", Class::Info),
        (OutcomeUnknown, "outcome_unknown", Class::Info),
        (Coverage, "coverage", Class::Warning),
        (Unverifiable, "unverifiable", Class::Warning),
    ];
    for (kind, word, class) in words {
        assert_eq!((kind.as_str(), kind.class()), (word, class));
    }
}

#[test]
fn tampering_outweighs_not_being_able_to_tell() {
    let mut verdict = Verdict::unreadable(KeySource::Pinned, "the disk is gone");
    assert_eq!((verdict.judgement(), verdict.exit_code()), (Judgement::Unverifiable, 2));
    assert_eq!(verdict.records, 0);
    let finding = audit_core::verify::Finding::new(FindingKind::Edited, "record 3 was changed").at(3);
    verdict.findings.push(finding);
    assert_eq!((verdict.judgement(), verdict.exit_code()), (Judgement::Tampered, 1));
}
