//! What becomes of the copies in replicas, and what they say of a log that no longer says its name.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod sample;

use std::fs;
use std::time::Duration;

use audit_core::backend::FileReader;
use audit_core::verify::{Class, Copies, FindingKind, Fleet, FleetState, FleetVerdict, Judgement, LogAt, ReadError};
use sample::{LOG_ID, Log, ORIGIN, OTHER_ID, OnDisk, key_of};

fn at<'a>(location: &str, disk: &OnDisk) -> LogAt<'a> {
    let dir = disk.path().to_owned();
    LogAt::new(location, move || Ok(Box::new(FileReader::open(&dir)?)))
}

fn run(fleet: Fleet<'_>) -> FleetVerdict {
    fleet.key(key_of(LOG_ID).verifier().with_name(ORIGIN).expect("a name")).run()
}

fn found(verdict: &FleetVerdict) -> Vec<(FindingKind, Class)> {
    verdict.findings.iter().map(|found| (found.finding.kind, found.finding.class)).collect()
}

/// A directory with a place for lines, and nothing in it.
fn emptied() -> OnDisk {
    let disk = OnDisk::empty();
    fs::create_dir(disk.path().join("segments")).expect("a directory");
    disk
}

fn cut(size: usize) -> Log {
    let mut log = Log::sample();
    log.lines.truncate(size);
    log.signed = vec![size as u64];
    log.segments = vec![0];
    log
}

fn sibling() -> Log {
    let mut log = Log::new(key_of(OTHER_ID));
    log.call(0);
    log.close();
    log.signed = vec![4];
    log
}

#[test]
fn a_log_that_was_emptied_has_vanished_when_a_place_named_as_its_copy_has_records() {
    let copy = Log::sample().write();
    let verdict = run(Fleet::only(at("here", &emptied())).replica("there", [at("there", &copy)]));
    assert_eq!(
        (verdict.judgement(), found(&verdict)),
        (Judgement::Tampered, vec![(FindingKind::Vanished, Class::Tamper)])
    );
    let vanished = &verdict.findings[0];
    assert_eq!(vanished.log, Some(format!("{ORIGIN}/{LOG_ID}")));
    assert!(vanished.finding.detail.contains("`there` has 11"), "{}", vanished.finding.detail);
    assert!(verdict.logs.iter().any(|log| log.replica), "the copy is verified too");
}

#[test]
fn a_log_without_a_name_is_not_passed_over_in_silence_by_a_store_of_many() {
    let (copy, other) = (Log::sample().write(), sibling().write());
    let copies = [at("copies/a", &copy), at("copies/b", &other)];
    let verdict = run(Fleet::only(at("here", &emptied())).replica("copies", copies));
    assert_eq!(verdict.judgement(), Judgement::Unverifiable);
    assert_eq!(found(&verdict), [(FindingKind::Unverifiable, Class::Warning)]);
}

#[test]
fn a_copy_that_was_emptied_leaves_the_question_open() {
    let log = Log::sample().write();
    let verdict = run(Fleet::only(at("here", &log)).replica("there", [at("there", &emptied())]));
    assert_eq!(verdict.judgement(), Judgement::Unverifiable);
}

#[test]
fn another_log_in_the_place_of_a_copy_is_a_fork_however_the_place_is_spelled() {
    let (log, other) = (Log::sample().write(), sibling().write());
    let copies = |known_as: &str| Copies::new("there/", [at("there", &other).known_as("there")]).known_as(known_as);
    let verdict = run(Fleet::only(at("here", &log)).copies(copies("there")));
    assert_eq!(found(&verdict).first(), Some(&(FindingKind::Forked, Class::Tamper)));
    // Under a prefix it is somebody else's.
    let verdict = run(Fleet::only(at("here", &log)).copies(copies("elsewhere")));
    assert_eq!(found(&verdict), [(FindingKind::Unverifiable, Class::Warning)]);
}

#[test]
fn a_copy_that_lacks_signed_records_for_longer_than_the_heartbeat_is_a_warning() {
    let (log, copy) = (Log::sample(), cut(8).write());
    let verify = |log: &Log, millis: i64| {
        let disk = log.write();
        let mut later = log.clone();
        later.pass(millis);
        run(Fleet::only(at("here", &disk)).replica("there", [at("there", &copy)]).now(later.now()))
    };
    assert_eq!(found(&verify(&log, 59_000)), [(FindingKind::Behind, Class::Info)]);
    let verdict = verify(&log, 61_000);
    assert_eq!(found(&verdict), [(FindingKind::Behind, Class::Warning)]);
    assert!(verdict.findings[0].finding.detail.contains("more than the 60 s"), "{:?}", verdict.findings[0]);
    // What is not signed yet may still be on its way.
    let mut unsigned = log.clone();
    unsigned.signed = vec![4, 8];
    let verdict = verify(&unsigned, 61_000);
    assert_eq!(found(&verdict), [(FindingKind::Behind, Class::Info)]);
}

