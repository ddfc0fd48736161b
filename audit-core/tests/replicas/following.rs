use std::time::Duration;

use audit_core::backend::{Durability, FileReader};
use audit_core::log::Replica;
use audit_core::testing::{Call, Fault, FaultyBackend};
use audit_core::verify::Verifier;
use audit_core::{Event, File};

use crate::support::{
    builder, bytes_on_disk, call, close, elsewhere, eventually, faulty, key, policy, primary, record,
};

#[tokio::test]
async fn a_replica_has_every_line_and_the_last_checkpoint_once_the_log_is_closed() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let log = builder(&key()).backend(memory.clone()).replica(Replica::new(replica.clone())).open().unwrap();
    record(&log, 50).await;
    call(&log).await;
    close(&log).await;
    assert_eq!(replica.bytes(), memory.bytes());
    assert_eq!(replica.checkpoint(), memory.checkpoint());
    assert_eq!(replica.verifier_key(), memory.verifier_key());
}

#[tokio::test]
async fn lines_arrive_while_the_log_is_open_and_health_says_so() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let log =
        builder(&key()).backend(memory.clone()).replica(Replica::new(replica.clone()).name("vault")).open().unwrap();
    record(&log, 20).await;
    eventually("the replica has all", || replica.size() == memory.size()).await;
    eventually("health says so", || log.health().replicas[0].lag_records == 0).await;
    let health = log.health();
    assert_eq!(health.replicas[0].name, "vault");
    assert!(health.replicas[0].compared);
    assert_eq!(health.replicas[0].records, replica.size());
    assert_eq!(health.replicas[0].lag_time, Duration::ZERO);
    eventually("a checkpoint arrives too", || replica.checkpoint() == memory.checkpoint()).await;
    close(&log).await;
}

#[tokio::test]
async fn a_replica_that_joins_later_gets_the_whole_log() {
    let (key, memory) = (key(), primary());
    let log = builder(&key).backend(memory.clone()).open().unwrap();
    record(&log, 300).await;
    close(&log).await;
    let replica = elsewhere(Durability::Synced);
    let log = builder(&key).backend(memory.clone()).replica(Replica::new(replica.clone())).open().unwrap();
    close(&log).await;
    assert_eq!(replica.bytes(), memory.bytes());
}

#[tokio::test]
async fn several_replicas_are_filled_side_by_side() {
    let memory = primary();
    let replicas = [elsewhere(Durability::Synced), elsewhere(Durability::Written), elsewhere(Durability::Locked)];
    let mut opening = builder(&key()).backend(memory.clone());
    for replica in &replicas {
        opening = opening.replica(Replica::new(replica.clone()));
    }
    let log = opening.open().unwrap();
    let names: Vec<_> = log.health().replicas.into_iter().map(|replica| replica.name).collect();
    assert_eq!(names, ["memory", "memory-2", "memory-3"]);
    record(&log, 30).await;
    close(&log).await;
    for replica in replicas {
        assert_eq!(replica.bytes(), memory.bytes());
    }
}

#[tokio::test]
async fn two_directories_hold_the_same_log_and_both_are_intact() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("primary"), folder.path().join("replica"));
    let key = key();
    for _ in 0..3 {
        let log = builder(&key)
            // Small segments, so that the reader of the replica crosses their ends.
            .backend(File::new(&here).segment_bytes(4_096).min_free(0))
            .replica(Replica::new(File::new(&there).min_free(0)))
            .open()
            .unwrap();
        record(&log, 100).await;
        close(&log).await;
    }
    assert_eq!(bytes_on_disk(&here), bytes_on_disk(&there));
    let pinned = key.verifier().clone();
    let verdicts = [here, there].map(|dir| Verifier::new().key(pinned.clone()).run(&FileReader::open(dir).unwrap()));
    assert_eq!(verdicts[0].judgement().to_string(), "intact");
    assert_eq!(verdicts[0].findings, []);
    assert_eq!(verdicts[0].root, verdicts[1].root);
    assert_eq!(verdicts[0].signed, verdicts[1].signed);
    assert_eq!(verdicts[1].findings, []);
}

#[tokio::test]
async fn nothing_is_shipped_that_is_not_synced() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (backend, faults) = FaultyBackend::new(memory.clone());
    let log = builder(&key())
        .policy(policy("durability = \"written\""))
        .backend(backend)
        .replica(Replica::new(replica.clone()))
        .open()
        .unwrap();
    eventually("the replica has the opening", || replica.size() == memory.size()).await;
    let before = replica.size();
    faults.until_healed(Call::Sync, Fault::Hang);
    record(&log, 10).await;
    eventually("a sync hangs", || faults.hanging() == 1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(memory.size(), before + 10);
    assert_eq!(replica.size(), before);
    faults.heal();
    eventually("the replica follows", || replica.size() == memory.size()).await;
    close(&log).await;
}

#[tokio::test]
async fn a_line_that_was_changed_in_the_primary_stops_the_log_instead_of_being_shipped() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("primary");
    let replica = elsewhere(Durability::Synced);
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key()).backend(File::new(&here).min_free(0)).replica(shipped).open().unwrap();
    eventually("the replica has the opening", || replica.size() == log.health().records).await;
    faults.until_healed(Call::Append, Fault::Unavailable);
    // What the replica was sent and refused is sent again as it was: it is not read a second time.
    record(&log, 1).await;
    eventually("the replica fails", || log.health().replicas[0].last_error.is_some()).await;
    record(&log, 6).await;
    let segment = here.join("segments/00000000000000000000.jsonl");
    // The same bytes but one, in place: two lines no longer belong to each other.
    let text = std::fs::read_to_string(&segment).unwrap().replace("ledger/4", "ledger/7");
    std::fs::write(&segment, text).unwrap();
    let size = replica.size();
    faults.heal();
    let event = Event::action("ledger.rotate");
    let start = std::time::Instant::now();
    while log.record(&event).await.is_ok() {
        assert!(start.elapsed() < Duration::from_secs(10), "the log goes on");
    }
    let error = log.health().last_error.unwrap();
    assert!(error.contains("replica `memory`") || error.contains("tampered"), "{error}");
    assert!(replica.size() <= size + 6, "the replica took lines behind the one that was changed");
}
