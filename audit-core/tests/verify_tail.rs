//! What stands behind the newest checkpoint: unsigned, torn, or changed.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod sample;

use audit_core::verify::FindingKind::{
    Edited, Hidden, Malformed, Missing, OutcomeUnknown, TornTail, UnsignedTail, Unverifiable,
};
use audit_core::verify::{Class, Judgement, Verdict, Verifier};
use sample::{LOG_ID, Log, found, key_of, tampered};

/// A log of a writer that is still there: 17 lines, of which the first 9 are signed.
fn growing() -> Log {
    let mut log = Log::new(key_of(LOG_ID));
    for call in 0..8 {
        log.call(call);
    }
    log.signed = vec![9];
    log
}

fn verdict_on(log: &Log) -> Verdict {
    log.write().verdict()
}

#[test]
fn well_formed_lines_behind_the_newest_checkpoint_are_a_warning() {
    let verdict = verdict_on(&growing());
    assert_eq!(found(&verdict), [(UnsignedTail, Some(9), Some(16))]);
    assert_eq!(verdict.findings[0].class, Class::Warning);
    assert_eq!(verdict.judgement(), Judgement::Intact);
    assert_eq!((verdict.records, verdict.signed), (17, 9));
}

#[test]
fn a_last_line_without_its_line_feed_is_torn() {
    let mut log = growing();
    log.rest = b"{\"v\":1,\"seq\":17,\"pre".to_vec();
    let verdict = verdict_on(&log);
    assert_eq!(found(&verdict), [(UnsignedTail, Some(9), Some(16)), (TornTail, Some(17), None)]);
    assert_eq!(verdict.judgement(), Judgement::Intact);
    assert_eq!(verdict.records, 17);
}

#[test]
fn a_tail_of_zeros_is_torn_however_long_it_is() {
    for zeros in [1, 4_096, 70_000, 3 << 20] {
        let mut log = growing();
        log.rest = vec![0; zeros];
        let verdict = verdict_on(&log);
        assert_eq!(found(&verdict), [(UnsignedTail, Some(9), Some(16)), (TornTail, Some(17), None)]);
        assert!(verdict.findings[1].detail.contains(&format!("{zeros} zero bytes")), "{}", verdict.findings[1].detail);
    }
}

#[test]
fn a_torn_line_behind_a_log_that_is_signed_to_its_end_is_a_warning() {
    let mut log = growing();
    log.signed = vec![17];
    log.rest = b"{".to_vec();
    assert_eq!(found(&verdict_on(&log)), [(TornTail, Some(17), None)]);
}

#[test]
fn an_unsigned_line_that_is_no_record_tears_the_tail_there() {
    for garbage in [b"garbage".to_vec(), vec![0; 100], b"{\"v\":1}".to_vec()] {
        let mut log = growing();
        log.lines[12] = garbage;
        let verdict = verdict_on(&log);
        assert_eq!(tampered(&verdict), []);
        assert!(found(&verdict).contains(&(TornTail, Some(12), None)));
        assert!(found(&verdict).contains(&(UnsignedTail, Some(9), Some(11))));
    }
}

#[test]
fn zeros_in_the_midst_of_the_tail_are_torn_as_a_crash_leaves_them() {
    let mut log = growing();
    // A page that never reached the disk: from within line 11 to within line 13.
    for at in 11..=13 {
        let length = log.lines[at].len();
        let range = match at {
            11 => length / 2..length,
            12 => 0..length,
            _ => 0..length / 2,
        };
        log.lines[at][range].fill(0);
    }
    let page: Vec<u8> = [&log.lines[11][..], b"\0", &log.lines[12], b"\0", &log.lines[13]].concat();
    log.lines.splice(11..14, [page]);
    let verdict = verdict_on(&log);
    assert_eq!(tampered(&verdict), []);
    assert!(found(&verdict).contains(&(TornTail, Some(11), None)));
}

