//! What a log counts against what stands in it: never a word about an honest log, however it is
//! disturbed, and always one where records or counts were taken away.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod sample;

use std::fs;
use std::future::Future as _;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use audit_core::backend::FileReader;
use audit_core::log::Builder;
use audit_core::testing::{Call, Fault, Faults, FaultyBackend};
use audit_core::verify::FindingKind::{self, Gap};
use audit_core::verify::{Judgement, Verdict, Verifier};
use audit_core::{AuditLog, Event, File, Key, Outcome, Policy};
use sample::Log;
use serde_json::Value;

const ORIGIN: &str = "payments.example.com/prod-1";

const POLICY: &str = r#"
[[rule]]
name = "probes"
paths = ["/healthz"]
level = "none"

[[rule]]
name = "as\"sets"
paths = ["/assets/**"]
level = "none"

[[rule]]
name = "reports"
paths = ["/reports/**"]
on_failure = "allow"
durability = "written"
deadline = "20ms"

[[rule]]
name = "accepted"
paths = ["/accepted"]
on_failure = "allow"
durability = "accepted"

[[rule]]
name = "money"
deadline = "20ms"
"#;

fn key() -> Key {
    Key::generate(ORIGIN).expect("a key")
}

/// A log with a heartbeat every few milliseconds, under which calls are never late.
fn calm(dir: &Path, key: &Key) -> Builder {
    let policy = POLICY.replace("20ms", "30s");
    busy(dir, key).0.policy(Policy::from_toml(&policy).expect("a policy"))
}

/// A log with a heartbeat every few milliseconds, under which many calls are late.
fn busy(dir: &Path, key: &Key) -> (Builder, Faults) {
    let (store, faults) = FaultyBackend::new(File::new(dir).segment_bytes(256 << 10));
    let builder = AuditLog::builder(ORIGIN)
        .key(key.clone())
        .backend(store)
        .policy(Policy::from_toml(POLICY).expect("a policy"))
        .tune(|limits| limits.heartbeat = Duration::from_millis(3));
    (builder, faults)
}

fn verdict(dir: &Path) -> Verdict {
    Verifier::new().run(&FileReader::open(dir).expect("a log"))
}

fn miscounts(verdict: &Verdict) -> Vec<String> {
    let findings = verdict.findings.iter().filter(|finding| finding.kind == FindingKind::Coverage);
    findings.map(|finding| finding.detail.clone()).collect()
}

fn lines(dir: &Path) -> Vec<Vec<u8>> {
    let segments = fs::read_dir(dir.join("segments")).expect("segments");
    let mut paths: Vec<_> = segments.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let bytes: Vec<u8> = paths.iter().flat_map(|path| fs::read(path).expect("a segment")).collect();
    bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

fn records(dir: &Path) -> Vec<Value> {
    lines(dir).iter().map(|line| serde_json::from_slice(line).expect("JSON")).collect()
}

fn of_kind<'r>(records: &'r [Value], kind: &str) -> Vec<&'r Value> {
    records.iter().filter(|record| record["kind"] == kind).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    let mut paths: Vec<_> = fs::read_dir(from).expect("entries").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort_by_key(|path| path.ends_with("segments"));
    for path in paths {
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("copied");
        }
    }
}

