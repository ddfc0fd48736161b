//! What a log says of itself: losses, crashes, heartbeats, the clock.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod sample;

use std::time::Duration;

use audit_core::verify::FindingKind::{ClockStep, Coverage, Gap, OutcomeUnknown, Recovered, Silent, UnsignedTail};
use audit_core::verify::{Class, Finding, FindingKind, Judgement, Verdict, Verifier};
use sample::{LOG_ID, Log, found, key_of};

fn verdict_on(log: &mut Log) -> Verdict {
    log.signed = vec![log.lines.len() as u64];
    let verdict = log.write().verdict();
    assert_eq!(verdict.judgement(), Judgement::Intact);
    verdict
}

fn only(verdict: &Verdict, kind: FindingKind) -> &Finding {
    let found: Vec<_> = verdict.findings.iter().filter(|finding| finding.kind == kind).collect();
    assert_eq!(found.len(), 1, "{:?}", verdict.findings);
    found[0]
}

#[test]
fn a_gap_is_passed_on_in_words() {
    let mut log = Log::new(key_of(LOG_ID));
    let at = log.record(
        "gap",
        "\"lost\":\"intent\",\"count\":3,\"ran\":1,\"reason\":\"queue_full\",\"from\":\"2026-11-23T11:40:00.000000Z\",\"to\":\"2026-11-23T11:40:02.000000Z\",\"policy\":\"money\"",
    );
    log.close();
    let verdict = verdict_on(&mut log);
    let finding = only(&verdict, Gap);
    assert_eq!((finding.seq, finding.class), (Some(at as u64), Class::Warning));
    for word in ["3 records", "money", "queue_full", "1 of the calls went ahead"] {
        assert!(finding.detail.contains(word), "{}", finding.detail);
    }
}

#[test]
fn a_recovery_is_passed_on_and_weighs_more_when_something_was_cut() {
    for (bytes, class) in [(0, Class::Info), (57, Class::Warning)] {
        let mut log = Log::new(key_of(LOG_ID));
        let members = format!("\"signed\":0,\"adopted\":5,\"offset\":0,\"cut_bytes\":{bytes},\"cut_lines\":0");
        let at = log.record("log.recovered", &members);
        log.close();
        let verdict = verdict_on(&mut log);
        let finding = only(&verdict, Recovered);
        assert_eq!((finding.seq, finding.class), (Some(at as u64), class));
    }
}

#[test]
fn records_that_came_back_from_a_replica_are_a_warning_that_says_from_where() {
    let mut log = Log::new(key_of(LOG_ID));
    let members = "\"signed\":0,\"adopted\":5,\"offset\":0,\"cut_bytes\":0,\"cut_lines\":0,\"healed\":3,\"healed_from\":\"second\"";
    log.record("log.recovered", members);
    log.close();
    let verdict = verdict_on(&mut log);
    let finding = only(&verdict, Recovered);
    assert_eq!(finding.class, Class::Warning);
    assert_eq!(finding.detail, "3 records were gone from the primary and were copied back from `second`");
}

#[test]
fn an_intent_without_an_outcome_is_told() {
    let mut log = Log::new(key_of(LOG_ID));
    log.call(0);
    let lost = log.intent(1);
    log.call(2);
    log.open();
    let running = log.intent(3);
    let verdict = verdict_on(&mut log);
    let weights: Vec<_> = verdict
        .findings
        .iter()
        .filter(|finding| finding.kind == OutcomeUnknown)
        .map(|finding| (finding.seq, finding.class))
        .collect();
    assert_eq!(weights, [(Some(lost as u64), Class::Warning), (Some(running as u64), Class::Info)]);
}

#[test]
fn interleaved_calls_find_their_outcomes() {
    let mut log = Log::new(key_of(LOG_ID));
    for call in 0..50 {
        log.intent(call);
    }
    for call in (0..50).rev() {
        log.outcome(call);
    }
    log.close();
    assert_eq!(found(&verdict_on(&mut log)), []);
}

#[test]
fn many_intents_without_an_outcome_are_summed_up() {
    let mut log = Log::new(key_of(LOG_ID));
    for call in 0..500 {
        log.intent(call);
    }
    log.close();
    let verdict = verdict_on(&mut log);
    assert_eq!(verdict.findings.len(), 101);
    let last = verdict.findings.last().expect("a finding");
    assert_eq!((last.seq, last.to), (Some(101), Some(500)));
}

#[test]
fn an_outcome_without_an_intent_is_told() {
    let mut log = Log::new(key_of(LOG_ID));
    log.call(0);
    let stray = log.outcome(1);
    log.outcome(0);
    log.close();
    let verdict = verdict_on(&mut log);
    let finding = only(&verdict, Coverage);
    assert_eq!(finding.seq, Some(stray as u64));
    assert!(finding.detail.starts_with("2 outcomes"), "{}", finding.detail);
}

