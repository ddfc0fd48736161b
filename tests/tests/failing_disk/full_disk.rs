use std::fs;
use std::time::{Duration, Instant};

use audit_core::backend::{Backend, BackendError, Batch, Head};
use audit_core::conformance::{Sample, VERIFIER_KEY};
use audit_core::{Actor, AuditLog, Event, File, Key, Outcome, OutcomeResult, Refused};

use crate::disk::{Disk, lines};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[test]
fn a_full_disk_leaves_whole_lines_and_the_log_goes_on_when_there_is_room() {
    let disk = Disk::of_megabytes(32);
    let dir = disk.path().join("log");
    let mut file = File::new(&dir).min_free(0).segment_bytes(1 << 20);
    file.open(soon()).unwrap();
    file.create(VERIFIER_KEY, soon()).unwrap();
    let mut synchronizer = file.synchronizer().unwrap();
    let ballast = disk.fill(3 << 20);

    let mut head = Head::EMPTY;
    let mut all = Vec::new();
    let mut refusals = 0;
    for round in 0..2_000 {
        let sample = Sample::after(head).lines(10, &"x".repeat(2_000));
        match file.append(head, &sample.batch(), soon()) {
            Ok(_) => {
                head = sample.head();
                all.extend_from_slice(sample.bytes());
            }
            Err(error) => {
                assert!(matches!(error, BackendError::Full { .. }), "{error}");
                assert_eq!(file.head(soon()).unwrap(), head);
                assert_eq!(lines(&dir), all, "round {round}");
                refusals += 1;
                if refusals == 20 {
                    synchronizer.sync(soon()).unwrap();
                    fs::remove_file(&ballast).unwrap();
                }
            }
        }
        if refusals >= 20 && all.len() > 8 << 20 {
            break;
        }
    }
    assert!(refusals >= 20, "the disk was never full");
    assert!(all.len() > 8 << 20, "the log did not go on");
    synchronizer.sync(soon()).unwrap();
    drop((file, synchronizer));
    let opened = File::new(&dir).open(soon()).unwrap();
    assert_eq!(opened.head, head);
    assert_eq!(opened.recovery.unwrap().cut_bytes, 0);
}

#[test]
fn what_is_kept_free_is_there_for_outcomes() {
    let disk = Disk::of_megabytes(32);
    let mut file = File::new(disk.path().join("log")).min_free(8 << 20);
    file.open(soon()).unwrap();
    file.create(VERIFIER_KEY, soon()).unwrap();
    disk.fill(10 << 20);
    let mut head = Head::EMPTY;
    let text = "x".repeat(2_000);
    let full = loop {
        let sample = Sample::after(head).lines(10, &text);
        match file.append(head, &sample.batch(), soon()) {
            Ok(_) => head = sample.head(),
            Err(error) => break error,
        }
    };
    assert!(matches!(full, BackendError::Full { .. }), "{full}");
    for _ in 0..300 {
        let sample = Sample::after(head).lines(10, &text);
        let intents = sample.batch();
        let outcomes = Batch::new(intents.first, intents.bytes, intents.ends, intents.leaves, true);
        file.append(head, &outcomes, soon()).unwrap();
        head = sample.head();
    }
    assert!(head.size * 2_000 > 7 << 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_refused_while_the_disk_is_full_and_every_outcome_is_recorded() {
    const ORIGIN: &str = "payments.example.com/full";
    let disk = Disk::of_megabytes(64);
    let dir = disk.path().join("log");
    let log = tokio::task::block_in_place(|| {
        let key = Key::generate(ORIGIN).unwrap();
        AuditLog::builder(ORIGIN).key(key).backend(File::new(&dir).min_free(8 << 20)).open().unwrap()
    });
    let event = Event::action("ledger.rotate").actor(Actor::service_account("settler"));
    let mut open = Vec::new();
    for _ in 0..100 {
        open.push(log.begin(&event).await.unwrap());
    }
    let ballast = disk.fill(2 << 20);
    let refused = loop {
        match log.begin(&event).await {
            Ok(activity) => open.push(activity),
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, Refused::StorageFull { .. }), "{refused}");
    let ended = open.len();
    for activity in open {
        let receipt = activity.finish_durably(Outcome::new(OutcomeResult::Success)).await.unwrap();
        assert!(receipt.is_some());
    }
    assert!(log.begin(&event).await.is_err());

    fs::remove_file(ballast).unwrap();
    let activity = loop {
        if let Ok(activity) = log.begin(&event).await {
            break activity;
        }
    };
    activity.finish(Outcome::new(OutcomeResult::Success));
    log.close(Duration::from_secs(20)).await.unwrap();
    let text = String::from_utf8(lines(&dir)).unwrap();
    assert_eq!(text.matches("\"kind\":\"outcome\"").count(), ended + 1);
    assert!(text.lines().last().unwrap().contains("log.closed"));
}
