//! A log and its replica, verified together while both are written.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use audit_core::backend::FileReader;
use audit_core::log::Replica;
use audit_core::verify::{FindingKind, Fleet, FleetState, Judgement, LogAt};
use audit_core::{AuditLog, Event, File, Key, Outcome, OutcomeResult};

const ORIGIN: &str = "payments.example.com/prod-1";

fn at<'a>(dir: &Path) -> LogAt<'a> {
    let dir = dir.to_owned();
    LogAt::new(dir.display().to_string(), move || Ok(Box::new(FileReader::open(&dir)?)))
}

#[test]
fn a_log_that_is_written_and_its_replica_are_intact_at_every_moment() {
    let folder = tempfile::tempdir().expect("a directory");
    let (place, copy) = (folder.path().join("log"), folder.path().join("copy"));
    let key = Key::generate(ORIGIN).expect("a key");
    let file = |dir: &Path| File::new(dir).segment_bytes(64 << 10).min_free(0);
    let builder = AuditLog::builder(ORIGIN).key(key.clone()).backend(file(&place));
    let log = builder.replica(Replica::new(file(&copy))).open().expect("a log");
    let ended = Arc::new(AtomicBool::new(false));
    let writer = std::thread::spawn({
        let ended = Arc::clone(&ended);
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                while !ended.load(Ordering::Relaxed) {
                    let activity = log.begin(&Event::action("ledger.rotate")).await.expect("recorded");
                    activity.finish(Outcome::new(OutcomeResult::Success));
                }
                log.close(Duration::from_secs(30)).await.expect("closed");
            });
        }
    });
    let mut state = FleetState::default();
    let verify = |state: FleetState| {
        let fleet = Fleet::only(at(&place)).replica("copy", [at(&copy)]).key(key.verifier().clone());
        let verdict = fleet.earlier(state).now(SystemTime::now()).run();
        assert_eq!(verdict.judgement(), Judgement::Intact, "{}", verdict.to_json());
        verdict
    };
    let mut sizes = Vec::new();
    while sizes.len() < 30 {
        // The replica may not have anything yet.
        if FileReader::open(&copy).is_err() {
            continue;
        }
        let verdict = verify(state);
        sizes.push(verdict.logs[0].verdict.records);
        state = verdict.state;
    }
    ended.store(true, Ordering::Relaxed);
    writer.join().expect("written");
    assert!(sizes.first() < sizes.last(), "the log grew: {sizes:?}");
    let verdict = verify(state);
    let others = verdict.findings.iter().filter(|found| found.finding.kind != FindingKind::Behind).count();
    assert_eq!(others, 0, "{}", verdict.to_json());
}
