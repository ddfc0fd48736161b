//! Many logs and their copies, judged together.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod sample;

use std::cell::Cell;
use std::fs;
use std::path::Path;

use audit_core::backend::FileReader;
use audit_core::verify::{
    Class, FindingKind, Fleet, FleetFinding, FleetVerdict, Judgement, LogAt, Progress, ReadError,
};
use sample::{LOG_ID, Log, ORIGIN, OTHER_ID, OnDisk, key_of, other_key};

/// The log in a directory, under a name that does not change from run to run.
fn at<'a>(location: &str, disk: &OnDisk) -> LogAt<'a> {
    in_dir(location, disk.path())
}

fn in_dir<'a>(location: &str, dir: &Path) -> LogAt<'a> {
    let dir = dir.to_owned();
    LogAt::new(location, move || Ok(Box::new(FileReader::open(&dir)?)))
}

/// A log with another id that the same key signs.
fn sibling() -> Log {
    let mut log = Log::new(key_of(OTHER_ID));
    for call in 0..6 {
        log.call(call);
    }
    log.close();
    log.signed = vec![5, log.lines.len() as u64];
    log
}

/// The first `size` lines of a log, signed to its end.
fn cut(log: &Log, size: usize) -> Log {
    let mut log = log.clone();
    log.lines.truncate(size);
    log.signed = vec![size as u64];
    log.segments = vec![0];
    log
}

fn pinned<'a>(fleet: Fleet<'a>) -> Fleet<'a> {
    fleet.key(key_of(LOG_ID).verifier().with_name(ORIGIN).expect("a name"))
}

type Found = (FindingKind, Class, Option<u64>, Option<u64>);

fn found(verdict: &FleetVerdict) -> Vec<Found> {
    let of = |found: &FleetFinding| {
        let finding = &found.finding;
        (finding.kind, finding.class, finding.seq, finding.to)
    };
    verdict.findings.iter().map(of).collect()
}

#[test]
fn one_key_verifies_every_log_of_a_fleet() {
    let (one, other) = (Log::sample().write(), sibling().write());
    let verdict = pinned(Fleet::of([at("a", &one), at("b", &other)])).run();
    assert_eq!(verdict.judgement(), Judgement::Intact);
    assert_eq!(found(&verdict), []);
    let names: Vec<_> =
        verdict.logs.iter().map(|log| (log.log.clone().expect("a name"), log.location.as_str())).collect();
    assert_eq!(names, [(format!("{ORIGIN}/{LOG_ID}"), "a"), (format!("{ORIGIN}/{OTHER_ID}"), "b")]);
    assert!(verdict.logs.iter().all(|log| log.verdict.findings.is_empty() && !log.replica));
}

#[test]
fn one_bad_log_makes_the_fleet_tampered_and_one_unreadable_log_unverifiable() {
    let (one, mut other) = (Log::sample().write(), sibling());
    other.replace(3, "POST", "PUT_");
    let other = other.write();
    // What is on disk was changed after it was signed.
    sibling().write_heads(other.path());
    let verdict = pinned(Fleet::of([at("a", &one), at("b", &other)])).run();
    assert_eq!(verdict.judgement(), Judgement::Tampered);

    let gone = LogAt::new("c", || Err(ReadError::unavailable("asking", std::io::Error::other("nobody answers"))));
    let verdict = pinned(Fleet::of([at("a", &one), gone])).run();
    assert_eq!(verdict.judgement(), Judgement::Unverifiable);
    let unread = verdict.logs.last().expect("two logs");
    assert_eq!((unread.log.as_deref(), unread.location.as_str()), (None, "c"));
    assert!(unread.verdict.findings[0].detail.contains("nobody answers"));
}

