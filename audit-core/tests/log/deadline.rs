use std::time::{Duration, Instant};

use audit_core::{Durability, Event, Outcome, Refused};
use futures_like::{poll_first, poll_once};

use crate::support::{Way, close, event, eventually, of_kind, policy, quiet, results, valved};

mod futures_like {
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Waker};

    /// Polls a future for the first time; it may be ready at once.
    pub(crate) fn poll_first<F: Future + Unpin>(future: &mut F) {
        let mut cx = Context::from_waker(Waker::noop());
        let _ = Pin::new(future).poll(&mut cx).map(drop);
    }

    /// Polls a future once, as a caller does that goes away right after.
    pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F) {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(future).poll(&mut cx).is_pending());
    }
}

const SHORT: &str = "deadline = \"50ms\"";

#[tokio::test]
async fn a_store_that_hangs_refuses_the_call_at_its_deadline_and_the_intent_ends_as_refused() {
    let (log, memory, valve) = valved(Durability::Synced, |builder| builder.policy(policy(SHORT)));
    valve.appends(Way::Hang);
    let start = Instant::now();
    let refused = log.begin(&event()).await.unwrap_err();
    assert!(matches!(refused, Refused::Deadline), "{refused:?}");
    assert!(start.elapsed() < Duration::from_secs(2));
    // What queues up behind the one that hangs is withdrawn, and counted.
    assert!(matches!(log.begin(&event()).await.unwrap_err(), Refused::Deadline));
    valve.appends(Way::Open);
    eventually("a refused outcome", || results(&memory) == ["refused"]).await;
    eventually("a gap", || !of_kind(&memory, "gap").is_empty()).await;
    close(&log).await;
    assert_eq!(of_kind(&memory, "intent").len(), 1, "the first landed, the second was withdrawn");
    let gap = &of_kind(&memory, "gap")[0];
    assert_eq!(gap["count"], 1);
    assert_eq!(gap["ran"], 0);
    assert_eq!(gap["lost"], "intent");
    assert_eq!(gap["reason"], "deadline");
    assert_eq!(gap["policy"], "test");
    let coverage = log.coverage();
    assert_eq!((coverage.seen, coverage.recorded, coverage.refused, coverage.lost), (2, 1, 1, 0));
}

#[tokio::test]
async fn a_rule_that_allows_failure_lets_the_call_go_on_and_counts_what_is_missing() {
    let rule = "deadline = \"50ms\"\non_failure = \"allow\"";
    let (log, memory, valve) = valved(Durability::Synced, |builder| builder.policy(policy(rule)));
    valve.appends(Way::Hang);
    let taken = log.begin(&event()).await.unwrap();
    assert!(matches!(taken.failure(), Some(Refused::Deadline)));
    assert!(taken.receipt().is_none());
    let withdrawn = log.begin(&Event::action("second")).await.unwrap();
    taken.finish(Outcome::http(200));
    withdrawn.finish(Outcome::http(200));
    valve.appends(Way::Open);
    eventually("a gap", || !of_kind(&memory, "gap").is_empty()).await;
    close(&log).await;
    assert_eq!(of_kind(&memory, "intent").len(), 1, "one landed late, one never");
    assert_eq!(results(&memory), ["success", "success"], "both outcomes are written");
    let gap = &of_kind(&memory, "gap")[0];
    assert_eq!((&gap["count"], &gap["ran"]), (&1.into(), &1.into()));
    assert_eq!(log.coverage().lost, 1);
}

#[tokio::test]
async fn a_sync_that_hangs_refuses_at_the_deadline_and_the_landed_intent_ends_as_refused() {
    let rule = "deadline = \"50ms\"";
    let (log, memory, valve) = valved(Durability::Written, |builder| builder.policy(policy(rule)).tune(quiet));
    valve.syncs(Way::Hang);
    let refused = log.begin(&event()).await.unwrap_err();
    assert!(matches!(refused, Refused::Deadline));
    eventually("a refused outcome", || results(&memory) == ["refused"]).await;
    valve.syncs(Way::Open);
    close(&log).await;
    assert_eq!(of_kind(&memory, "intent").len(), 1);
    assert_eq!(results(&memory), ["refused"]);
}

#[tokio::test]
async fn a_rule_that_asks_for_written_does_not_wait_for_a_sync_that_hangs() {
    let rule = "durability = \"written\"\ndeadline = \"5s\"";
    let (log, _memory, valve) = valved(Durability::Written, |builder| builder.policy(policy(rule)).tune(quiet));
    valve.syncs(Way::Hang);
    let activity = log.begin(&event()).await.unwrap();
    assert_eq!(activity.receipt().unwrap().durability, Durability::Written);
    activity.finish(Outcome::http(200));
    valve.syncs(Way::Open);
    close(&log).await;
}

#[tokio::test]
async fn a_queued_intent_is_withdrawn_when_its_future_is_dropped() {
    let (log, memory, valve) = valved(Durability::Synced, |builder| builder);
    valve.appends(Way::Hang);
    let calls = valve.append_calls();
    let mut first = log.begin(&event());
    poll_once(&mut first);
    eventually("the sequencer has the first", || valve.append_calls() > calls).await;
    let mut second = log.begin(&event());
    poll_once(&mut second);
    drop(first);
    drop(second);
    valve.appends(Way::Open);
    eventually("a gap", || !of_kind(&memory, "gap").is_empty()).await;
    close(&log).await;
    assert_eq!(of_kind(&memory, "intent").len(), 1);
    assert_eq!(results(&memory), ["refused"], "the one that landed never ran its handler");
    assert_eq!(of_kind(&memory, "gap")[0]["reason"], "withdrawn");
    assert_eq!(log.health().open_activities, 0);
}

#[tokio::test]
async fn a_receipt_that_nobody_collects_ends_the_activity_as_refused() {
    let (log, memory, _) = valved(Durability::Synced, |builder| builder);
    let mut begin = log.begin(&event());
    poll_first(&mut begin);
    eventually("the intent has landed", || of_kind(&memory, "intent").len() == 1).await;
    drop(begin);
    close(&log).await;
    let results = results(&memory);
    assert!(results == ["refused"] || results == ["cancelled"], "{results:?}");
}

#[tokio::test]
async fn a_future_that_is_never_polled_records_nothing_but_is_counted() {
    let (log, memory, _) = valved(Durability::Synced, |builder| builder);
    drop(log.begin(&event()));
    close(&log).await;
    assert!(of_kind(&memory, "intent").is_empty());
    assert_eq!(log.coverage().refused, 1);
}
