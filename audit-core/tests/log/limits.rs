use std::time::{Duration, Instant};

use audit_core::{Durability, Event, Outcome, Refused};

use crate::support::{Way, builder, close, event, eventually, memory, of_kind, policy, quiet, results, valved};

#[tokio::test]
async fn a_burst_larger_than_the_queue_waits_and_loses_nothing() {
    let (log, memory, valve) = valved(Durability::Synced, |builder| {
        builder.policy(policy("deadline = \"10s\"")).tune(|limits| {
            limits.queue_records = 2;
            limits.batch_records = 2;
        })
    });
    valve.appends(Way::Hang);
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let log = log.clone();
            tokio::spawn(async move { log.begin(&event()).await })
        })
        .collect();
    eventually("all have queued up", || log.health().queue_depth >= 45).await;
    valve.appends(Way::Open);
    for call in calls {
        call.await.unwrap().unwrap().finish(Outcome::http(200));
    }
    close(&log).await;
    assert_eq!(of_kind(&memory, "intent").len(), 50);
    assert!(of_kind(&memory, "gap").is_empty());
}

#[tokio::test]
async fn more_callers_than_may_wait_are_refused_at_once_and_counted() {
    let (log, memory, valve) = valved(Durability::Synced, |builder| {
        builder.policy(policy("deadline = \"10s\"")).tune(|limits| {
            limits.queue_records = 1;
            limits.waiting = 1;
        })
    });
    valve.appends(Way::Hang);
    let before = valve.append_calls();
    let mut calls = Vec::new();
    for depth in 0..3 {
        let log = log.clone();
        calls.push(tokio::spawn({
            let log = log.clone();
            async move { log.begin(&event()).await }
        }));
        // The first is with the sequencer, the second in the queue, the third in line.
        eventually("it has found its place", || valve.append_calls() > before && log.health().queue_depth == depth)
            .await;
    }
    let refused = log.begin(&event()).await.unwrap_err();
    assert!(matches!(refused, Refused::QueueFull), "{refused:?}");
    valve.appends(Way::Open);
    for call in calls {
        call.await.unwrap().unwrap().finish(Outcome::http(200));
    }
    close(&log).await;
    assert_eq!(of_kind(&memory, "gap")[0]["reason"], "queue_full");
}