#[test]
fn an_equal_copy_is_nothing_to_speak_of() {
    let (log, copy) = (Log::sample().write(), Log::sample().write());
    let verdict = pinned(Fleet::only(at("here", &log)).replica("there", [at("there", &copy)])).run();
    assert_eq!((verdict.judgement(), found(&verdict)), (Judgement::Intact, vec![]));
    assert_eq!(verdict.logs.iter().map(|log| log.replica).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_replica_that_is_behind_is_information_with_the_records_that_it_lacks() {
    let (log, copy) = (Log::sample().write(), cut(&Log::sample(), 8).write());
    let verdict = pinned(Fleet::only(at("here", &log)).replica("there", [at("there", &copy)])).run();
    assert_eq!(verdict.judgement(), Judgement::Intact);
    assert_eq!(found(&verdict), [(FindingKind::Behind, Class::Info, Some(8), Some(10))]);
    let finding = &verdict.findings[0];
    assert!(finding.finding.detail.contains("3 records"), "{}", finding.finding.detail);
    assert_eq!(finding.locations, ["here", "there"]);
    assert_eq!(finding.log, Some(format!("{ORIGIN}/{LOG_ID}")));
}

#[test]
fn a_log_that_is_shorter_than_its_replica_is_truncated() {
    let (log, copy) = (cut(&Log::sample(), 8).write(), Log::sample().write());
    let verdict = pinned(Fleet::only(at("here", &log)).replica("there", [at("there", &copy)])).run();
    assert_eq!(verdict.judgement(), Judgement::Tampered);
    assert_eq!(found(&verdict), [(FindingKind::Truncated, Class::Tamper, Some(8), Some(10))]);
    let detail = &verdict.findings[0].finding.detail;
    assert!(detail.contains("`here`") && detail.contains("`there`"), "{detail}");
    // Each of the two is intact by itself.
    assert!(verdict.logs.iter().all(|log| log.verdict.judgement() == Judgement::Intact));
}

#[test]
fn a_log_that_grew_while_its_replica_was_read_is_not_truncated() {
    let (short, long) = (cut(&Log::sample(), 8).write(), Log::sample().write());
    // The third time it is opened, to be looked at again, it has grown.
    let opened = Cell::new(0);
    let log = LogAt::new("here", || {
        opened.set(opened.get() + 1);
        Ok(Box::new(if opened.get() < 3 { short.reader() } else { long.reader() }))
    });
    let verdict = pinned(Fleet::only(log).replica("there", [at("there", &long)])).run();
    assert_eq!((verdict.judgement(), found(&verdict)), (Judgement::Intact, vec![]));
}

#[test]
fn stores_with_other_bytes_are_forked_from_the_first_record_that_differs() {
    for (first, sizes) in [(3, [4, 8, 11]), (7, [4, 8, 11]), (10, [4, 8, 11]), (0, [4, 8, 11])] {
        let log = Log::sample();
        let mut other = log.clone();
        // Whoever has the key writes another history, and signs it.
        other.replace(first, "\"kind\":", "\"kind\":\"alert\",\"was\":");
        other.rechain(first + 1);
        other.signed = sizes.to_vec();
        let (log, other) = (log.write(), other.write());
        let verdict = pinned(Fleet::only(at("here", &log)).replica("there", [at("there", &other)])).run();
        assert_eq!(verdict.judgement(), Judgement::Tampered);
        let seqs: Vec<_> = found(&verdict).into_iter().filter(|found| found.0 == FindingKind::Forked).collect();
        if first == 0 {
            // Without its first record the copy is known by its checkpoint.
            assert_eq!(seqs.first().map(|found| found.2), Some(Some(0)), "{verdict:?}");
        } else {
            assert_eq!(seqs, [(FindingKind::Forked, Class::Tamper, Some(first as u64), None)]);
        }
    }
}

#[test]
fn a_fork_in_what_nobody_has_signed_yet_is_found_in_the_lines() {
    let mut log = Log::sample();
    log.signed = vec![4];
    let mut other = log.clone();
    other.replace(9, "ledger.rotate", "ledger.delete");
    other.rechain(10);
    let (log, other) = (log.write(), other.write());
    let verdict = pinned(Fleet::only(at("here", &log)).replica("there", [at("there", &other)])).run();
    assert_eq!(found(&verdict), [(FindingKind::Forked, Class::Tamper, Some(9), None)]);
}

#[test]
fn two_places_of_one_fleet_are_compared_too() {
    let log = Log::sample();
    let mut other = cut(&log, 9);
    let verdict = pinned(Fleet::of([at("b", &other.write()), at("a", &log.write())])).run();
    assert_eq!(found(&verdict), [(FindingKind::Behind, Class::Info, Some(9), Some(10))]);

    other.replace(5, "POST", "PUT_");
    other.rechain(6);
    let verdict = pinned(Fleet::of([at("b", &other.write()), at("a", &log.write())])).run();
    assert_eq!(found(&verdict), [(FindingKind::Forked, Class::Tamper, Some(5), None)]);
}

#[test]
fn copies_are_found_by_the_name_of_the_log() {
    let (one, other) = (Log::sample(), sibling());
    let verdict = pinned(
        Fleet::of([at("a", &one.write()), at("b", &other.write())])
            .replica("copies", [at("copies/y", &other.write()), at("copies/x", &one.write())]),
    )
    .run();
    assert_eq!((verdict.judgement(), found(&verdict)), (Judgement::Intact, vec![]));
}

#[test]
fn a_store_without_a_copy_is_a_warning_and_a_log_that_only_a_store_has_is_gone() {
    let (one, other) = (Log::sample(), sibling());
    let verdict = pinned(Fleet::of([at("a", &one.write())]).replica("copies", [at("copies/b", &other.write())])).run();
    assert_eq!(
        found(&verdict),
        [(FindingKind::Vanished, Class::Tamper, None, None), (FindingKind::Behind, Class::Warning, None, None)]
    );
    assert_eq!(verdict.findings[0].log, Some(format!("{ORIGIN}/{OTHER_ID}")));

    // What else a store holds does not concern a single log.
    let verdict = pinned(Fleet::only(at("a", &one.write())).replica("copies", [at("copies/b", &other.write())])).run();
    assert_eq!(verdict.judgement(), Judgement::Unverifiable, "nothing was compared");
    assert_eq!(found(&verdict), [(FindingKind::Unverifiable, Class::Warning, None, None)]);
    assert_eq!(verdict.logs.len(), 1);
}

#[test]
fn a_place_that_is_named_as_a_copy_and_holds_another_log_is_forked() {
    let (one, other) = (Log::sample(), sibling());
    let verdict = pinned(Fleet::only(at("a", &one.write())).replica("copy", [at("copy", &other.write())])).run();
    assert_eq!(verdict.judgement(), Judgement::Tampered);
    assert_eq!(found(&verdict)[0], (FindingKind::Forked, Class::Tamper, None, None));
}

#[test]
fn a_copy_that_cannot_be_read_leaves_the_question_open() {
    let log = Log::sample().write();
    let dead = LogAt::new("there", || Err(ReadError::unavailable("asking", std::io::Error::other("nobody answers"))));
    let verdict = pinned(Fleet::only(at("here", &log)).replica("there", [dead])).run();
    assert_eq!((verdict.judgement(), found(&verdict)), (Judgement::Unverifiable, vec![]));
}

#[test]
fn a_copy_that_can_be_read_only_the_second_time_does_not_pass_uncompared() {
    let log = Log::sample().write();
    let mut forged = Log::sample();
    forged.replace(3, "POST", "PUT_");
    forged.rechain(4);
    let forged = forged.write();
    let opened = Cell::new(0);
    let flaky = LogAt::new("there", || {
        opened.set(opened.get() + 1);
        match opened.get() {
            1 => Err(ReadError::unavailable("asking", std::io::Error::other("not yet"))),
            _ => Ok(Box::new(forged.reader())),
        }
    });
    let verdict = pinned(Fleet::only(at("here", &log)).replica("there", [flaky])).run();
    assert_eq!(verdict.judgement(), Judgement::Unverifiable);
}

#[test]
fn of_a_log_that_is_gone_the_longest_copy_counts() {
    let (long, short) = (Log::sample().write(), cut(&Log::sample(), 9).write());
    let verdict =
        pinned(Fleet::of([]).replica("one", [at("one/a", &short)]).replica("two", [at("two/a", &long)])).run();
    assert_eq!(
        found(&verdict),
        [(FindingKind::Vanished, Class::Tamper, None, None), (FindingKind::Behind, Class::Info, Some(9), Some(10))]
    );
}

#[test]
fn a_log_that_has_fallen_silent_is_named_and_its_lagging_copy_is_not() {
    let mut log = Log::new(key_of(LOG_ID));
    log.call(0);
    log.signed = vec![3];
    log.pass(200_000);
    let verdict = pinned(
        Fleet::of([at("a", &log.write()), at("b", &sibling().write())])
            .replica("copies", [at("copies/a", &log.write()), at("copies/b", &sibling().write())])
            .now(log.now()),
    )
    .run();
    assert_eq!(verdict.judgement(), Judgement::Intact);
    assert_eq!(found(&verdict), [(FindingKind::Silent, Class::Warning, None, None)]);
    assert_eq!(verdict.findings[0].locations, ["a"]);
    let copy = verdict.logs.iter().find(|log| log.location == "copies/a").expect("the copy");
    assert_eq!(copy.verdict.findings, []);
}

#[test]
fn a_checkpoint_from_elsewhere_goes_to_the_log_that_it_names() {
    let (one, other) = (Log::sample(), sibling());
    let kept = other.checkpoint(13);
    let one = one.write();
    let verify = |other: &Log| pinned(Fleet::of([at("a", &one), at("b", &other.write())])).against(kept.clone()).run();
    assert_eq!(verify(&other).judgement(), Judgement::Intact);
    let verdict = verify(&cut(&other, 9));
    let short = verdict.logs.iter().find(|log| log.location == "b").expect("the log");
    assert_eq!(short.verdict.findings[0].kind, FindingKind::Truncated);

    let verdict = pinned(Fleet::of([at("a", &one)])).against(kept.clone()).run();
    assert_eq!(found(&verdict), [(FindingKind::Vanished, Class::Tamper, None, None)]);
    // Without the key nobody knows whether there ever was such a log.
    let verdict = Fleet::of([at("a", &one)]).against(kept).run();
    assert_eq!(verdict.judgement(), Judgement::Unverifiable);
}

#[test]
fn a_log_with_another_key_does_not_pass_as_one_of_the_fleet() {
    let mut forged = Log::new(other_key(OTHER_ID));
    forged.close();
    forged.signed = vec![2];
    let verdict = pinned(Fleet::of([at("a", &Log::sample().write()), at("b", &forged.write())])).run();
    assert_eq!(verdict.judgement(), Judgement::Tampered);
}

#[test]
fn progress_adds_up_over_all_logs() {
    let mut last = Progress::default();
    let mut told = |progress: Progress| {
        assert!(progress.records >= last.records);
        last = progress;
    };
    let (one, other) = (Log::sample().write(), sibling().write());
    let _ = pinned(Fleet::of([at("a", &one), at("b", &other)])).progress(&mut told).run();
    assert_eq!(last.records, 11 + 14);
}

#[test]
fn a_fleet_without_a_log_is_not_called_intact() {
    let verdict = Fleet::of([]).run();
    assert_eq!((verdict.judgement(), verdict.logs.len()), (Judgement::Unverifiable, 0));
    assert_eq!(
        verdict.to_json(),
        "{\"verdict\":\"unverifiable\",\"logs\":[],\"findings\":[{\"kind\":\"unverifiable\",\
         \"class\":\"warning\",\"detail\":\"there is no log to verify\",\"locations\":[]}]}"
    );
}

#[test]
fn the_json_of_a_fleet_holds_the_verdict_on_each_log() {
    let (log, copy) = (Log::sample(), cut(&Log::sample(), 9));
    let verdict = pinned(Fleet::only(at("he\"re", &log.write())).replica("there", [at("there", &copy.write())])).run();
    let name = format!("{ORIGIN}/{LOG_ID}");
    let one = |log: &Log, size: u64, location: &str, replica: bool| {
        format!(
            "{{\"verdict\":\"intact\",\"key\":\"pinned\",\"records\":{size},\"signed\":{size},\"root\":\"{}\",\
             \"findings\":[],\"log\":\"{name}\",\"location\":\"{location}\",\"replica\":{replica}}}",
            log.root(size).to_base64()
        )
    };
    let expected = format!(
        "{{\"verdict\":\"intact\",\"logs\":[{},{}],\"findings\":[{{\"kind\":\"behind\",\"class\":\"info\",\
         \"seq\":9,\"to\":10,\"detail\":\"the replica at `there` is 2 records of the log {name} behind `he\\\"re`\",\
         \"log\":\"{name}\",\"locations\":[\"he\\\"re\",\"there\"]}}]}}",
        one(&log, 11, "he\\\"re", false),
        one(&copy, 9, "there", true)
    );
    assert_eq!(verdict.to_json(), expected);
}

#[test]
fn a_log_of_which_nothing_says_what_it_is_is_judged_by_itself() {
    let empty = OnDisk::empty();
    fs::create_dir(empty.path().join("segments")).expect("a directory");
    let verdict = pinned(Fleet::of([at("a", &Log::sample().write()), at("b", &empty)])).run();
    let last = verdict.logs.last().expect("two");
    assert_eq!((last.log.as_deref(), last.verdict.judgement()), (None, Judgement::Unverifiable));
    assert_eq!((verdict.judgement(), found(&verdict)), (Judgement::Unverifiable, vec![]));
}
