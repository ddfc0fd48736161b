use audit_core::backend::{Backend as _, BackendError};
use audit_core::verify::{Class, FindingKind, Verdict, Verifier};
use audit_core::{AuditLog, Event};

use crate::fixture::{Place, soon};
use crate::whole_log::{close, key, open};

/// A log with some signed records, closed; and its place.
fn signed() -> Place {
    let place = Place::shared();
    let log = open(&place, "log", &key());
    record(&log, 20);
    close(&log);
    place
}

fn record(log: &AuditLog, count: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for number in 0..count {
        let event = Event::action("ledger.rotate").resource(format!("ledger/{number}"));
        runtime.block_on(log.record(&event)).unwrap();
    }
}

/// What a superuser can do all the same: the triggers are taken away and put back.
fn unguarded(place: &Place, change: &str) {
    place.superuser(&format!(
        "BEGIN; ALTER TABLE SCHEMA.lines DISABLE TRIGGER ALL; ALTER TABLE SCHEMA.heads DISABLE TRIGGER ALL;
         ALTER TABLE SCHEMA.checkpoints DISABLE TRIGGER ALL; {change};
         ALTER TABLE SCHEMA.lines ENABLE ALWAYS TRIGGER lines_only_grow;
         ALTER TABLE SCHEMA.checkpoints ENABLE ALWAYS TRIGGER checkpoints_only_grow;
         ALTER TABLE SCHEMA.heads ENABLE ALWAYS TRIGGER heads_stay;
         ALTER TABLE SCHEMA.heads ENABLE ALWAYS TRIGGER heads_move_forward; COMMIT"
    ));
}

fn verdict(place: &Place) -> Verdict {
    Verifier::new().run(&place.reader("log"))
}

#[track_caller]
fn is_found(verdict: &Verdict, kind: FindingKind, class: Class, seq: u64, to: Option<u64>) {
    let found = verdict.findings.iter().any(|it| (it.kind, it.class, it.seq, it.to) == (kind, class, Some(seq), to));
    assert!(found, "{:#?}", verdict.findings);
}

#[test]
fn a_row_that_a_superuser_updates_is_named() {
    let place = signed();
    assert_eq!(verdict(&place).judgement().to_string(), "intact");
    unguarded(
        &place,
        "UPDATE SCHEMA.lines SET line = replace(line, 'ledger/7', 'ledger/8') WHERE line LIKE '%ledger/7\"%'",
    );
    let seq = place.superuser("SELECT min(seq) FROM SCHEMA.lines WHERE line LIKE '%ledger/8\"%'").parse().unwrap();
    let verdict = verdict(&place);
    assert_eq!(verdict.judgement().to_string(), "tampered");
    is_found(&verdict, FindingKind::Edited, Class::Tamper, seq, None);
    is_found(&verdict, FindingKind::Edited, Class::Warning, seq, None);
}

#[test]
fn rows_that_a_superuser_deletes_are_named() {
    let place = signed();
    unguarded(&place, "DELETE FROM SCHEMA.lines WHERE seq BETWEEN 5 AND 7");
    is_found(&verdict(&place), FindingKind::Missing, Class::Tamper, 5, Some(7));
}

#[test]
fn a_tail_that_a_superuser_cuts_off_is_named_and_not_opened() {
    let place = signed();
    unguarded(&place, "DELETE FROM SCHEMA.lines WHERE seq > 15");
    let verdict = verdict(&place);
    assert!(verdict.findings.iter().any(|it| it.kind == FindingKind::Truncated), "{:#?}", verdict.findings);
    assert!(verdict.findings.iter().any(|it| it.kind == FindingKind::Hidden && it.seq == Some(16)));
    let error = place.writer("log").open(soon()).unwrap_err();
    assert!(matches!(error, BackendError::Tampered { seq: Some(16), .. }), "{error:?}");
}

#[test]
fn a_tail_that_is_cut_off_with_its_head_contradicts_the_checkpoint() {
    let place = signed();
    unguarded(&place, "DELETE FROM SCHEMA.lines WHERE seq > 15; UPDATE SCHEMA.heads SET next_seq = 16");
    let error = place.writer("log").open(soon()).unwrap_err();
    assert!(matches!(&error, BackendError::Tampered { detail, .. } if detail.contains("checkpoint says")), "{error:?}");
}

#[test]
fn an_edited_last_line_does_not_fit_the_head_row() {
    let place = signed();
    unguarded(
        &place,
        "UPDATE SCHEMA.lines SET line = replace(line, '\"time\":\"2', '\"time\":\"3') WHERE seq = (SELECT max(seq) FROM SCHEMA.lines)",
    );
    let error = place.writer("log").open(soon()).unwrap_err();
    assert!(matches!(&error, BackendError::Tampered { detail, .. } if detail.contains("head row")), "{error:?}");
}