#[test]
fn outcomes_without_an_intent_are_as_many_as_the_gaps_tell_of() {
    for (ran, told) in [(2, None), (1, Some("1 outcomes")), (0, Some("2 outcomes"))] {
        let mut log = Log::new(key_of(LOG_ID));
        let first = log.outcome(0);
        log.record("heartbeat", "\"coverage\":{\"seen\":2,\"pending\":2}");
        log.record("gap", &format!("\"lost\":\"intent\",\"count\":2,\"ran\":{ran},\"reason\":\"deadline\""));
        log.outcome(1);
        log.record("log.closed", &format!("\"coverage\":{{\"seen\":2,\"lost\":{ran},\"refused\":{}}}", 2 - ran));
        let verdict = verdict_on(&mut log);
        let coverage: Vec<_> = verdict.findings.iter().filter(|finding| finding.kind == Coverage).collect();
        assert_eq!(coverage.len(), usize::from(told.is_some()), "{:?}", verdict.findings);
        for (finding, told) in coverage.iter().zip(told) {
            assert!(finding.detail.starts_with(told), "{}", finding.detail);
            assert!(finding.seq > Some(first as u64));
        }
    }
}

#[test]
fn counts_that_do_not_add_up_are_told() {
    let coverage = |seen: u64, recorded: u64, pending: u64| {
        format!(
            "\"coverage\":{{\"seen\":{seen},\"recorded\":{recorded},\"excluded\":1,\"refused\":1,\"lost\":0,\"pending\":{pending}}}"
        )
    };
    for (seen, recorded, pending, right) in [
        (4, 2, 0, true),
        (9, 2, 5, true),
        (9, 2, 4, false),
        (9, 2, 6, false),
        (3, 2, 0, false),
        (9, 3, 4, false),
        (9, 1, 6, false),
    ] {
        let mut log = Log::new(key_of(LOG_ID));
        log.call(0);
        log.call(1);
        let gap = log.record("gap", "\"lost\":\"event\",\"count\":1,\"ran\":0,\"reason\":\"deadline\"");
        let at = log.record("heartbeat", &coverage(seen, recorded, pending));
        log.close();
        let verdict = verdict_on(&mut log);
        let mut expected = vec![(Gap, Some(gap as u64), None), (Coverage, Some(at as u64), None)];
        expected.truncate(if right { 1 } else { 2 });
        assert_eq!(found(&verdict), expected, "{seen} {recorded} {pending}");
    }
}

#[test]
fn counts_start_anew_when_the_log_is_opened_again() {
    let mut log = Log::new(key_of(LOG_ID));
    log.call(0);
    log.call(1);
    log.close();
    log.open();
    log.call(2);
    let at = log.record("log.closed", "\"coverage\":{\"seen\":2,\"recorded\":2}");
    assert_eq!(found(&verdict_on(&mut log)), [(Coverage, Some(at as u64), None)]);
}

#[test]
fn a_clock_that_steps_back_is_a_warning() {
    let mut log = Log::new(key_of(LOG_ID));
    log.pass(3_600_000);
    log.event("a");
    log.pass(-1_800_000);
    let at = log.event("b");
    log.event("c");
    log.close();
    let verdict = verdict_on(&mut log);
    let finding = only(&verdict, ClockStep);
    assert_eq!((finding.seq, finding.class), (Some(at as u64), Class::Warning));
    assert!(finding.detail.contains("1799.993 s") || finding.detail.contains("1800"), "{}", finding.detail);
}

#[test]
fn times_that_overtake_each_other_by_a_little_are_no_step() {
    let mut log = Log::new(key_of(LOG_ID));
    for _ in 0..20 {
        log.pass(1_500);
        log.event("late");
        log.pass(-1_400);
        log.event("early");
    }
    log.close();
    assert_eq!(found(&verdict_on(&mut log)), []);
}

#[test]
fn silence_longer_than_a_heartbeat_is_a_warning_unless_the_log_was_closed() {
    let mut log = Log::new(key_of(LOG_ID));
    log.pass(50_000);
    log.event("in time");
    log.pass(100_000);
    let late = log.event("late");
    log.close();
    log.pass(10_000_000);
    log.open();
    log.close();
    let verdict = verdict_on(&mut log);
    assert_eq!(found(&verdict), [(Silent, Some(late as u64), None)]);
}

#[test]
fn a_log_that_has_fallen_silent_is_noticed_at_the_present_time() {
    let mut log = Log::new(key_of(LOG_ID));
    log.call(0);
    log.signed = vec![3];
    let disk = log.write();
    let at = |later: u64| {
        let verifier = Verifier::new().key(log.verifier_key()).now(log.now() + Duration::from_secs(later));
        found(&verifier.run(&disk.reader()))
    };
    assert_eq!(at(59), []);
    assert_eq!(at(600), [(Silent, Some(2), None)]);
    log.close();
    log.signed = vec![4];
    let closed = log.write();
    let verifier = Verifier::new().key(log.verifier_key()).now(log.now() + Duration::from_secs(600));
    assert_eq!(found(&verifier.run(&closed.reader())), []);
    assert_eq!(found(&disk.verdict()), [], "without a time nobody can tell");
}

#[test]
fn findings_on_a_log_full_of_them_are_bounded() {
    let mut log = Log::new(key_of(LOG_ID));
    for _ in 0..1_500 {
        log.record("gap", "\"count\":1");
    }
    log.close();
    let verdict = verdict_on(&mut log);
    assert_eq!(verdict.findings.len(), 1_001);
    assert!(verdict.findings.iter().any(|finding| finding.detail.starts_with("500 more")));
    assert!(!found(&verdict).contains(&(UnsignedTail, None, None)));
}
