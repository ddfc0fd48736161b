use std::time::Duration;

use audit_core::log::AmendError;
use audit_core::{Actor, CurrentActivity, Event, Outcome, OutcomeResult};

use crate::support::{builder, close, event, log, memory, of_kind, policy, records, results};

#[tokio::test]
async fn the_intent_is_in_the_log_before_the_activity_exists() {
    let (log, memory) = log();
    let activity = log.begin(&event()).await.unwrap();
    let intents = of_kind(&memory, "intent");
    assert_eq!(intents.len(), 1);
    assert_eq!(intents[0]["action"], "ledger.rotate");
    assert_eq!(intents[0]["policy"], "default");
    assert_eq!(intents[0]["id"], activity.id().unwrap().to_string());
    let receipt = *activity.receipt().unwrap();
    assert_eq!(intents[0]["seq"], receipt.seq);
    assert!(of_kind(&memory, "outcome").is_empty());
    activity.finish(Outcome::http(201).response_bytes(2));
    close(&log).await;
    let outcome = &of_kind(&memory, "outcome")[0];
    assert_eq!(outcome["id"], intents[0]["id"]);
    assert_eq!(outcome["result"], "success");
    assert_eq!(outcome["status"], 201);
    assert_eq!(outcome["response_bytes"], 2);
    assert!(outcome["latency_us"].is_u64());
}

#[tokio::test]
async fn an_activity_dropped_without_an_end_is_cancelled() {
    let (log, memory) = log();
    drop(log.begin(&event()).await.unwrap());
    close(&log).await;
    assert_eq!(results(&memory), ["cancelled"]);
}

#[tokio::test]
async fn an_activity_whose_work_unwinds_is_panicked() {
    let (log, memory) = log();
    let activity = log.begin(&event()).await.unwrap();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _activity = activity;
        panic!("made to panic");
    }));
    assert!(caught.is_err());
    let mut activity = log.begin(&event()).await.unwrap();
    activity.mark_panicked();
    drop(activity);
    close(&log).await;
    assert_eq!(results(&memory), ["panicked", "panicked"]);
}

#[tokio::test]
async fn an_activity_ends_outside_any_runtime() {
    let (log, memory) = log();
    let activity = log.begin(&event()).await.unwrap();
    std::thread::spawn(move || activity.finish(Outcome::new(OutcomeResult::Success))).join().unwrap();
    close(&log).await;
    assert_eq!(results(&memory), ["success"]);
}

#[tokio::test]
async fn what_a_handler_adds_lands_in_the_outcome_and_nothing_after_the_end() {
    let (log, memory) = log();
    let activity = log.begin(&event()).await.unwrap();
    let current = activity.current();
    current.resource("ledger/8").unwrap();
    current.attribute("amount", 12_i64).unwrap();
    current.attribute("amount", 13_i64).unwrap();
    current.actor(Actor::service_account("settler").verified()).unwrap();
    activity.finish(Outcome::new(OutcomeResult::Success));
    assert_eq!(current.resource("late"), Err(AmendError::Finished));
    assert_eq!(current.attribute("late", true), Err(AmendError::Finished));
    assert_eq!(current.actor(Actor::unknown()), Err(AmendError::Finished));
    close(&log).await;
    let outcome = &of_kind(&memory, "outcome")[0];
    assert_eq!(outcome["resource"], "ledger/8");
    assert_eq!(outcome["attrs"]["amount"], 13);
    assert_eq!(outcome["actor"]["id"], "settler");
    assert_eq!(outcome["actor"]["verified"], true);
}

#[tokio::test]
async fn an_activity_begun_in_the_scope_of_another_names_it_as_parent() {
    let (log, memory) = log();
    let outer = log.begin(&event()).await.unwrap();
    let inner = outer.scope(async { log.begin(&Event::action("inner")).await.unwrap() }).await;
    let spawned = tokio::spawn({
        let log = log.clone();
        async move { log.begin(&Event::action("spawned")).await.unwrap() }
    });
    let spawned = spawned.await.unwrap();
    assert!(CurrentActivity::get().is_none());
    for activity in [inner, spawned] {
        activity.finish(Outcome::new(OutcomeResult::Success));
    }
    let id = outer.id().unwrap().to_string();
    outer.finish(Outcome::new(OutcomeResult::Success));
    close(&log).await;
    let intents = of_kind(&memory, "intent");
    assert_eq!(intents[1]["parent"], id);
    assert!(intents[2].get("parent").is_none(), "a bare spawn starts without a current activity");
}

#[tokio::test]
async fn an_excluded_activity_leaves_nothing_and_refuses_nothing() {
    let memory = memory();
    let log = builder(&memory).policy(policy("paths = [\"/healthz\"]\nlevel = \"none\"")).open().unwrap();
    let activity = log.begin(&Event::action("GET /healthz").path("/healthz")).await.unwrap();
    assert!(!activity.is_recorded());
    activity.current().resource("x").unwrap();
    activity.finish(Outcome::http(200));
    close(&log).await;
    assert!(of_kind(&memory, "intent").is_empty());
    let coverage = log.coverage();
    assert_eq!((coverage.seen, coverage.excluded), (1, 1));
}

#[tokio::test]
async fn an_outcome_can_be_awaited() {
    let (log, memory) = log();
    let activity = log.begin(&event()).await.unwrap();
    let receipt = activity.finish_durably(Outcome::http(200)).await.unwrap().unwrap();
    assert_eq!(of_kind(&memory, "outcome")[0]["seq"], receipt.seq);
    close(&log).await;
}

#[tokio::test]
async fn an_event_is_one_record() {
    let (log, memory) = log();
    let receipt = log.record(&event().attribute("cause", "test")).await.unwrap().unwrap();
    let events = of_kind(&memory, "event");
    assert_eq!(events[0]["seq"], receipt.seq);
    assert_eq!(events[0]["attrs"]["cause"], "test");
    close(&log).await;
}

#[tokio::test]
async fn lines_are_chained_from_zero_and_begin_with_the_opening() {
    let (log, memory) = log();
    for _ in 0..20 {
        log.begin(&event()).await.unwrap().finish(Outcome::http(200));
    }
    close(&log).await;
    let mut prev = "0".repeat(64);
    for (seq, line) in memory.lines().iter().enumerate() {
        let frame = format!("{{\"v\":1,\"seq\":{seq},\"prev\":\"{prev}\",\"time\":\"");
        assert!(line.starts_with(frame.as_bytes()), "{}", String::from_utf8_lossy(line));
        prev = audit_core::record::line::leaf(line).to_string();
    }
    let records = records(&memory);
    assert_eq!(records[0]["kind"], "log.opened");
    assert_eq!(records[0]["origin"], "test.example/log");
    assert_eq!(records.last().unwrap()["kind"], "log.closed");
}

#[tokio::test]
async fn a_heartbeat_says_what_was_covered_and_how_good_the_clock_is() {
    let memory = memory();
    let log = builder(&memory).tune(|limits| limits.heartbeat = Duration::from_millis(50)).open().unwrap();
    log.record(&event()).await.unwrap();
    crate::support::eventually("a heartbeat", || !of_kind(&memory, "heartbeat").is_empty()).await;
    let heartbeat = &of_kind(&memory, "heartbeat")[0];
    assert_eq!(heartbeat["coverage"]["seen"], 1);
    assert_eq!(heartbeat["coverage"]["recorded"], 1);
    #[cfg(target_os = "linux")]
    assert!(heartbeat["clock"]["synchronised"].is_boolean());
    close(&log).await;
}
