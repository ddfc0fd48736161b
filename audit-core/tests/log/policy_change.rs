//! Rules that are replaced while the log is open.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use audit_core::backend::FileReader;
use audit_core::log::ChangePolicyError;
use audit_core::verify::{Judgement, Verifier};
use audit_core::{AuditLog, Durability, File, Memory, Outcome, Policy, Refused};
use serde_json::{Value, json};

use crate::support::{Way, close, event, key, log, of_kind, policy, records, valved};

fn rules(rules: &str) -> Policy {
    Policy::from_toml(rules).unwrap()
}

fn named(names: &[&str]) -> Policy {
    let rules = names.iter().map(|name| format!("[[rule]]\nname = \"{name}\"\npaths = [\"/{name}\"]\n"));
    self::rules(&rules.collect::<String>())
}

async fn call(log: &AuditLog) {
    log.begin(&event()).await.unwrap().finish(Outcome::http(200));
}

fn change(memory: &Memory) -> Value {
    of_kind(memory, "policy.changed").pop().unwrap()
}

#[tokio::test]
async fn the_new_rules_apply_to_the_next_call_and_the_change_is_recorded_before_it() {
    let (log, memory) = log();
    let previous = log.policy().digest();
    call(&log).await;
    let newer = policy("deadline = \"5s\"");
    let changed = log.set_policy(newer.clone()).unwrap().unwrap();
    assert_eq!((changed.previous, changed.digest), (previous, newer.digest()));
    assert_eq!(changed.difference.added, ["test"]);
    assert_eq!(log.policy().digest(), newer.digest());
    call(&log).await;
    close(&log).await;

    let records = records(&memory);
    let kinds = records.iter().filter(|record| record["kind"] != "outcome");
    let said: Vec<_> = kinds.map(|record| (record["kind"].as_str().unwrap(), record["policy"].as_str())).collect();
    assert_eq!(
        said,
        [
            ("log.opened", None),
            ("intent", Some("default")),
            ("policy.changed", None),
            ("intent", Some("test")),
            ("log.closed", None)
        ]
    );
    let change = change(&memory);
    assert_eq!(change["policy_sha256"], newer.digest().to_hex());
    assert_eq!(change["previous_sha256"], previous.to_hex());
    assert_eq!(change["previous_sha256"], records[0]["policy_sha256"]);
    assert_eq!(change["added"], json!(["test"]));
    assert_eq!(change.get("path"), None);
}

#[tokio::test]
async fn the_same_text_changes_nothing_and_records_nothing() {
    let (log, memory) = log();
    assert!(log.set_policy(policy("")).unwrap().is_some());
    assert!(log.set_policy(policy("")).unwrap().is_none());
    close(&log).await;
    assert_eq!(of_kind(&memory, "policy.changed").len(), 1);
}

#[tokio::test]
async fn a_change_names_what_was_added_removed_changed_and_moved() {
    let (log, memory) = log();
    log.set_policy(named(&["a", "b", "c", "d", "e", "f"])).unwrap();
    let newer = "[[rule]]\nname = \"a\"\npaths = [\"/a\"]\ncopies = 1\n\
                 [[rule]]\nname = \"e\"\npaths = [\"/e\"]\n\
                 [[rule]]\nname = \"new\"\npaths = [\"/new\"]\n\
                 [[rule]]\nname = \"b\"\npaths = [\"/b\", \"/b2\"]\n\
                 [[rule]]\nname = \"d\"\npaths = [\"/d\"]\ndurability = \"written\"\n\
                 [[rule]]\nname = \"f\"\npaths = [\"/f\"]\ndeadline = \"2s\"\n";
    let difference = log.set_policy(rules(newer)).unwrap().unwrap().difference;
    assert_eq!(difference.added, ["new"]);
    assert_eq!(difference.removed, ["c"]);
    assert_eq!(difference.changed, ["b", "d", "f"]);
    assert_eq!(difference.moved, ["e"]);
    close(&log).await;
    let change = change(&memory);
    assert_eq!(change["removed"], json!(["c"]));
    assert_eq!(change["changed"], json!(["b", "d", "f"]));
    assert_eq!(change["moved"], json!(["e"]));
}

#[tokio::test]
async fn another_comment_is_a_change_without_a_difference() {
    let (log, memory) = log();
    log.set_policy(rules("[[rule]]\nname = \"a\"\n")).unwrap();
    let changed = log.set_policy(rules("# why\n[[rule]]\nname = \"a\"\n")).unwrap().unwrap();
    assert!(changed.difference.is_empty());
    close(&log).await;
    let change = change(&memory);
    let members = ["added", "removed", "changed", "moved"];
    assert!(members.iter().all(|member| change.get(member).is_none()), "{change}");
}

#[tokio::test]
async fn a_change_of_many_rules_names_64_and_says_so() {
    let (log, memory) = log();
    let names: Vec<String> = (0..1_000).map(|number| format!("rule-{number:0>50}\\\"")).collect();
    let text = names.iter().map(|name| format!("[[rule]]\nname = '{name}'\npaths = ['/{}']\n", &name[5..55]));
    log.set_policy(rules(&text.collect::<String>())).unwrap();
    log.set_policy(policy("")).unwrap();
    close(&log).await;
    let changes = of_kind(&memory, "policy.changed");
    assert_eq!(changes[0]["added"], json!(names[..64]));
    assert_eq!(changes[0]["truncated"], json!(["added"]));
    assert_eq!(changes[1]["removed"], json!(names[..64]));
    assert_eq!(changes[1]["added"], json!(["test"]));
    assert_eq!(changes[1]["truncated"], json!(["removed"]));
}

