//! What is done to a log, and what the verifier says of it.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod sample;

use audit_core::evidence::leaf_hash;
use audit_core::verify::FindingKind::{
    Duplicated, Edited, Inserted, KeyUnpinned, Malformed, Missing, Reordered, Rewritten, Truncated, UnsignedTail,
    Unverifiable, WrongKey,
};
use audit_core::verify::{Judgement, Verdict, Verifier};
use sample::{LOG_ID, Log, OTHER_ID, found, key_of, other_key, tampered};

/// The verdict on the sample's signed heads with the lines of `log`.
fn verdict_on(log: &Log) -> Verdict {
    let disk = Log::sample().write();
    log.write_lines(disk.path());
    let verdict = disk.verdict();
    println!("{}", verdict.to_json());
    verdict
}

#[test]
fn an_untouched_log_is_intact() {
    let log = Log::sample();
    let verdict = verdict_on(&log);
    assert_eq!(verdict.judgement(), Judgement::Intact);
    assert_eq!(found(&verdict), []);
    assert_eq!((verdict.records, verdict.signed), (11, 11));
    assert_eq!(verdict.root, log.root(11));
    assert_eq!(verdict.exit_code(), 0);
}

#[test]
fn an_edited_line_is_named() {
    for at in 0..10 {
        let mut log = Log::sample();
        log.replace(at, "\"time\":\"2026", "\"time\":\"2025");
        let verdict = verdict_on(&log);
        assert_eq!(tampered(&verdict)[0], (Edited, Some(at as u64), None), "line {at}");
        assert_eq!(verdict.judgement(), Judgement::Tampered);
        assert_eq!(verdict.exit_code(), 1);
        // What follows the edit is confirmed by the signed tree.
        assert_eq!(verdict.signed, 11);
    }
}

#[test]
fn an_edit_of_the_last_signed_line_is_located_between_two_checkpoints() {
    let mut log = Log::sample();
    log.replace(10, "\"open_activities\":0", "\"open_activities\":9");
    assert_eq!(tampered(&verdict_on(&log)), [(Rewritten, Some(8), Some(10))]);
}

#[test]
fn an_edited_link_is_laid_on_the_line_that_carries_it() {
    let mut log = Log::sample();
    let prev = leaf_hash(&log.lines[4]).to_hex();
    log.replace(5, &prev, &"a".repeat(64));
    assert_eq!(tampered(&verdict_on(&log)), [(Edited, Some(5), None)]);
}

#[test]
fn neighbours_that_are_both_edited_are_both_named() {
    let mut log = Log::sample();
    log.replace(5, "POST", "PUT_");
    log.replace(6, "success", "failure");
    assert_eq!(tampered(&verdict_on(&log)), [(Edited, Some(5), Some(6))]);
}

#[test]
fn an_edited_number_is_an_edit() {
    for (from, to) in [("\"seq\":5,", "\"seq\":7,"), ("\"seq\":5,", "\"seq\":4,"), ("\"seq\":5,", "\"seq\":500,")] {
        let mut log = Log::sample();
        log.replace(5, from, to);
        assert_eq!(tampered(&verdict_on(&log)), [(Edited, Some(5), None)], "{to}");
    }
}

#[test]
fn a_deleted_line_is_missing() {
    for at in 1..10 {
        let mut log = Log::sample();
        log.lines.remove(at);
        let verdict = verdict_on(&log);
        assert_eq!(tampered(&verdict)[0], (Missing, Some(at as u64), None), "line {at}");
        assert_eq!(verdict.records, 10);
    }
}

#[test]
fn the_deleted_first_line_is_missing() {
    let mut log = Log::sample();
    log.lines.remove(0);
    assert_eq!(tampered(&verdict_on(&log))[0], (Missing, Some(0), None));
}

#[test]
fn a_deleted_stretch_is_missing_as_a_whole() {
    let mut log = Log::sample();
    log.lines.drain(3..7);
    assert_eq!(tampered(&verdict_on(&log))[0], (Missing, Some(3), Some(6)));
}