/// Every kind of call, over and over, some given up before they are answered.
async fn caller(log: AuditLog, number: usize, until: Instant) {
    let paths = ["/healthz", "/assets/a.css", "/reports/7", "/accepted", "/v1/refunds"];
    let mut turn = number;
    while Instant::now() < until {
        turn += 1;
        let path = paths[turn % paths.len()];
        let event = Event::action("call").path(path);
        match turn % 7 {
            0 => drop(log.begin(&event)),
            1 => {
                let _ = log.record(&event).await;
            }
            2 => log.begin(&event).without_waiting().finish(Outcome::http(200)),
            3 => {
                let mut begin = pin!(log.begin(&event));
                let _ = begin.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
            _ => {
                if let Ok(activity) = log.begin(&event).await {
                    activity.finish(Outcome::http(200));
                }
            }
        }
        if turn.is_multiple_of(11) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn callers(log: &AuditLog, count: usize, time: Duration) -> Vec<tokio::task::JoinHandle<()>> {
    let until = Instant::now() + time;
    (0..count).map(|number| tokio::spawn(caller(log.clone(), number, until))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_busy_log_counts_what_stands_in_it_at_every_heartbeat() {
    let dir = tempfile::tempdir().expect("a directory");
    let (builder, _faults) = busy(dir.path(), &key());
    let log = builder.open().expect("a log");
    let calls = callers(&log, 16, Duration::from_millis(600));
    while calls.iter().any(|call| !call.is_finished()) {
        assert_eq!(miscounts(&verdict(dir.path())), Vec::<String>::new());
        let live = log.coverage();
        let decided = live.recorded + live.excluded + live.refused + live.lost;
        assert_eq!(live.seen, decided + live.pending, "{live:?}");
        assert_eq!(live.excluded, live.excluded_by_rule.values().sum::<u64>() + live.excluded_by_others);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    log.close(Duration::from_secs(10)).await.expect("closed");
    assert_eq!(miscounts(&verdict(dir.path())), Vec::<String>::new());

    let records = records(dir.path());
    assert!(of_kind(&records, "heartbeat").len() > 20);
    let closed = &of_kind(&records, "log.closed")[0]["coverage"];
    let live = log.coverage();
    for (name, count) in [
        ("seen", live.seen),
        ("recorded", live.recorded),
        ("excluded", live.excluded),
        ("refused", live.refused),
        ("lost", live.lost),
    ] {
        assert_eq!(closed[name], count, "{name}: {closed} {live:?}");
    }
    assert_eq!(live.pending, 0);
    assert!(closed.get("pending").is_none(), "{closed}");
    let told = of_kind(&records, "intent").len() + of_kind(&records, "event").len();
    assert_eq!(live.recorded, told as u64);
    assert!(live.recorded > 0 && live.refused > 0, "{live:?}");
    for rule in ["probes", "as\"sets"] {
        assert!(live.excluded_by_rule[rule] > 0);
        assert_eq!(closed["excluded_by_rule"][rule], live.excluded_by_rule[rule]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_fails_in_every_way_leaves_counts_that_fit_its_gaps() {
    for fault in
        [Fault::Unavailable, Fault::UnknownWritten, Fault::UnknownNotWritten, Fault::Full, Fault::FullForIntents]
    {
        let dir = tempfile::tempdir().expect("a directory");
        let (builder, faults) = busy(dir.path(), &key());
        let log = builder.tune(|limits| limits.waiting = 4).open().expect("a log");
        let calls = callers(&log, 16, Duration::from_millis(500));
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_millis(40)).await;
            faults.until_healed(Call::Append, fault);
            tokio::time::sleep(Duration::from_millis(60)).await;
            faults.heal();
        }
        for call in calls {
            call.await.expect("no panic");
        }
        log.close(Duration::from_secs(10)).await.expect("closed");
        let verdict = verdict(dir.path());
        assert_eq!(miscounts(&verdict), Vec::<String>::new(), "{fault:?}");
        assert!(verdict.findings.iter().any(|finding| finding.kind == Gap), "{fault:?}");
        let live = log.coverage();
        assert!(live.refused > 0, "{fault:?}: {live:?}");
        let records = records(dir.path());
        let gaps = of_kind(&records, "gap").into_iter().filter(|gap| gap["lost"] != "outcome");
        let told: u64 = gaps.map(|gap| gap["count"].as_u64().expect("a count")).sum();
        assert_eq!(told, live.refused + live.lost, "{fault:?}: every loss is told");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_log_that_is_killed_and_opened_again_counts_anew() {
    let dir = tempfile::tempdir().expect("a directory");
    let key = key();
    let place = dir.path().join("log");
    let (builder, _faults) = busy(&place, &key);
    let log = builder.open().expect("a log");
    let calls = callers(&log, 8, Duration::from_millis(300));
    for at in 0..3 {
        tokio::time::sleep(Duration::from_millis(60)).await;
        let killed = dir.path().join(format!("killed-{at}"));
        copy(&place, &killed);
        assert_eq!(miscounts(&verdict(&killed)), Vec::<String>::new());
        let (builder, _faults) = busy(&killed, &key);
        let again = builder.open().expect("opened again");
        for call in callers(&again, 4, Duration::from_millis(30)) {
            call.await.expect("no panic");
        }
        again.close(Duration::from_secs(10)).await.expect("closed");
        let verdict = verdict(&killed);
        assert_eq!(verdict.judgement(), Judgement::Intact, "{:?}", verdict.findings);
        assert_eq!(miscounts(&verdict), Vec::<String>::new());
    }
    for call in calls {
        call.await.expect("no panic");
    }
    log.close(Duration::from_secs(10)).await.expect("closed");
    assert_eq!(miscounts(&verdict(&place)), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_while_the_log_closes_is_pending_there() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = calm(dir.path(), &key()).open().expect("a log");
    let undecided = log.begin(&Event::action("call").path("/v1/refunds"));
    log.record(&Event::action("call")).await.expect("recorded");
    log.close(Duration::from_secs(10)).await.expect("closed");
    assert_eq!(log.coverage().pending, 1);
    assert!(undecided.await.is_err());
    let live = log.coverage();
    assert_eq!((live.seen, live.recorded, live.refused, live.pending), (2, 1, 1, 0));
    let records = records(dir.path());
    let closed = &of_kind(&records, "log.closed")[0]["coverage"];
    assert_eq!((&closed["seen"], &closed["pending"], &closed["refused"]), (&2.into(), &1.into(), &0.into()));
    assert_eq!(miscounts(&verdict(dir.path())), Vec::<String>::new());
}

#[tokio::test]
async fn sixteen_rules_are_told_apart_and_the_rest_counted_together() {
    let dir = tempfile::tempdir().expect("a directory");
    // The longest names that a rule may have, all of characters that take two bytes in JSON.
    let name = |rule: usize| format!("{}{rule:02}", "\\\"".repeat(31));
    let rule = |rule: usize| format!("[[rule]]\nname = '{}'\npaths = [\"/{rule}\"]\nlevel = \"none\"\n", name(rule));
    let policy: String = (0..20).map(rule).collect();
    let log = AuditLog::builder(ORIGIN)
        .key(key())
        .backend(File::new(dir.path()))
        .policy(Policy::from_toml(&policy).expect("a policy"))
        .tune(|limits| limits.record.line = 4_096)
        .open()
        .expect("a log");
    for rule in 0..20 {
        for _ in 0..=rule {
            let path = format!("/{rule}");
            drop(log.begin(&Event::action("call").path(path)));
        }
    }
    let live = log.coverage();
    assert_eq!(live.excluded_by_rule.len(), 16);
    assert_eq!(live.excluded_by_rule[&name(3)], 4);
    assert_eq!(live.excluded_by_others, 17 + 18 + 19 + 20);
    assert_eq!(live.excluded, 210);
    log.close(Duration::from_secs(10)).await.expect("closed");
    let lines = lines(dir.path());
    assert!(lines.iter().all(|line| line.len() <= 4_096));
    let records = records(dir.path());
    let closed = &of_kind(&records, "log.closed")[0]["coverage"];
    assert_eq!(closed["excluded_by_rule"].as_object().expect("an object").len(), 16);
    assert_eq!(closed["excluded_by_others"], 74);
    assert_eq!(miscounts(&verdict(dir.path())), Vec::<String>::new());
}

#[tokio::test]
async fn exclusions_are_counted_on_when_the_rules_are_replaced() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = calm(dir.path(), &key()).open().expect("a log");
    let exclude = |path: &str| drop(log.begin(&Event::action("call").path(path.to_owned())));
    exclude("/healthz");
    exclude("/assets/x");
    let next = "[[rule]]\nname = \"probes\"\npaths = [\"/livez\"]\nlevel = \"none\"\n[[rule]]\nname = \"new\"\npaths = [\"/new\"]\nlevel = \"none\"\n";
    log.set_policy(Policy::from_toml(next).expect("a policy")).expect("replaced");
    for path in ["/livez", "/livez", "/new"] {
        exclude(path);
    }
    let counted: Vec<_> = log.coverage().excluded_by_rule.into_iter().collect();
    let expected = [("as\"sets", 1), ("new", 1), ("probes", 3)].map(|(rule, calls)| (rule.to_owned(), calls));
    assert_eq!(counted, expected);
    log.close(Duration::from_secs(10)).await.expect("closed");
    assert_eq!(miscounts(&verdict(dir.path())), Vec::<String>::new());
}

/// A log with heartbeats between its calls, as its writer left it, with the key that signs it.
async fn written() -> Log {
    let dir = tempfile::tempdir().expect("a directory");
    let key = key();
    let log = calm(dir.path(), &key).open().expect("a log");
    for _ in 0..6 {
        for path in ["/v1/refunds", "/healthz", "/assets/x"] {
            let event = Event::action("call").path(path);
            log.begin(&event).await.expect("recorded").finish(Outcome::http(200));
        }
        drop(log.begin(&Event::action("given up")));
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    let name = log.verifier_key().name().to_owned();
    log.close(Duration::from_secs(10)).await.expect("closed");
    let mut forged = Log::new(key.with_name(&name).expect("a name"));
    forged.lines = lines(dir.path());
    forged
}

/// What the verifier says of a log that was chained and signed again by whoever has its key.
fn resigned(mut log: Log) -> Vec<String> {
    log.rechain(0);
    log.signed = vec![log.lines.len() as u64];
    let disk = log.write();
    let verdict = Verifier::new().key(log.verifier_key()).run(&disk.reader());
    assert_eq!(verdict.judgement(), Judgement::Intact, "{:?}", verdict.findings);
    miscounts(&verdict)
}

fn parsed(line: &[u8]) -> Value {
    serde_json::from_slice(line).expect("JSON")
}

fn places(log: &Log, kind: &str) -> Vec<usize> {
    let is = |line: &Vec<u8>| parsed(line)["kind"] == kind;
    log.lines.iter().enumerate().filter(|(_, line)| is(line)).map(|(at, _)| at).collect()
}

#[tokio::test]
async fn a_log_that_is_signed_again_as_it_was_is_not_reproached() {
    assert_eq!(resigned(written().await), Vec::<String>::new());
}

#[tokio::test]
async fn calls_taken_out_of_a_log_that_is_signed_again_are_missed() {
    let whole = written().await;
    let intents = places(&whole, "intent");
    for intent in intents {
        let mut log = whole.clone();
        let id = parsed(&log.lines[intent])["id"].clone();
        log.lines.retain(|line| parsed(line)["id"] != id);
        let told = resigned(log);
        assert_eq!(told.len(), 1, "once, where it happened: {told:?}");
        assert!(told[0].contains("1 more calls are counted as recorded"), "{told:?}");
        assert!(told[0].contains("but 0 are there"), "{told:?}");
    }
}

#[tokio::test]
async fn a_heartbeat_taken_out_together_with_its_calls_is_missed_by_the_next() {
    let mut log = written().await;
    let beats = places(&log, "heartbeat");
    let (from, to) = (beats[0], beats[beats.len() - 2]);
    log.lines.drain(from..to);
    let told = resigned(log);
    assert!(told[0].contains("are counted as recorded since record 0"), "{told:?}");
}

#[tokio::test]
async fn gaps_taken_out_of_a_log_that_is_signed_again_are_missed() {
    let whole = written().await;
    for gap in places(&whole, "gap") {
        let mut log = whole.clone();
        log.lines.remove(gap);
        let told = resigned(log);
        assert!(told[0].contains("are counted as refused") && told[0].contains("but 0 are in gaps"), "{told:?}");
    }
}

#[tokio::test]
async fn any_count_that_is_forged_alone_is_told() {
    let whole = written().await;
    let last = *places(&whole, "log.closed").first().expect("closed");
    for at in [places(&whole, "heartbeat").pop().expect("a heartbeat"), last] {
        let coverage = parsed(&whole.lines[at])["coverage"].clone();
        for name in ["seen", "recorded", "excluded", "refused", "lost"] {
            let count = coverage[name].as_u64().expect("a count");
            for forged in [Some(count + 1), count.checked_sub(1)].into_iter().flatten() {
                let mut log = whole.clone();
                log.replace(at, &format!("\"{name}\":{count}"), &format!("\"{name}\":{forged}"));
                assert!(!resigned(log).is_empty(), "{name}: {count} → {forged}");
            }
        }
        let mut log = whole.clone();
        let count = coverage["excluded_by_rule"]["probes"].as_u64().expect("a count");
        log.replace(at, &format!("\"probes\":{count}"), &format!("\"probes\":{}", count - 1));
        assert!(resigned(log)[0].contains("by rules"));
    }
}
