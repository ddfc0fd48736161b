//! The verifier on logs that the writer wrote: open, live, closed, cut off, opened again.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use audit_core::backend::FileReader;
use audit_core::verify::FindingKind::{Hidden, OutcomeUnknown, Recovered, TornTail, UnsignedTail};
use audit_core::verify::{Judgement, Verdict, Verifier, check, prove};
use audit_core::{Actor, AuditLog, Event, File, Key, Outcome};

const ORIGIN: &str = "payments.example.com/prod-1";

fn open(dir: &Path, key: &Key) -> AuditLog {
    AuditLog::builder(ORIGIN).key(key.clone()).backend(File::new(dir).segment_bytes(64 << 10)).open().expect("a log")
}

async fn calls(log: &AuditLog, count: usize) {
    for call in 0..count {
        let event = Event::action("POST /v1/refunds/{id}")
            .resource(format!("/v1/refunds/{call}"))
            .actor(Actor::service_account("settler"));
        let activity = log.begin(&event).await.expect("recorded");
        activity.finish(Outcome::http(201));
    }
}

fn verdict(dir: &Path, key: &Key) -> Verdict {
    let reader = FileReader::open(dir).expect("a log");
    let verdict = Verifier::new().key(key.verifier().clone()).now(SystemTime::now()).run(&reader);
    println!("{}", verdict.to_json());
    verdict
}

/// A copy as a crash, or a backup of a running log, leaves it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    // The checkpoint first, like every reader of a live log.
    let mut entries: Vec<_> = fs::read_dir(from).expect("entries").map(|entry| entry.expect("entry").path()).collect();
    entries.sort_by_key(|path| path.ends_with("segments"));
    for path in entries {
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("copied");
        }
    }
}

#[tokio::test]
async fn a_closed_log_is_intact_and_each_of_its_records_can_be_proved() {
    let dir = tempfile::tempdir().expect("a directory");
    let key = Key::generate(ORIGIN).expect("a key");
    let place = dir.path().join("log");
    let log = open(&place, &key);
    calls(&log, 700).await;
    log.close(Duration::from_secs(30)).await.expect("closed");
    let verdict = verdict(&place, &key);
    assert_eq!(verdict.findings, []);
    assert_eq!((verdict.records, verdict.signed), (1_402, 1_402));
    let reader = FileReader::open(&place).expect("a log");
    for seq in [0, 1, 255, 256, 700, 1_279, 1_280, 1_401] {
        let proof = prove(&reader, seq).expect("a proof");
        assert!(check(&proof, key.verifier()).is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_being_written_is_never_called_tampered() {
    let dir = tempfile::tempdir().expect("a directory");
    let key = Key::generate(ORIGIN).expect("a key");
    let place = dir.path().join("log");
    let log = AuditLog::builder(ORIGIN)
        .key(key.clone())
        .backend(File::new(&place).segment_bytes(64 << 10))
        .tune(|limits| limits.checkpoint_records = 3)
        .open()
        .expect("a log");
    let writer = {
        let log = log.clone();
        tokio::spawn(async move { calls(&log, 600).await })
    };
    let mut looks = 0;
    while !writer.is_finished() || looks < 3 {
        let found = verdict(&place, &key);
        assert_eq!(found.judgement(), Judgement::Intact, "{:?}", found.findings);
        looks += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    writer.await.expect("written");
    log.close(Duration::from_secs(30)).await.expect("closed");
    assert_eq!(verdict(&place, &key).findings, []);
}

#[tokio::test]
async fn what_a_crash_leaves_is_intact_and_what_the_next_writer_makes_of_it_too() {
    let dir = tempfile::tempdir().expect("a directory");
    let key = Key::generate(ORIGIN).expect("a key");
    let (place, crashed) = (dir.path().join("log"), dir.path().join("crashed"));
    let log = open(&place, &key);
    calls(&log, 50).await;
    let running = log.begin(&Event::action("POST /v1/slow")).await.expect("recorded");
    copy(&place, &crashed);
    let segment = fs::read_dir(crashed.join("segments")).expect("segments").next().expect("one").expect("one").path();
    let mut bytes = fs::read(&segment).expect("read");
    bytes.extend_from_slice(b"{\"v\":1,\"seq\":1");
    fs::write(&segment, bytes).expect("written");

    let found = verdict(&crashed, &key);
    assert_eq!(found.judgement(), Judgement::Intact, "{:?}", found.findings);
    let kinds = |verdict: &Verdict| verdict.findings.iter().map(|finding| finding.kind).collect::<Vec<_>>();
    assert!(kinds(&found).contains(&TornTail));

    let again = open(&crashed, &key);
    calls(&again, 5).await;
    again.close(Duration::from_secs(30)).await.expect("closed");
    let found = verdict(&crashed, &key);
    assert_eq!(found.judgement(), Judgement::Intact, "{:?}", found.findings);
    assert!(kinds(&found).contains(&Recovered) && kinds(&found).contains(&OutcomeUnknown));
    assert!(!kinds(&found).contains(&UnsignedTail) && !kinds(&found).contains(&TornTail));
    running.finish(Outcome::http(200));
    log.close(Duration::from_secs(30)).await.expect("closed");
}

#[tokio::test]
async fn an_older_copy_put_in_its_place_is_found_by_what_was_kept_elsewhere() {
    let dir = tempfile::tempdir().expect("a directory");
    let key = Key::generate(ORIGIN).expect("a key");
    let (place, older) = (dir.path().join("log"), dir.path().join("older"));
    let log = open(&place, &key);
    calls(&log, 10).await;
    log.close(Duration::from_secs(30)).await.expect("closed");
    copy(&place, &older);
    let log = open(&place, &key);
    calls(&log, 10).await;
    log.close(Duration::from_secs(30)).await.expect("closed");
    let kept = fs::read(place.join("checkpoint")).expect("a checkpoint");
    let kept = audit_core::evidence::SignedCheckpoint::parse(&kept).expect("a checkpoint");
    let reader = FileReader::open(&older).expect("a log");
    let unaware = Verifier::new().key(key.verifier().clone()).run(&reader);
    assert_eq!(unaware.judgement(), Judgement::Intact, "nothing in it contradicts the rollback");
    let aware = Verifier::new().key(key.verifier().clone()).against(kept).run(&reader);
    assert_eq!(aware.judgement(), Judgement::Tampered);
    assert!(!aware.findings.iter().any(|finding| finding.kind == Hidden));
}