#[test]
fn a_deleted_segment_is_missing_as_a_whole() {
    let disk = Log::sample().write();
    std::fs::remove_file(disk.path().join("segments/00000000000000000004.jsonl")).expect("removed");
    assert_eq!(tampered(&disk.verdict())[0], (Missing, Some(4), Some(7)));
}

#[test]
fn an_inserted_line_is_named_and_the_others_are_confirmed() {
    let mut log = Log::sample();
    let forged = log.lines[5].clone();
    log.lines.insert(5, forged);
    log.replace(5, "/v1/refunds/2", "/v1/refunds/666");
    let verdict = verdict_on(&log);
    assert_eq!(tampered(&verdict), [(Inserted, Some(5), None)]);
    assert_eq!(verdict.signed, 11);
}

#[test]
fn a_line_inserted_out_of_nowhere_is_named() {
    for number in ["\"seq\":900,", "\"seq\":9007199254740991,"] {
        let mut log = Log::sample();
        let forged = log.lines[5].clone();
        log.lines.insert(3, forged);
        log.replace(3, "\"seq\":5,", number);
        let verdict = verdict_on(&log);
        assert_eq!(tampered(&verdict).len(), 1, "{:?}", verdict.findings);
        assert_eq!(verdict.findings[0].kind, Inserted);
        assert_eq!(verdict.signed, 11);
    }
}

#[test]
fn a_duplicated_line_is_named_wherever_the_copy_stands() {
    for (from, to) in [(5, 6), (5, 5), (2, 9), (0, 11), (10, 11)] {
        let mut log = Log::sample();
        let copy = log.lines[from].clone();
        log.lines.insert(to, copy);
        let verdict = verdict_on(&log);
        assert_eq!(tampered(&verdict), [(Duplicated, Some(from as u64), None)], "{from} at {to}");
        assert_eq!((verdict.records, verdict.signed), (12, 11));
    }
}

#[test]
fn a_duplicated_stretch_is_named_as_one() {
    let mut log = Log::sample();
    let copy: Vec<_> = log.lines[2..6].to_vec();
    log.lines.splice(6..6, copy);
    assert_eq!(tampered(&verdict_on(&log)), [(Duplicated, Some(2), Some(5))]);
}

#[test]
fn swapped_neighbours_are_named() {
    for at in 0..9 {
        let mut log = Log::sample();
        log.lines.swap(at, at + 1);
        let verdict = verdict_on(&log);
        assert_eq!(verdict.findings[0].kind, Reordered, "{at}: {:?}", verdict.findings);
        assert!([at as u64, at as u64 + 1].contains(&verdict.findings[0].seq.expect("a place")));
        assert_eq!(tampered(&verdict).len(), 1, "{at}: {:?}", verdict.findings);
    }
}

#[test]
fn lines_swapped_over_a_distance_are_named() {
    let mut log = Log::sample();
    log.lines.swap(2, 7);
    let verdict = verdict_on(&log);
    assert!(tampered(&verdict).iter().all(|finding| finding.0 == Reordered), "{:?}", verdict.findings);
    let named = |seq| verdict.findings.iter().any(|finding| finding.seq == Some(seq));
    assert!(named(2) && named(7));
}

#[test]
fn a_history_rewritten_without_the_key_is_located() {
    for (at, from, to) in [(1, 0, 3), (5, 4, 7), (9, 8, 10)] {
        let mut log = Log::sample();
        let good = log.clone();
        log.replace(at, "\"time\":\"2026", "\"time\":\"2025");
        log.rechain(at + 1);
        let disk = good.write();
        log.write_lines(disk.path());
        let verdict = disk.verdict();
        assert_eq!(tampered(&verdict)[0], (Rewritten, Some(from), Some(to)), "line {at}");
        assert_eq!(verdict.signed, from);
    }
}