#[test]
fn the_lag_that_a_replica_may_have_is_applied() {
    let (log, disk, copy) = (Log::sample(), Log::sample().write(), cut(8).write());
    let verify = |copies: Copies<'static>| {
        let mut later = log.clone();
        later.pass(10_000);
        found(&run(Fleet::only(at("here", &disk)).copies(copies).now(later.now())))
    };
    let copies = || Copies::new("there", [at("there", &copy)]);
    let (info, warning) = ([(FindingKind::Behind, Class::Info)], [(FindingKind::Behind, Class::Warning)]);
    assert_eq!(verify(copies().lag_records(3)), info);
    assert_eq!(verify(copies().lag_records(2)), warning);
    assert_eq!(verify(copies().lag_time(Duration::from_secs(11))), info);
    assert_eq!(verify(copies().lag_time(Duration::from_secs(9))), warning);
}

/// A run over the sample and its copy, and what it keeps.
fn earlier() -> FleetState {
    let (log, copy) = (Log::sample().write(), Log::sample().write());
    let verdict = run(Fleet::of([at("logs/a", &log)]).replica("copies", [at("copies/a", &copy)]));
    assert_eq!((verdict.judgement(), found(&verdict)), (Judgement::Intact, vec![]));
    verdict.state
}

#[test]
fn what_was_seen_of_a_copy_is_kept_and_read_back() {
    let state = earlier();
    let (_, seen) = state.logs().next().expect("a log");
    let copies: Vec<_> = seen.copies.iter().map(|(place, copy)| (place.as_str(), copy.size, copy.signed)).collect();
    assert_eq!(copies, [("copies/a", 11, 11)]);
    assert_eq!(FleetState::parse(&state.to_text()), Ok(state.clone()));
    assert!(!state.knows("copies") && state.knows("logs/a") && state.knows("logs/") && !state.knows("log"));
}

#[test]
fn a_copy_that_was_rolled_back_since_the_last_run_is_truncated() {
    let (log, state) = (Log::sample().write(), earlier());
    let verify = |copy: &Log, state: FleetState| {
        run(Fleet::of([at("logs/a", &log)]).replica("copies", [at("copies/a", &copy.write())]).earlier(state))
    };
    let verdict = verify(&cut(8), state.clone());
    assert_eq!(verdict.judgement(), Judgement::Tampered);
    assert_eq!(found(&verdict), [(FindingKind::Truncated, Class::Tamper), (FindingKind::Behind, Class::Info)]);
    assert_eq!(verdict.findings[0].locations, ["copies/a"]);
    assert_eq!(verdict.state, state, "it stays so until the copy has all of it again");
    assert_eq!(verify(&Log::sample(), verdict.state).judgement(), Judgement::Intact);
}

#[test]
fn a_copy_that_is_gone_since_the_last_run_has_vanished_unless_its_store_was_not_asked_or_not_read() {
    let (log, other, state) = (Log::sample().write(), sibling().write(), earlier());
    let fleet = || Fleet::of([at("logs/a", &log), at("logs/b", &other)]).earlier(state.clone());
    let verdict = run(fleet().replica("copies", [at("copies/b", &other)]));
    assert_eq!(verdict.judgement(), Judgement::Tampered);
    assert_eq!(found(&verdict), [(FindingKind::Vanished, Class::Tamper), (FindingKind::Behind, Class::Warning)]);
    // One log alone is told of its own copy as well.
    let verdict =
        run(Fleet::only(at("logs/a", &log)).earlier(state.clone()).replica("copies", [at("copies/b", &other)]));
    assert_eq!(found(&verdict)[0], (FindingKind::Vanished, Class::Tamper));
    let verdict =
        run(Fleet::only(at("logs/b", &other)).earlier(state.clone()).replica("copies", [at("copies/b", &other)]));
    assert_eq!(found(&verdict), [], "the copies of others are not its own");

    assert_eq!(found(&run(fleet())), []);
    let dead = LogAt::new("copies", || Err(ReadError::unavailable("asking", std::io::Error::other("nobody answers"))));
    let verdict = run(fleet().replica("copies", [dead]));
    assert_eq!((verdict.judgement(), found(&verdict)), (Judgement::Unverifiable, vec![]));
}