#[test]
fn an_unsigned_line_that_was_changed_breaks_the_chain() {
    let mut log = growing();
    log.replace(12, "success", "failure");
    let verdict = verdict_on(&log);
    assert_eq!(tampered(&verdict), [(Edited, Some(12), None)]);
    assert_eq!(verdict.signed, 9);
}

#[test]
fn a_missing_unsigned_line_is_missing() {
    let mut log = growing();
    log.lines.remove(12);
    assert_eq!(tampered(&verdict_on(&log)), [(Missing, Some(12), None)]);
}

#[test]
fn the_last_unsigned_line_can_be_changed_unseen_and_the_verdict_says_that_it_is_unsigned() {
    let mut log = growing();
    log.replace(16, "success", "failure");
    assert_eq!(found(&verdict_on(&log)), [(UnsignedTail, Some(9), Some(16))]);
}

#[test]
fn garbage_within_the_signed_part_is_never_a_torn_tail() {
    let mut log = growing();
    log.lines[8] = b"garbage".to_vec();
    let disk = growing().write();
    log.write_lines(disk.path());
    assert_eq!(tampered(&disk.verdict())[0], (Malformed, Some(8), None));
}

#[test]
fn an_intent_at_the_end_of_a_live_log_may_still_get_its_outcome() {
    let mut log = growing();
    log.intent(99);
    let verdict = verdict_on(&log);
    let finding = verdict.findings.iter().find(|finding| finding.kind == OutcomeUnknown).expect("a finding");
    assert_eq!((finding.seq, finding.class), (Some(17), Class::Info));
}

#[test]
fn a_checkpoint_that_a_record_speaks_of_and_that_is_not_there_is_hidden() {
    let mut log = growing();
    log.record(
        "heartbeat",
        "\"coverage\":{\"seen\":8,\"recorded\":8,\"excluded\":0,\"refused\":0,\"lost\":0},\"signed\":12",
    );
    let verdict = verdict_on(&log);
    assert_eq!(tampered(&verdict), [(Hidden, Some(17), None)]);
    log.signed = vec![9, 12];
    assert_eq!(tampered(&verdict_on(&log)), []);
}

#[test]
fn a_long_log_that_nothing_signs_is_not_called_intact() {
    let mut log = Log::long(4_200);
    log.signed.clear();
    let verdict = verdict_on(&log);
    assert_eq!(verdict.judgement(), Judgement::Unverifiable);
    assert!(found(&verdict).contains(&(UnsignedTail, Some(0), Some(8_401))));

    let mut young = growing();
    young.signed.clear();
    let verdict = verdict_on(&young);
    assert_eq!(verdict.judgement(), Judgement::Intact);
    assert_eq!(verdict.signed, 0);
}

#[test]
fn a_log_without_any_line_and_any_checkpoint_is_not_called_intact() {
    let disk = growing().write();
    std::fs::remove_file(disk.path().join("checkpoint")).expect("removed");
    std::fs::write(disk.path().join("segments/00000000000000000000.jsonl"), "").expect("written");
    let verdict = disk.verdict();
    assert_eq!((verdict.judgement(), found(&verdict)), (Judgement::Unverifiable, vec![(Unverifiable, None, None)]));
    assert_eq!(verdict.records, 0);
}

#[test]
fn a_key_that_is_nowhere_leaves_the_log_unverifiable_unless_it_contradicts_itself() {
    let log = growing();
    let disk = log.write();
    std::fs::remove_file(disk.path().join("log.pub")).expect("removed");
    let verdict = disk.verdict_unpinned();
    assert_eq!(verdict.judgement(), Judgement::Unverifiable);
    assert!(found(&verdict).contains(&(Unverifiable, None, None)));
    assert_eq!(disk.verdict().judgement(), Judgement::Intact);

    let mut edited = log.clone();
    edited.replace(3, "POST", "PUT_");
    edited.write_lines(disk.path());
    let verdict = Verifier::new().run(&disk.reader());
    assert_eq!(verdict.judgement(), Judgement::Tampered);
}
