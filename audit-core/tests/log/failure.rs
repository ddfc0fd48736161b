use std::time::{Duration, Instant};

use audit_core::log::CloseError;
use audit_core::{Durability, Outcome, Refused};

use crate::support::{Way, close, event, eventually, of_kind, policy, records, results, valved};

#[tokio::test]
async fn a_store_that_comes_back_loses_nothing() {
    let (log, memory, valve) = valved(Durability::Synced, |builder| builder.policy(policy("deadline = \"5s\"")));
    valve.appends(Way::Unavailable);
    let calls = valve.append_calls();
    let pending = tokio::spawn({
        let log = log.clone();
        async move { log.begin(&event()).await }
    });
    eventually("three attempts", || valve.append_calls() >= calls + 3).await;
    assert!(!log.health().writable);
    assert!(log.health().last_error.unwrap().contains("made to fail"));
    valve.appends(Way::Open);
    pending.await.unwrap().unwrap().finish(Outcome::http(200));
    close(&log).await;
    assert_eq!(of_kind(&memory, "intent").len(), 1);
    assert!(of_kind(&memory, "gap").is_empty());
}

#[tokio::test]
async fn an_unknown_result_is_looked_up_and_nothing_is_written_twice() {
    for way in [Way::WrittenUnknown, Way::LostUnknown, Way::TornUnknown] {
        let (log, memory, valve) = valved(Durability::Synced, |builder| builder.policy(policy("deadline = \"5s\"")));
        valve.appends(way);
        let calls: Vec<_> = (0..8)
            .map(|_| {
                let log = log.clone();
                tokio::spawn(async move { log.begin(&event()).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(30)).await;
        valve.appends(Way::Open);
        for call in calls {
            call.await.unwrap().unwrap().finish(Outcome::http(200));
        }
        close(&log).await;
        assert_eq!(of_kind(&memory, "intent").len(), 8, "{way:?}");
        assert_eq!(results(&memory).len(), 8, "{way:?}");
        let seqs: Vec<_> = records(&memory).iter().map(|record| record["seq"].as_u64().unwrap()).collect();
        assert!(seqs.iter().copied().eq(0..seqs.len() as u64), "{way:?}: {seqs:?}");
    }
}

#[tokio::test]
async fn a_full_store_refuses_new_calls_at_once_and_still_takes_outcomes() {
    let (log, memory, valve) = valved(Durability::Synced, |builder| builder.policy(policy("deadline = \"10s\"")));
    let open = log.begin(&event()).await.unwrap();
    valve.appends(Way::Full);
    let start = Instant::now();
    let refused = log.begin(&event()).await.unwrap_err();
    assert!(matches!(refused, Refused::StorageFull { .. }), "{refused:?}");
    assert!(start.elapsed() < Duration::from_secs(5), "it does not wait for room");
    assert!(refused.is_retryable());
    open.finish(Outcome::http(200));
    eventually("the outcome", || results(&memory) == ["success"]).await;
    valve.appends(Way::Open);
    log.begin(&event()).await.unwrap().finish(Outcome::http(200));
    close(&log).await;
    assert_eq!(of_kind(&memory, "gap")[0]["reason"], "storage_full");
}

#[tokio::test]
async fn what_cannot_be_repaired_stops_the_log_with_a_clear_error_and_hangs_nobody() {
    for way in [Way::Conflict, Way::Poisoned, Way::Panic] {
        let (log, _memory, valve) = valved(Durability::Synced, |builder| builder.policy(policy("deadline = \"30s\"")));
        let open = log.begin(&event()).await.unwrap();
        valve.appends(way);
        let refused = log.begin(&event()).await.unwrap_err();
        let Refused::Poisoned { detail } = &refused else { panic!("{way:?}: {refused:?}") };
        let expected = if way == Way::Panic { "panicked" } else { "made to" };
        assert!(detail.contains(expected), "{way:?}: {detail}");
        assert!(!refused.is_retryable());
        valve.appends(Way::Open);
        assert!(matches!(log.begin(&event()).await.unwrap_err(), Refused::Poisoned { .. }), "it stays stopped");
        drop(open);
        assert!(!log.health().writable);
        assert!(log.close(Duration::from_secs(5)).await.is_err());
    }
}

#[tokio::test]
async fn a_failed_sync_stops_the_log() {
    for way in [Way::Poisoned, Way::Panic] {
        let (log, _memory, valve) = valved(Durability::Written, |builder| builder.policy(policy("deadline = \"30s\"")));
        valve.syncs(way);
        let refused = log.begin(&event()).await.unwrap_err();
        assert!(matches!(refused, Refused::Poisoned { .. }), "{way:?}: {refused:?}");
    }
}

#[tokio::test]
async fn a_sync_that_recovers_answers_late_but_truthfully() {
    let (log, memory, valve) = valved(Durability::Written, |builder| builder.policy(policy("deadline = \"5s\"")));
    valve.syncs(Way::Unavailable);
    let pending = tokio::spawn({
        let log = log.clone();
        async move { log.begin(&event()).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!pending.is_finished(), "written is not synced");
    valve.syncs(Way::Open);
    let activity = pending.await.unwrap().unwrap();
    assert_eq!(activity.receipt().unwrap().durability, Durability::Synced);
    activity.finish(Outcome::http(200));
    close(&log).await;
    assert_eq!(of_kind(&memory, "intent").len(), 1);
}

#[tokio::test]
async fn closing_a_log_whose_store_never_comes_back_ends_at_the_deadline_and_says_what_is_missing() {
    for way in [Way::Hang, Way::Unavailable] {
        let (log, _memory, valve) = valved(Durability::Synced, |builder| builder);
        let open = log.begin(&event()).await.unwrap();
        valve.appends(way);
        open.finish(Outcome::http(200));
        let start = Instant::now();
        let error = log.close(Duration::from_millis(200)).await.unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(3), "{way:?}");
        assert!(matches!(error, CloseError::Deadline { .. } | CloseError::Incomplete { .. }), "{way:?}: {error:?}");
        valve.appends(Way::Open);
    }
}