#[tokio::test]
async fn activities_beyond_the_limit_wait_for_one_to_end() {
    let memory = memory();
    let log = builder(&memory)
        .policy(policy("deadline = \"10s\""))
        .tune(|limits| {
            limits.activities = 2;
            quiet(limits);
        })
        .open()
        .unwrap();
    let first = log.begin(&event()).await.unwrap();
    let _second = log.begin(&event()).await.unwrap();
    let third = tokio::spawn({
        let log = log.clone();
        async move { log.begin(&event()).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!third.is_finished());
    first.finish(Outcome::http(200));
    third.await.unwrap().unwrap().finish(Outcome::http(200));
}

#[tokio::test]
async fn a_record_stays_within_a_line_whatever_its_parts_hold() {
    let memory = memory();
    let log = builder(&memory).open().unwrap();
    let hostile = "\u{1}\"\\\u{2028}é".repeat(40_000);
    let mut large = Event::action(hostile.as_str()).resource(hostile.as_str()).trace(hostile.as_str());
    for index in 0..200 {
        large = large.attribute(format!("name{index}"), hostile.as_str());
    }
    let receipt = log.record(&large).await.unwrap().unwrap();
    let activity = log.begin(&event()).await.unwrap();
    for index in 0..64 {
        activity.current().attribute(format!("name{index}"), hostile.clone()).unwrap();
    }
    assert!(activity.current().attribute("one too many", 1_i64).is_err());
    activity.finish(Outcome::http(500).error(hostile.as_str()));
    close(&log).await;
    for line in memory.lines() {
        assert!(line.len() <= 65_535, "{}", line.len());
        serde_json::from_slice::<serde_json::Value>(&line).unwrap();
    }
    let record = &of_kind(&memory, "event")[0];
    assert_eq!(record["seq"], receipt.seq);
    let truncated = record["truncated"].as_array().unwrap();
    for name in ["action", "resource", "attrs"] {
        assert!(truncated.contains(&name.into()), "{name} in {truncated:?}");
    }
    assert!(of_kind(&memory, "outcome")[0]["truncated"].as_array().unwrap().contains(&"error".into()));
}

#[tokio::test]
async fn a_large_outcome_draws_on_the_shared_room_and_is_cut_when_that_is_used_up() {
    for (overdraft, whole) in [(1 << 20, true), (0, false)] {
        let memory = memory();
        let log = builder(&memory).tune(|limits| limits.overdraft_bytes = overdraft).open().unwrap();
        let activity = log.begin(&event()).await.unwrap();
        let text = "x".repeat(4_000);
        activity.current().attribute("report", text.clone()).unwrap();
        activity.finish(Outcome::http(200));
        close(&log).await;
        let outcome = &of_kind(&memory, "outcome")[0];
        assert_eq!(outcome["attrs"]["report"] == text.as_str(), whole);
        assert_eq!(outcome.get("truncated").is_none(), whole);
    }
}

#[tokio::test]
async fn the_sequencer_waits_when_too_much_is_unsynced_and_callers_keep_their_deadlines() {
    let rule = "durability = \"written\"\ndeadline = \"100ms\"";
    let (log, memory, valve) = valved(Durability::Written, |builder| {
        builder.policy(policy(rule)).tune(|limits| {
            quiet(limits);
            limits.unsynced_records = 4;
            limits.checkpoint_records = 4;
        })
    });
    valve.syncs(Way::Hang);
    let mut refused = 0;
    for _ in 0..20 {
        match log.begin(&event()).await {
            Ok(activity) => activity.finish(Outcome::http(200)),
            Err(Refused::Deadline) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
        if refused == 2 {
            break;
        }
    }
    assert_eq!(refused, 2);
    valve.syncs(Way::Open);
    close(&log).await;
    assert_eq!(of_kind(&memory, "intent").len(), results(&memory).len());
}

#[tokio::test]
async fn an_outcome_that_nobody_waits_for_waits_for_company() {
    let opened = |company, patience| {
        let memory = memory();
        let log = builder(&memory).tune(|limits| {
            limits.outcome_company = company;
            limits.outcome_patience = patience;
        });
        (log.open().unwrap(), memory)
    };
    let hour = Duration::from_secs(3_600);
    // Nobody comes, and nothing is written.
    let (log, memory) = opened(64, hour);
    let first = log.begin(&event()).await.unwrap();
    let second = log.begin(&event()).await.unwrap();
    // A sequencer that is still awake would take it along: it has to have nothing to do first.
    tokio::time::sleep(Duration::from_millis(300)).await;
    first.finish(Outcome::http(200));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(results(&memory).is_empty());
    // The next intent takes it along.
    let third = log.begin(&event()).await.unwrap();
    assert_eq!(results(&memory).len(), 1);
    // Other outcomes are company as well, when they are enough.
    let (crowded, crowd) = opened(1, hour);
    let [a, b] = [crowded.begin(&event()).await.unwrap(), crowded.begin(&event()).await.unwrap()];
    a.finish(Outcome::http(200));
    b.finish(Outcome::http(200));
    eventually("two are enough", || results(&crowd).len() == 2).await;
    // Without patience, or with little of it, it goes by itself.
    for (company, patience) in [(0, hour), (64, Duration::from_millis(20))] {
        let (log, memory) = opened(company, patience);
        log.begin(&event()).await.unwrap().finish(Outcome::http(200));
        eventually("it is written alone", || results(&memory).len() == 1).await;
        close(&log).await;
    }
    drop((second, third));
    close(&log).await;
    close(&crowded).await;
}

#[tokio::test]
async fn deadlines_are_looked_at_no_more_often_than_the_limit_says() {
    let (log, _memory, valve) = valved(Durability::Synced, |builder| {
        builder.policy(policy("deadline = \"20ms\"")).tune(|limits| limits.deadline_rest = Duration::from_millis(400))
    });
    valve.appends(Way::Hang);
    assert!(log.begin(&event()).await.is_err());
    let start = Instant::now();
    assert!(log.begin(&event()).await.is_err());
    // The first look has just been, and the next one is not due.
    assert!(start.elapsed() > Duration::from_millis(200), "{:?}", start.elapsed());
    valve.appends(Way::Open);
    close(&log).await;
}

#[tokio::test]
async fn losses_are_reported_no_more_often_than_the_limit_says() {
    for (interval, expected) in [(Duration::from_secs(3_600), 1), (Duration::from_millis(1), 3)] {
        let (log, memory, valve) = valved(Durability::Synced, |builder| {
            builder.policy(policy("deadline = \"10ms\"")).tune(|limits| limits.gap_interval = interval)
        });
        for round in 1..=3 {
            valve.appends(Way::Hang);
            assert!(log.begin(&event()).await.is_err());
            assert!(log.begin(&event()).await.is_err());
            valve.appends(Way::Open);
            if round <= expected {
                eventually("the gap", || of_kind(&memory, "gap").len() >= round).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let before_closing = of_kind(&memory, "gap").len();
        assert!(if expected == 1 { before_closing == 1 } else { before_closing >= 3 }, "{before_closing}");
        close(&log).await;
        let counted: u64 = of_kind(&memory, "gap").iter().map(|gap| gap["count"].as_u64().unwrap()).sum();
        assert!(counted >= 3, "{counted}");
    }
}
