use std::time::Duration;

use audit_core::evidence::{CompactRange, SignedCheckpoint, leaf_hash};
use audit_core::{Durability, Outcome, Refused};

use crate::support::{Way, builder, close, event, eventually, log, memory, policy, quiet, valved};

fn root(lines: &[Vec<u8>]) -> audit_core::evidence::Hash {
    let mut range = CompactRange::new();
    for line in lines {
        range.push(leaf_hash(line));
    }
    range.root()
}

#[tokio::test]
async fn a_checkpoint_on_demand_covers_all_that_its_caller_saw() {
    let (log, memory) = log();
    for _ in 0..50 {
        let receipt = log.record(&event()).await.unwrap().unwrap();
        let note = log.checkpoint(Duration::from_secs(5)).await.unwrap();
        let signed = SignedCheckpoint::parse(&note).unwrap();
        signed.verify(log.verifier_key()).unwrap();
        let checkpoint = signed.checkpoint();
        assert!(checkpoint.size > receipt.seq);
        assert_eq!(checkpoint.origin, log.verifier_key().name());
        let lines = memory.lines();
        assert_eq!(checkpoint.root, root(&lines[..usize::try_from(checkpoint.size).unwrap()]));
    }
    close(&log).await;
}

#[tokio::test]
async fn closing_signs_everything() {
    let (log, memory) = log();
    log.begin(&event()).await.unwrap().finish(Outcome::http(200));
    let closed = log.close(Duration::from_secs(5)).await.unwrap();
    let lines = memory.lines();
    assert_eq!(closed.records, lines.len() as u64);
    let signed = SignedCheckpoint::parse(&memory.checkpoint().unwrap()).unwrap();
    assert_eq!(signed.checkpoint().size, closed.records);
    assert_eq!(signed.checkpoint().root, root(&lines));
}

#[tokio::test]
async fn a_checkpoint_is_signed_after_so_many_records() {
    let memory = memory();
    let log = builder(&memory)
        .tune(|limits| {
            quiet(limits);
            limits.checkpoint_records = 10;
        })
        .open()
        .unwrap();
    let before = log.health().signed;
    for _ in 0..10 {
        log.record(&event()).await.unwrap();
    }
    eventually("a checkpoint by count", || log.health().signed >= before + 10).await;
    close(&log).await;
}

#[tokio::test]
async fn a_checkpoint_is_signed_after_so_much_time() {
    let memory = memory();
    let log = builder(&memory)
        .tune(|limits| {
            limits.checkpoint_records = 1_000_000;
            limits.checkpoint_interval = Duration::from_millis(20);
        })
        .open()
        .unwrap();
    let receipt = log.record(&event()).await.unwrap().unwrap();
    eventually("a checkpoint by time", || log.health().signed > receipt.seq).await;
    close(&log).await;
}

#[tokio::test]
async fn nothing_is_signed_that_is_not_synced() {
    let rule = "durability = \"written\"";
    let (log, memory, valve) = valved(Durability::Written, |builder| builder.policy(policy(rule)));
    let before = log.health().signed;
    valve.syncs(Way::Hang);
    log.record(&event()).await.unwrap().unwrap();
    let refused = log.checkpoint(Duration::from_millis(100)).await.unwrap_err();
    assert!(matches!(refused, Refused::Deadline), "{refused:?}");
    assert_eq!(log.health().signed, before);
    let signed = SignedCheckpoint::parse(&memory.checkpoint().unwrap()).unwrap();
    assert_eq!(signed.checkpoint().size, before);
    valve.syncs(Way::Open);
    close(&log).await;
}

#[tokio::test]
async fn the_number_of_records_alone_brings_no_checkpoint_during_its_rest() {
    let memory = memory();
    let log = builder(&memory)
        .tune(|limits| {
            quiet(limits);
            limits.checkpoint_records = 2;
            limits.checkpoint_rest = Duration::from_secs(60);
        })
        .open()
        .unwrap();
    let before = log.health().signed;
    for _ in 0..20 {
        log.record(&event()).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(log.health().signed, before);
    log.checkpoint(Duration::from_secs(5)).await.unwrap();
    assert_eq!(log.health().signed, log.health().records);
    close(&log).await;
}