#[test]
fn a_line_cut_out_of_a_rewritten_history_is_noticed() {
    let mut log = Log::sample();
    let good = log.clone();
    log.lines.remove(5);
    log.lines.remove(5);
    log.rechain(5);
    let disk = good.write();
    log.write_lines(disk.path());
    let verdict = disk.verdict();
    assert_eq!(tampered(&verdict), [(Rewritten, Some(4), Some(7)), (Truncated, Some(9), Some(10))]);
}

#[test]
fn numbers_left_out_of_a_rewritten_history_are_missing() {
    let mut log = Log::sample();
    let good = log.clone();
    log.lines.remove(5);
    log.rechain(5);
    for at in 5..10 {
        log.replace(at, &format!("\"seq\":{at},"), &format!("\"seq\":{},", at + 1));
        if at > 5 {
            let old = log.lines[at][..].to_vec();
            let prev = leaf_hash(&log.lines[at - 1]).to_hex();
            let text = String::from_utf8(old).expect("text");
            let start = text.find("\"prev\":\"").expect("prev") + 8;
            log.lines[at] = format!("{}{prev}{}", &text[..start], &text[start + 64..]).into_bytes();
        }
    }
    let disk = good.write();
    log.write_lines(disk.path());
    assert_eq!(tampered(&disk.verdict())[0], (Missing, Some(5), None));
}

#[test]
fn a_log_signed_again_with_another_key_is_found_by_the_pinned_key() {
    let mut log = Log::sample();
    log.key = other_key(LOG_ID);
    log.replace(5, "POST", "PUT_");
    let key = key_of(LOG_ID).verifier().to_string();
    let replaced = log.key.verifier().to_string();
    log.replace(0, &key, &replaced);
    log.rechain(1);
    let disk = log.write();
    let verdict = disk.verdict();
    assert_eq!(verdict.judgement(), Judgement::Tampered);
    assert!(verdict.findings.iter().any(|finding| finding.kind == WrongKey));
    assert_eq!(verdict.signed, 0);
    // Without the key there is nothing to tell it by, and the verdict says so.
    let unpinned = disk.verdict_unpinned();
    assert_eq!(unpinned.judgement(), Judgement::Intact);
    assert_eq!(found(&unpinned), [(KeyUnpinned, None, None)]);
}

#[test]
fn a_replaced_key_is_found_without_pinning_when_the_opening_record_names_the_old_one() {
    let mut log = Log::sample();
    log.key = other_key(LOG_ID);
    let verdict = log.write().verdict_unpinned();
    assert_eq!(tampered(&verdict)[0], (WrongKey, Some(0), None));
}

#[test]
fn a_tail_cut_at_a_record_boundary_is_found_with_an_older_checkpoint_only() {
    let good = Log::sample();
    let mut log = good.clone();
    log.lines.truncate(8);
    log.signed = vec![4, 8];
    let disk = log.write();
    // Nothing that is left contradicts the cut: only what was kept elsewhere does.
    assert_eq!(disk.verdict().judgement(), Judgement::Intact);
    let verdict = Verifier::new().key(log.verifier_key()).against(good.checkpoint(11)).run(&disk.reader());
    assert_eq!(tampered(&verdict), [(Truncated, Some(8), Some(10))]);
    assert_eq!(verdict.exit_code(), 1);
}

#[test]
fn a_newest_checkpoint_ahead_of_the_records_is_a_truncation() {
    let good = Log::sample();
    let mut log = good.clone();
    log.lines.truncate(9);
    let disk = good.write();
    log.write_lines(disk.path());
    let verdict = disk.verdict();
    assert_eq!(tampered(&verdict), [(Truncated, Some(9), Some(10))]);
    assert_eq!((verdict.records, verdict.signed), (9, 8));
}

