//! A real log with S3 as its primary.

use std::time::{Duration, Instant};

use audit_core::evidence::CompactRange;
use audit_core::verify::{FindingKind, Judgement, LogReader as _, Verifier};
use audit_core::{Actor, AuditLog, Event, Outcome, OutcomeResult};
use real_servers::{Mode, Proxy};

use crate::fixture::{Scene, key, moto, of_kind};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn record(log: &AuditLog, calls: usize) {
    runtime().block_on(async {
        for call in 0..calls {
            let event = Event::action("ledger.rotate").resource("ledger/7").actor(Actor::service_account("settler"));
            let activity = log.begin(&event).await.unwrap_or_else(|refused| panic!("call {call}: {refused}"));
            activity.finish(Outcome::new(OutcomeResult::Success));
        }
    });
}

#[test]
fn a_log_on_s3_is_intact_and_has_the_root_of_its_lines() {
    let scene = Scene::on_moto();
    let key = key();
    for _ in 0..2 {
        let builder = AuditLog::builder("payments.example/log").key(key.clone()).backend(scene.writer());
        let log = builder.open().expect("the log opens");
        record(&log, 8);
        runtime().block_on(log.close(Duration::from_secs(20))).expect("the log closes");
    }
    let verdict = Verifier::new().key(key.verifier().clone()).run(&scene.reader());
    assert_eq!(verdict.judgement(), Judgement::Intact, "{:?}", verdict.findings);
    assert_eq!(verdict.signed, verdict.records);
    assert!(verdict.records >= 36, "{verdict:?}");
    assert!(of_kind(&verdict.findings, FindingKind::Recovered).is_empty(), "{:?}", verdict.findings);

    let mut lines = audit_core::verify::Lines::from(&scene.reader(), 0).expect("lines");
    let mut tree = CompactRange::new();
    while let Some(line) = lines.next_line().expect("a line") {
        tree.push(audit_core::record::line::leaf(line));
    }
    assert_eq!(verdict.root, tree.root());
    let kept = scene.reader().compact_range(verdict.signed).expect("it is read").expect("it is kept");
    assert_eq!(kept.root(), verdict.root);
}

#[test]
fn a_log_whose_process_vanished_goes_on_where_it_was() {
    let scene = Scene::on_moto();
    let key = key();
    let open = || AuditLog::builder("payments.example/log").key(key.clone()).backend(scene.writer()).open();
    let log = open().expect("the log opens");
    record(&log, 3);
    // As good as vanished: nothing is closed, and the other one goes on from what is in the store.
    let next = open().expect("the log opens again");
    record(&next, 3);
    runtime().block_on(next.close(Duration::from_secs(20))).expect("the log closes");
    drop(log);
    let verdict = Verifier::new().key(key.verifier().clone()).run(&scene.reader());
    assert_eq!(verdict.judgement(), Judgement::Intact, "{:?}", verdict.findings);
    assert_eq!(of_kind(&verdict.findings, FindingKind::Recovered).len(), 1, "{:?}", verdict.findings);
}

#[test]
fn calls_are_refused_by_their_deadline_while_the_store_hangs_and_the_gap_is_in_the_log() {
    let scene = Scene::on_moto();
    let proxy = Proxy::start(moto().port()).expect("the wire is there");
    let wired = format!("http://127.0.0.1:{}", proxy.port());
    let scene = scene.with("endpoint", &wired);
    let key = key();
    let builder = AuditLog::builder("payments.example/log").key(key.clone()).backend(scene.writer());
    let log = builder.open().expect("the log opens");
    record(&log, 2);
    proxy.set(Mode::Hang);
    for _ in 0..3 {
        let started = Instant::now();
        let event = Event::action("ledger.rotate").actor(Actor::service_account("settler"));
        let refused = runtime().block_on(async { log.begin(&event).await.err() });
        assert!(refused.is_some(), "the default policy denies what cannot be recorded");
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    }
    proxy.set(Mode::Pass);
    let until = Instant::now() + Duration::from_secs(60);
    let event = Event::action("ledger.rotate").actor(Actor::service_account("settler"));
    while let Err(refused) = runtime().block_on(async { log.begin(&event).await.map(drop) }) {
        assert!(Instant::now() < until, "{refused}");
    }
    runtime().block_on(log.close(Duration::from_secs(30))).expect("the log closes");
    let verdict = Verifier::new().key(key.verifier().clone()).run(&scene.reader());
    assert_eq!(verdict.judgement(), Judgement::Intact, "{:?}", verdict.findings);
    assert!(!of_kind(&verdict.findings, FindingKind::Gap).is_empty(), "{:?}", verdict.findings);
}