#[test]
fn rows_behind_the_head_are_refused_and_named() {
    let place = signed();
    let size: u64 = place.superuser("SELECT next_seq FROM SCHEMA.heads").parse().unwrap();
    unguarded(&place, "INSERT INTO SCHEMA.lines (log, seq, line) SELECT 'log', next_seq, '{}' FROM SCHEMA.heads");
    assert!(matches!(place.writer("log").open(soon()), Err(BackendError::Tampered { .. })));
    is_found(&verdict(&place), FindingKind::Inserted, Class::Tamper, size, None);
}

#[test]
fn a_row_behind_the_head_stops_a_writer_that_is_open() {
    let place = Place::shared();
    let mut writer = place.created("log");
    let sample = audit_core::conformance::Sample::after(audit_core::backend::Head::EMPTY).lines(2, "mine");
    unguarded(&place, "INSERT INTO SCHEMA.lines (log, seq, line) VALUES ('log', 1, 'x')");
    let error = writer.append(sample.before(), &sample.batch(), soon()).unwrap_err();
    assert!(matches!(error, BackendError::Tampered { .. }), "{error:?}");
}

#[test]
fn a_log_whose_head_row_was_deleted_is_read_all_the_same() {
    let place = signed();
    unguarded(&place, "DELETE FROM SCHEMA.heads");
    let verdict = verdict(&place);
    assert_eq!(verdict.judgement().to_string(), "tampered");
    assert!(verdict.findings.iter().any(|it| it.kind == FindingKind::Hidden && it.detail.contains("head row")));
    assert!(matches!(place.writer("log").open(soon()), Err(BackendError::Tampered { .. })));
}

#[test]
fn a_column_that_contradicts_its_line_is_a_warning() {
    let place = signed();
    unguarded(&place, "UPDATE SCHEMA.lines SET action = 'something.harmless' WHERE seq = 9");
    let verdict = verdict(&place);
    assert_eq!(verdict.judgement().to_string(), "intact");
    is_found(&verdict, FindingKind::Edited, Class::Warning, 9, None);
}

/// The kinds and numbers of what counts as tampering.
fn tampered(verdict: &Verdict) -> Vec<(FindingKind, Option<u64>)> {
    verdict.findings.iter().filter(|it| it.class == Class::Tamper).map(|it| (it.kind, it.seq)).collect()
}

#[test]
fn a_row_with_a_line_feed_is_one_line_that_is_no_record() {
    for (line, warned) in [
        ("line || E'\\n' || line", true),
        ("line || E'\\n'", true),
        ("E'\\n' || line", true),
        ("replace(line, 'ledger/', E'ledger/\\n')", true),
    ] {
        let place = signed();
        unguarded(
            &place,
            &format!(
                "ALTER TABLE SCHEMA.lines DROP CONSTRAINT IF EXISTS lines_line_check; UPDATE SCHEMA.lines SET line = {line} WHERE seq = 5"
            ),
        );
        let verdict = verdict(&place);
        assert_eq!(verdict.judgement().to_string(), "tampered", "{line}");
        let found = tampered(&verdict);
        assert!(!found.is_empty() && found.iter().all(|(_, seq)| *seq == Some(5)), "{line}: {:#?}", verdict.findings);
        let warning = verdict.findings.iter().any(|it| it.class == Class::Warning && it.detail.contains("no record"));
        assert_eq!(warning, warned, "{line}: {:#?}", verdict.findings);
        let mut writer = place.writer("log");
        writer.open(soon()).unwrap();
        let read = writer.read(5..6, soon());
        assert!(matches!(read, Err(BackendError::Tampered { seq: Some(5), .. })), "{read:?}");
    }
}

#[test]
fn the_table_takes_no_row_that_is_not_one_line() {
    let place = signed();
    for line in ["E'a\\nb'", "repeat('x', 65536)"] {
        let insert = format!("INSERT INTO SCHEMA.lines (log, seq, line) VALUES ('log', 99, {line})");
        assert!(place.attempt("admin", &insert).unwrap_err().contains("lines_line_check"), "{line}");
    }
}

#[test]
fn a_row_without_bounds_is_named_and_not_read_whole() {
    let place = signed();
    unguarded(
        &place,
        "ALTER TABLE SCHEMA.lines DROP CONSTRAINT IF EXISTS lines_line_check;
         UPDATE SCHEMA.lines SET line = repeat('x', 200000000), resource = repeat('y', 200000000) WHERE seq = 5",
    );
    let before = peak();
    let verdict = verdict(&place);
    assert!(tampered(&verdict).contains(&(FindingKind::Malformed, Some(5))), "{:#?}", verdict.findings);
    let named = |it: &audit_core::verify::Finding| it.seq == Some(5) && it.detail.contains("more than a record");
    assert!(verdict.findings.iter().any(named), "{:#?}", verdict.findings);
    assert!(peak() - before < 150_000, "{} KiB more", peak() - before);
}

/// The most memory that this process ever had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