#[test]
fn a_last_line_torn_within_the_signed_part_is_a_truncation() {
    let good = Log::sample();
    let disk = good.write();
    let path = disk.path().join("segments/00000000000000000008.jsonl");
    let mut bytes = std::fs::read(&path).expect("read");
    bytes.truncate(bytes.len() - 20);
    std::fs::write(&path, bytes).expect("written");
    let verdict = disk.verdict();
    assert_eq!(tampered(&verdict), [(Truncated, Some(10), None)]);
    assert!(verdict.findings[0].detail.contains("bytes that are not a record"));
}

#[test]
fn lines_that_break_the_format_are_named() {
    type Change = fn(&mut Log);
    let changes: [(&str, Change); 8] = [
        ("byte-order mark", |log| {
            log.lines[5].splice(0..0, *b"\xef\xbb\xbf");
        }),
        ("occurs twice", |log| log.replace(5, ",\"action\"", ",\"kind\":\"event\",\"action\"")),
        ("frame", |log| log.replace(5, "\"seq\":5", "\"seq\":05")),
        ("UTF-8", |log| {
            let at = log.lines[5].len() - 4;
            log.lines[5][at] = 0xff;
        }),
        ("65535", |log| {
            let long = "x".repeat(65_536);
            log.replace(5, "settler", &long);
        }),
        ("65535", |log| {
            let long = "x".repeat(3 << 20);
            log.replace(5, "settler", &long);
        }),
        ("frame", |log| log.lines[5] = b"garbage".to_vec()),
        ("frame", |log| log.lines[5].clear()),
    ];
    for (why, change) in changes {
        let good = Log::sample();
        let mut log = good.clone();
        change(&mut log);
        let disk = good.write();
        log.write_lines(disk.path());
        let verdict = disk.verdict();
        assert_eq!(tampered(&verdict), [(Malformed, Some(5), None)], "{why}");
        assert!(verdict.findings[0].detail.contains(why), "{}", verdict.findings[0].detail);
    }
}

#[test]
fn a_line_feed_taken_away_or_added_is_found() {
    let good = Log::sample();
    let mut log = good.clone();
    let joined = [log.lines[5].clone(), log.lines[6].clone()].concat();
    log.lines.splice(5..7, [joined]);
    let disk = good.write();
    log.write_lines(disk.path());
    let verdict = disk.verdict();
    assert_eq!(tampered(&verdict)[0], (Malformed, Some(5), None));
    assert_eq!(verdict.judgement(), Judgement::Tampered);

    let mut log = good.clone();
    let rest = log.lines[5].split_off(150);
    log.lines.insert(6, rest);
    log.write_lines(disk.path());
    let verdict = disk.verdict();
    assert_eq!(tampered(&verdict)[0].0, Malformed);
    assert_eq!(tampered(&verdict)[0].1, Some(5));
    assert_eq!(verdict.signed, 11, "the rest is confirmed");
}

#[test]
fn garbage_between_good_lines_is_named_and_the_others_are_confirmed() {
    let good = Log::sample();
    let mut log = good.clone();
    log.lines.insert(5, b"{\"not\":\"a record\"}".to_vec());
    let disk = good.write();
    log.write_lines(disk.path());
    let verdict = disk.verdict();
    assert_eq!(tampered(&verdict), [(Malformed, Some(5), None)]);
    assert_eq!(verdict.signed, 11);
}

#[test]
fn a_log_of_nothing_but_garbage_is_read_to_its_end() {
    let disk = Log::sample().write();
    let path = disk.path().join("segments/00000000000000000000.jsonl");
    for garbage in [vec![b'\n'; 2 << 20], b"garbage\n".repeat(200_000), vec![b'x'; 3 << 20]] {
        std::fs::write(&path, &garbage).expect("written");
        let verdict = disk.verdict();
        assert_eq!(verdict.judgement(), Judgement::Tampered);
        assert!(verdict.findings.len() < 20, "{}", verdict.findings.len());
    }
}