#[tokio::test]
async fn the_record_of_a_change_fits_the_smallest_line() {
    let (log, memory, _valve) = valved(Durability::Synced, |builder| builder.tune(|limits| limits.record.line = 4_096));
    let names: Vec<String> = (0..64).map(|number| format!("{number:\\<62}")).collect();
    let text = names.iter().enumerate().map(|(n, name)| format!("[[rule]]\nname = '{name}'\npaths = ['/{n}']\n"));
    log.set_policy(rules(&text.collect::<String>())).unwrap();
    close(&log).await;
    assert!(memory.lines().iter().all(|line| line.len() <= 4_096));
    assert_eq!(change(&memory)["truncated"], json!(["added"]));
}

#[tokio::test]
async fn rules_that_the_log_cannot_keep_leave_the_old_ones_in_force() {
    let (log, memory) = log();
    let before = log.policy().digest();
    let replicated = log.set_policy(policy("durability = \"replicated\"")).unwrap_err();
    assert!(matches!(&replicated, ChangePolicyError::Unsatisfiable { rule, .. } if rule == "test"), "{replicated}");
    let copies = log.set_policy(policy("copies = 2")).unwrap_err();
    assert!(matches!(&copies, ChangePolicyError::Unsatisfiable { rule, .. } if rule == "test"), "{copies}");
    let bodies = log.set_policy(policy("level = \"request\"")).unwrap_err();
    assert!(matches!(&bodies, ChangePolicyError::BodiesNotCaptured { rule } if rule == "test"), "{bodies}");
    assert!(![replicated, copies, bodies].iter().any(ChangePolicyError::is_retryable));
    assert_eq!(log.policy().digest(), before);
    call(&log).await;
    close(&log).await;
    assert!(of_kind(&memory, "policy.changed").is_empty());
    assert_eq!(of_kind(&memory, "intent")[0]["policy"], "default");
}

#[tokio::test]
async fn a_change_that_cannot_be_recorded_is_not_made() {
    let (log, memory) = log();
    let before = log.policy().digest();
    close(&log).await;
    let error = log.set_policy(policy("")).unwrap_err();
    assert!(matches!(error, ChangePolicyError::NotRecorded(Refused::Closed)), "{error}");
    assert_eq!(log.policy().digest(), before);
    assert_eq!(records(&memory).last().unwrap()["kind"], "log.closed");
}

#[tokio::test]
async fn no_more_changes_than_allowed_wait_for_the_store() {
    let (log, memory, valve) = valved(Durability::Synced, |builder| builder.tune(|limits| limits.policy_changes = 3));
    valve.appends(Way::Unavailable);
    let mut made = 0;
    let error = loop {
        match log.set_policy(policy(&format!("deadline = \"{}ms\"", 100 + made))) {
            Ok(_) => made += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, ChangePolicyError::NotRecorded(Refused::QueueFull)), "{error}");
    assert!(error.is_retryable());
    // Besides those in the queue, the sequencer has some in its hands.
    assert!((3..=9).contains(&made), "{made}");
    valve.appends(Way::Open);
    close(&log).await;
    assert_eq!(of_kind(&memory, "policy.changed").len(), made);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_during_200_changes_all_name_a_rule_of_the_policy_in_force() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("log");
    let builder = AuditLog::builder("test.example/log").key(key()).backend(File::new(&place));
    let log = builder.open().unwrap();
    let verifier_key = log.verifier_key().clone();
    let policies =
        ["one", "two"].map(|name| rules(&format!("[[rule]]\nname = \"{name}\"\ndurability = \"written\"\n")));
    log.set_policy(policies[0].clone()).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (log, stop) = (log.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut calls = 0_usize;
                while !stop.load(Ordering::Relaxed) {
                    call(&log).await;
                    calls += 1;
                }
                calls
            })
        })
        .collect();
    for number in 1..=200 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(log.set_policy(policies[number % 2].clone()).unwrap().is_some());
    }
    stop.store(true, Ordering::Relaxed);
    let mut calls = 0;
    for caller in callers {
        calls += caller.await.unwrap();
    }
    close(&log).await;
    let lines = fs::read_to_string(place.join("segments/00000000000000000000.jsonl")).unwrap();
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut recorded = BTreeSet::from(["default"]);
    let (mut intents, mut changes) = (0, 0);
    for record in &records {
        match record["kind"].as_str().unwrap() {
            "policy.changed" => {
                changes += 1;
                recorded.insert(record["added"][0].as_str().unwrap());
            }
            "intent" => {
                intents += 1;
                // No rule is named before the record that brought it.
                assert!(recorded.contains(record["policy"].as_str().unwrap()), "{record}");
            }
            _ => {}
        }
    }
    assert_eq!((changes, intents), (201, calls));
    assert_eq!(recorded.len(), 3);
    assert!(calls > 200, "{calls} calls are no load");
    let reader = FileReader::open(&place).unwrap();
    let verdict = Verifier::new().key(verifier_key).now(SystemTime::now()).run(&reader);
    assert_eq!(verdict.judgement(), Judgement::Intact, "{}", verdict.to_json());
}
