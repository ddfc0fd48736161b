use std::time::{Duration, Instant};

use audit_core::Event;
use audit_core::backend::Durability;
use audit_core::testing::{Call, Fault};

use crate::support::{builder, close, elsewhere, eventually, faulty, key, of_kind, primary, record};

#[tokio::test]
async fn after_an_outage_a_replica_is_caught_up_from_the_primary() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key()).backend(memory.clone()).replica(shipped).open().unwrap();
    faults.until_healed(Call::Append, Fault::Unavailable);
    record(&log, 500).await;
    let health = log.health();
    assert!(health.replicas[0].lag_records >= 500, "{:?}", health.replicas);
    assert!(health.replicas[0].last_error.as_ref().unwrap().contains("made to fail"), "{:?}", health.replicas);
    assert!(health.writable);
    faults.heal();
    eventually("the replica catches up", || replica.size() == memory.size()).await;
    eventually("its error is forgotten", || log.health().replicas[0].last_error.is_none()).await;
    close(&log).await;
    assert_eq!(replica.bytes(), memory.bytes());
}

#[tokio::test]
async fn appends_of_unknown_result_leave_every_line_once() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key()).backend(memory.clone()).replica(shipped).open().unwrap();
    for round in 0..10 {
        let fault = if round % 2 == 0 { Fault::UnknownWritten } else { Fault::UnknownNotWritten };
        faults.once(Call::Append, fault);
        record(&log, 20).await;
    }
    close(&log).await;
    assert_eq!(replica.bytes(), memory.bytes());
}

#[tokio::test]
async fn a_replica_that_is_too_far_behind_raises_one_alert_for_each_outage() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key()).backend(memory.clone()).replica(shipped.name("vault").lag_records(50)).open().unwrap();
    for outage in 1..=2 {
        faults.until_healed(Call::Append, Fault::Unavailable);
        record(&log, 100).await;
        eventually("an alert", || of_kind(&memory, "alert").len() == outage).await;
        record(&log, 100).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(of_kind(&memory, "alert").len(), outage, "told once");
        faults.heal();
        eventually("the replica catches up", || replica.size() == memory.size()).await;
        eventually("the log sees that", || log.health().replicas[0].lag_records == 0).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        record(&log, 1).await;
        eventually("the replica follows", || replica.size() == memory.size()).await;
    }
    let alert = &of_kind(&memory, "alert")[0];
    assert_eq!((&alert["about"], &alert["store"]), (&"replica".into(), &"vault".into()));
    assert!(alert["lag_records"].as_u64().unwrap() > 50);
    close(&log).await;
}

#[tokio::test]
async fn a_record_that_a_replica_lacks_for_too_long_raises_an_alert() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let shipped = shipped.lag_time(Duration::from_millis(300));
    let log = builder(&key()).backend(memory.clone()).replica(shipped).open().unwrap();
    faults.until_healed(Call::Append, Fault::Unavailable);
    record(&log, 1).await;
    eventually("an alert", || of_kind(&memory, "alert").len() == 1).await;
    assert!(of_kind(&memory, "alert")[0]["lag_ms"].as_u64().unwrap() >= 300);
    faults.heal();
    close(&log).await;
}

#[tokio::test]
async fn a_replica_whose_storage_failed_is_opened_again() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key()).backend(memory.clone()).replica(shipped).open().unwrap();
    faults.once(Call::Append, Fault::Poison);
    record(&log, 10).await;
    eventually("the replica catches up", || replica.size() == memory.size()).await;
    let alerts = of_kind(&memory, "alert");
    assert_eq!(alerts.len(), 1);
    assert!(alerts[0]["reason"].as_str().unwrap().contains("stable storage failed"), "{}", alerts[0]);
    assert!(faults.calls(Call::Open) >= 2);
    close(&log).await;
    assert_eq!(replica.bytes(), memory.bytes());
}

#[tokio::test]
async fn a_replica_that_panics_stops_itself_and_nothing_else() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key()).backend(memory.clone()).replica(shipped).open().unwrap();
    faults.once(Call::Append, Fault::Panic);
    record(&log, 10).await;
    eventually("an alert", || of_kind(&memory, "alert").len() == 1).await;
    assert!(of_kind(&memory, "alert")[0]["reason"].as_str().unwrap().contains("panicked"));
    record(&log, 10).await;
    assert!(log.health().writable);
    let closed = log.close(Duration::from_secs(2)).await.unwrap();
    assert!(closed.replicas_lack > 0);
}

#[tokio::test]
async fn another_writer_in_a_replica_stops_the_log() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key()).backend(memory.clone()).replica(shipped).open().unwrap();
    faults.once(Call::Append, Fault::Conflict);
    let start = Instant::now();
    while log.record(&Event::action("ledger.rotate")).await.is_ok() {
        assert!(start.elapsed() < Duration::from_secs(10), "the log goes on");
    }
    let error = log.health().last_error.unwrap();
    assert!(error.contains("replica `memory`") && error.contains("another writer"), "{error}");
}

#[tokio::test]
async fn closing_waits_for_a_replica_no_longer_than_its_deadline_and_says_what_is_lacking() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key()).backend(memory.clone()).replica(shipped).open().unwrap();
    faults.until_healed(Call::Append, Fault::Hang);
    record(&log, 10).await;
    eventually("the replica hangs", || faults.hanging() == 1).await;
    let start = Instant::now();
    let closed = log.close(Duration::from_secs(1)).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert!(closed.replicas_lack >= 10, "{closed:?}");
    faults.heal();
}

#[tokio::test]
async fn what_was_not_shipped_at_closing_is_shipped_when_the_log_is_opened_again() {
    let (key, memory, replica) = (key(), primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key).backend(memory.clone()).replica(shipped).open().unwrap();
    faults.until_healed(Call::Append, Fault::Unavailable);
    record(&log, 10).await;
    let closed = log.close(Duration::from_millis(500)).await.unwrap();
    assert!(closed.replicas_lack >= 10);
    let (shipped, _) = faulty(&replica);
    let log = builder(&key).backend(memory.clone()).replica(shipped).open().unwrap();
    close(&log).await;
    assert_eq!(replica.bytes(), memory.bytes());
}

#[tokio::test]
async fn a_replica_that_is_back_when_the_log_closes_is_not_missed_because_of_a_long_wait() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key())
        .tune(|limits| limits.replica_backoff = Duration::from_secs(600))
        .backend(memory.clone())
        .replica(shipped)
        .open()
        .unwrap();
    faults.until_healed(Call::Append, Fault::Unavailable);
    record(&log, 10).await;
    // By then the wait between two attempts is longer than closing may take.
    let attempts = faults.calls(Call::Append);
    eventually("some attempts fail", || faults.calls(Call::Append) >= attempts + 5).await;
    faults.heal();
    let closed = log.close(Duration::from_secs(3)).await.unwrap();
    assert_eq!(closed.replicas_lack, 0);
    assert_eq!(replica.bytes(), memory.bytes());
}
