use std::time::Duration;

use audit_core::Event;
use audit_core::backend::{Concern, Durability};
use audit_core::log::{CloseError, Refused};
use audit_core::testing::FaultyBackend;

use crate::support::{builder, close, elsewhere, eventually, faulty, key, of_kind, primary, record};

const LOOK: Duration = Duration::from_millis(20);

fn shortened() -> Concern {
    Concern::new("retention", "the retention was shortened to one day")
}

#[tokio::test]
async fn a_store_that_is_no_longer_what_it_was_is_told_once_and_again_after_it_was_right() {
    let memory = primary();
    let (backend, faults) = FaultyBackend::new(memory.clone());
    let log = builder(&key()).tune(|limits| limits.inspect_interval = LOOK).backend(backend).open().unwrap();
    faults.find([shortened()]);
    eventually("an alert", || of_kind(&memory, "alert").len() == 1).await;
    tokio::time::sleep(LOOK * 10).await;
    assert_eq!(of_kind(&memory, "alert").len(), 1);
    let alert = &of_kind(&memory, "alert")[0];
    assert_eq!(alert["about"], "store");
    assert_eq!(alert["store"], "memory");
    assert_eq!(alert["setting"], "retention");
    assert_eq!(alert["reason"], "the retention was shortened to one day");
    faults.find([]);
    tokio::time::sleep(LOOK * 10).await;
    faults.find([shortened()]);
    eventually("a second alert", || of_kind(&memory, "alert").len() == 2).await;
    record(&log, 1).await;
    close(&log).await;
}

#[tokio::test]
async fn replicas_are_looked_at_too_and_named() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key())
        .tune(|limits| limits.inspect_interval = LOOK)
        .backend(memory.clone())
        .replica(shipped.name("vault"))
        .open()
        .unwrap();
    faults.find([shortened()]);
    eventually("an alert", || of_kind(&memory, "alert").len() == 1).await;
    assert_eq!(of_kind(&memory, "alert")[0]["store"], "vault");
    close(&log).await;
}

#[tokio::test]
async fn a_replica_that_is_never_idle_is_looked_at_too() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let opening = builder(&key()).tune(|limits| limits.inspect_interval = LOOK).backend(memory.clone());
    let log = opening.replica(shipped).open().unwrap();
    faults.find([shortened()]);
    let start = std::time::Instant::now();
    while of_kind(&memory, "alert").is_empty() {
        assert!(start.elapsed() < Duration::from_secs(10), "no alert while the replica was busy");
        record(&log, 20).await;
    }
    close(&log).await;
}

#[tokio::test]
async fn a_log_that_is_told_to_stops_in_order_once_the_alert_is_recorded() {
    let memory = primary();
    let (backend, faults) = FaultyBackend::new(memory.clone());
    let log = builder(&key())
        .stop_when_weakened(true)
        .tune(|limits| limits.inspect_interval = LOOK)
        .backend(backend)
        .open()
        .unwrap();
    record(&log, 1).await;
    faults.find([shortened()]);
    eventually("the log closes", || of_kind(&memory, "log.closed").len() == 1).await;
    assert_eq!(of_kind(&memory, "alert").len(), 1);
    let refused = log.begin(&Event::action("ledger.rotate")).await;
    assert!(matches!(refused, Err(Refused::Closed)), "{refused:?}");
    // Whoever closes it then learns how that went, and the next one that it was closed.
    let closed = log.close(Duration::from_secs(5)).await.unwrap();
    assert_eq!(closed.records, memory.size());
    assert!(matches!(log.close(Duration::from_secs(5)).await, Err(CloseError::AlreadyClosed)));
    let health = log.health();
    assert!(!health.writable);
    assert!(health.last_error.unwrap().contains("retention was shortened"));
}