#[test]
fn a_segment_that_ends_within_a_line_is_found() {
    let disk = Log::sample().write();
    let path = disk.path().join("segments/00000000000000000004.jsonl");
    let mut bytes = std::fs::read(&path).expect("read");
    bytes.truncate(bytes.len() - 5);
    std::fs::write(&path, bytes).expect("written");
    let verdict = disk.verdict();
    assert_eq!(tampered(&verdict)[0], (Malformed, Some(7), None));
}

#[test]
fn a_line_of_another_version_is_not_verifiable_but_no_proof_of_tampering() {
    let mut log = Log::sample();
    log.replace(5, "{\"v\":1,", "{\"v\":2,");
    let mut honest = log.clone();
    honest.rechain(6);
    let verdict = honest.write().verdict();
    assert_eq!(tampered(&verdict), []);
    assert!(found(&verdict).contains(&(Unverifiable, Some(5), None)));
    assert_eq!(verdict.judgement(), Judgement::Unverifiable);
    assert_eq!(verdict.exit_code(), 2);

    // The same byte changed in a log that is signed as it was.
    let good = Log::sample();
    let disk = good.write();
    log.write_lines(disk.path());
    assert_eq!(tampered(&disk.verdict())[0], (Edited, Some(5), None));
}

#[test]
fn two_independent_edits_are_both_named() {
    let mut log = Log::sample();
    log.replace(2, "success", "failure");
    log.replace(7, "POST", "PUT_");
    let verdict = verdict_on(&log);
    assert_eq!(tampered(&verdict), [(Edited, Some(2), None), (Edited, Some(7), None)]);
}

#[test]
fn tampering_is_found_wherever_it_is_in_a_long_log() {
    let good = Log::long(3_000);
    let disk = good.write();
    assert_eq!(found(&disk.verdict()), []);
    for at in [1, 999, 1_000, 1_001, 2_345, 2_499, 2_500, 5_997] {
        let mut log = good.clone();
        log.replace(at, "2026-11", "2026-12");
        log.write_lines(disk.path());
        let verdict = disk.verdict();
        assert_eq!(tampered(&verdict)[0], (Edited, Some(at as u64), None));
        assert_eq!(verdict.signed, 6_002);

        let mut log = good.clone();
        log.lines.remove(at);
        log.write_lines(disk.path());
        assert_eq!(tampered(&disk.verdict())[0], (Missing, Some(at as u64), None));

        let mut log = good.clone();
        log.replace(at, "2026-11", "2026-12");
        log.rechain(at + 1);
        log.write_lines(disk.path());
        let from = at as u64 / 1_000 * 1_000;
        let to = (from + 999).min(6_001);
        assert_eq!(tampered(&disk.verdict())[0], (Rewritten, Some(from), Some(to)));
    }
}

#[test]
fn a_copied_segment_is_named_as_one_stretch() {
    let log = Log::long(3_000);
    let disk = log.write();
    let segments = disk.path().join("segments");
    std::fs::copy(segments.join("00000000000000002500.jsonl"), segments.join("00000000000000009000.jsonl"))
        .expect("copied");
    let verdict = disk.verdict();
    assert_eq!(tampered(&verdict), [(Duplicated, Some(2_500), Some(4_999))]);
}

#[test]
fn a_directory_made_again_under_the_same_origin_is_found() {
    let old = Log::sample();
    let mut new = Log::new(key_of(OTHER_ID));
    for call in 0..20 {
        new.call(call);
    }
    new.signed = vec![41];
    let disk = new.write();
    assert_eq!(disk.verdict().judgement(), Judgement::Intact);
    let verdict = Verifier::new().key(old.verifier_key()).against(old.checkpoint(11)).run(&disk.reader());
    assert_eq!(verdict.judgement(), Judgement::Tampered);
    assert_eq!(verdict.findings[0].kind, audit_core::verify::FindingKind::Forked);
    assert!(verdict.findings[0].detail.contains("made anew"));
    assert!(!found(&verdict).contains(&(UnsignedTail, None, None)));
}
