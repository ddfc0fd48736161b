use std::time::{Duration, Instant};

use audit_core::backend::{Backend as _, Batch, Durability, FileReader, Head, Memory};
use audit_core::evidence::{CompactRange, Hash};
use audit_core::log::{CloseError, OpenError, Replica};
use audit_core::record::line;
use audit_core::testing::{Call, Fault, FaultyBackend};
use audit_core::verify::Verifier;
use audit_core::{Event, File, Key};

use crate::support::{
    builder, bytes_on_disk, close, copy, elsewhere, eventually, faulty, key, lines_on_disk, of_kind, primary, record,
    write_on_disk,
};

#[tokio::test]
async fn a_primary_that_was_put_back_to_an_earlier_state_is_healed_from_its_replica() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there, old) = (folder.path().join("here"), folder.path().join("there"), folder.path().join("old"));
    let key = key();
    write_on_disk(&key, &here, Some(Replica::new(File::new(&there))), 20).await.unwrap();
    copy(&here, &old);
    write_on_disk(&key, &here, Some(Replica::new(File::new(&there))), 30).await.unwrap();
    let whole = bytes_on_disk(&here);
    std::fs::remove_dir_all(&here).unwrap();
    std::fs::rename(&old, &here).unwrap();

    write_on_disk(&key, &here, Some(Replica::new(File::new(&there)).name("vault")), 1).await.unwrap();
    let healed = bytes_on_disk(&here);
    assert!(healed.starts_with(&whole), "what the replica had is back, byte for byte");
    assert_eq!(healed, bytes_on_disk(&there));
    let lines = lines_on_disk(&here);
    let recovered: Vec<_> = lines.iter().filter(|line| line["kind"] == "log.recovered").collect();
    assert_eq!(recovered.len(), 1);
    // The second writer's own records: opened, thirty events, closed.
    assert_eq!((&recovered[0]["healed"], &recovered[0]["healed_from"]), (&32.into(), &"vault".into()));
    assert_intact(&key, &here);
}

#[tokio::test]
async fn a_primary_that_was_lost_is_made_again_from_its_replica() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    let key = key();
    write_on_disk(&key, &here, Some(Replica::new(File::new(&there))), 600).await.unwrap();
    let whole = bytes_on_disk(&here);
    std::fs::remove_dir_all(&here).unwrap();
    write_on_disk(&key, &here, Some(Replica::new(File::new(&there))), 5).await.unwrap();
    assert!(bytes_on_disk(&here).starts_with(&whole));
    assert_eq!(bytes_on_disk(&here), bytes_on_disk(&there));
    assert_intact(&key, &here);
    assert_intact(&key, &there);
}

#[tokio::test]
async fn a_replica_that_contradicts_the_primary_keeps_the_log_from_opening_and_the_first_record_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    let key = key();
    write_on_disk(&key, &here, None, 10).await.unwrap();
    copy(&here, &there);
    let common = lines_on_disk(&here).len();
    write_on_disk(&key, &here, None, 3).await.unwrap();
    write_on_disk(&key, &there, None, 7).await.unwrap();
    let before = (bytes_on_disk(&here), bytes_on_disk(&there));
    let refused = write_on_disk(&key, &here, Some(Replica::new(File::new(&there)).name("vault")), 1).await.unwrap_err();
    let OpenError::Forked { detail } = &refused else { panic!("{refused}") };
    assert!(detail.contains("`vault`") && detail.contains(&format!("from record {common} on")), "{detail}");
    assert_eq!((bytes_on_disk(&here), bytes_on_disk(&there)), before, "both are left as they were");
}

#[tokio::test]
async fn a_replica_of_another_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    let key = key();
    write_on_disk(&key, &here, None, 1).await.unwrap();
    write_on_disk(&key, &there, None, 1).await.unwrap();
    let refused = write_on_disk(&key, &here, Some(Replica::new(File::new(&there))), 1).await.unwrap_err();
    assert!(refused.to_string().contains("holds another log"), "{refused}");
}

#[tokio::test]
async fn a_replica_that_was_tampered_with_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    let key = key();
    write_on_disk(&key, &here, Some(Replica::new(File::new(&there))), 10).await.unwrap();
    let segment = there.join("segments/00000000000000000000.jsonl");
    let text = std::fs::read_to_string(&segment).unwrap().replace("ledger/9", "ledger/8");
    std::fs::write(&segment, text).unwrap();
    let refused = write_on_disk(&key, &here, Some(Replica::new(File::new(&there)).name("vault")), 1).await.unwrap_err();
    assert!(refused.to_string().starts_with("the replica `vault` cannot be used"), "{refused}");
    assert!(refused.to_string().contains("fills a new one in its place"), "{refused}");
    // As it says.
    std::fs::rename(&there, folder.path().join("evidence")).unwrap();
    write_on_disk(&key, &here, Some(Replica::new(File::new(&there)).name("vault")), 1).await.unwrap();
    assert_eq!(bytes_on_disk(&here), bytes_on_disk(&there));
}

#[tokio::test]
async fn nothing_is_signed_before_every_replica_has_been_compared() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    faults.until_healed(Call::Open, Fault::Unavailable);
    let log = builder(&key()).backend(memory.clone()).replica(shipped).open().unwrap();
    record(&log, 50).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let health = log.health();
    assert_eq!(health.signed, 0);
    assert!(!health.replicas[0].compared);
    assert!((50..60).contains(&health.replicas[0].lag_records), "{:?}", health.replicas);
    assert!(health.replicas[0].lag_time >= Duration::from_millis(200), "{:?}", health.replicas);
    assert!(health.last_error.unwrap().contains("`memory` could not be compared"));
    assert!(log.checkpoint(Duration::from_millis(200)).await.is_err(), "nobody gets a checkpoint by asking");
    faults.heal();
    eventually("it is signed", || log.health().signed == memory.size()).await;
    close(&log).await;
    assert_eq!(replica.bytes(), memory.bytes());
}

#[tokio::test]
async fn a_log_that_closes_before_a_replica_was_compared_says_that_it_is_not_signed() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    faults.until_healed(Call::Open, Fault::Unavailable);
    let key = key();
    let log = builder(&key).backend(memory.clone()).replica(shipped).open().unwrap();
    record(&log, 5).await;
    let closed = log.close(Duration::from_secs(1)).await;
    let Err(CloseError::Incomplete { detail, .. }) = &closed else { panic!("{closed:?}") };
    assert!(detail.contains("`memory` could not be compared"), "{detail}");
    let (shipped, _) = faulty(&replica);
    let log = builder(&key).backend(memory.clone()).replica(shipped).open().unwrap();
    eventually("it is signed now", || log.health().signed == memory.size()).await;
    close(&log).await;
}

#[tokio::test]
async fn a_replica_that_turns_out_to_contradict_a_running_log_stops_it_loudly() {
    let key = key();
    let replica = elsewhere(Durability::Synced);
    let other = builder(&key).backend(replica.clone()).open().unwrap();
    record(&other, 3).await;
    close(&other).await;
    let (shipped, faults) = faulty(&replica);
    faults.until_healed(Call::Open, Fault::Unavailable);
    let memory = primary();
    let log = builder(&key).backend(memory.clone()).replica(shipped).open().unwrap();
    record(&log, 3).await;
    faults.heal();
    let start = Instant::now();
    while log.record(&Event::action("ledger.rotate")).await.is_ok() {
        assert!(start.elapsed() < Duration::from_secs(10), "the log goes on");
    }
    let error = log.health().last_error.unwrap();
    assert!(error.contains("holds another log"), "{error}");
    let newest = String::from_utf8(memory.checkpoint().unwrap()).unwrap();
    assert_eq!(newest.lines().nth(1), Some("0"), "no record was signed");
}

#[tokio::test]
async fn a_primary_that_was_rolled_back_while_its_replica_was_out_of_reach_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let (here, old) = (folder.path().join("here"), folder.path().join("old"));
    let (key, replica) = (key(), elsewhere(Durability::Synced));
    write_on_disk(&key, &here, Some(Replica::new(replica.clone())), 5).await.unwrap();
    copy(&here, &old);
    write_on_disk(&key, &here, Some(Replica::new(replica.clone())), 5).await.unwrap();
    std::fs::remove_dir_all(&here).unwrap();
    std::fs::rename(&old, &here).unwrap();
    let signed = std::fs::read(here.join("checkpoint")).unwrap();

    let (backend, faults) = FaultyBackend::new(replica.clone());
    faults.until_healed(Call::Open, Fault::Unavailable);
    let log = builder(&key).backend(File::new(&here)).replica(Replica::new(backend)).open().unwrap();
    record(&log, 2).await;
    faults.heal();
    let start = Instant::now();
    while log.record(&Event::action("ledger.rotate")).await.is_ok() {
        assert!(start.elapsed() < Duration::from_secs(10), "the log goes on");
    }
    assert_eq!(std::fs::read(here.join("checkpoint")).unwrap(), signed, "the fork was never signed");
}

#[tokio::test]
async fn a_replica_that_is_away_for_a_moment_when_the_log_opens_is_filled_all_the_same() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    faults.times(Call::Open, Fault::Unavailable, 1);
    let start = Instant::now();
    let log = builder(&key()).backend(memory.clone()).replica(shipped).open().unwrap();
    assert!(start.elapsed() < Duration::from_secs(3));
    close(&log).await;
    assert_eq!(of_kind(&replica, "log.closed").len(), 1);
}

#[tokio::test]
async fn two_replicas_that_continue_the_primary_in_different_ways_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let key = key();
    write_on_disk(&key, &place("here"), None, 5).await.unwrap();
    for (name, count) in [("long", 9), ("short", 4)] {
        copy(&place("here"), &place(name));
        write_on_disk(&key, &place(name), None, count).await.unwrap();
    }
    let before = bytes_on_disk(&place("here"));
    let opening = builder(&key)
        .backend(File::new(place("here")))
        .replica(Replica::new(File::new(place("long"))).name("long"))
        .replica(Replica::new(File::new(place("short"))).name("short"));
    let refused = opening.open().unwrap_err();
    let OpenError::Forked { detail } = &refused else { panic!("{refused}") };
    assert!(detail.contains("`long`") && detail.contains("`short`"), "{detail}");
    assert_eq!(bytes_on_disk(&place("here")), before);
}

#[tokio::test]
async fn a_primary_that_was_made_again_has_its_replicas_checkpoint_before_anything_is_signed() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    let key = key();
    write_on_disk(&key, &here, Some(Replica::new(File::new(&there))), 20).await.unwrap();
    std::fs::remove_dir_all(&here).unwrap();
    // A second replica that is out of reach holds signing back until the end.
    let (absent, faults) = faulty(&elsewhere(Durability::Synced));
    faults.until_healed(Call::Open, Fault::Unavailable);
    let opening = builder(&key).backend(File::new(&here)).replica(Replica::new(File::new(&there)));
    let log = opening.replica(absent).open().unwrap();
    log.close(Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(std::fs::read(here.join("checkpoint")).unwrap(), std::fs::read(there.join("checkpoint")).unwrap());
    write_on_disk(&key, &here, None, 1).await.unwrap();
    assert_intact(&key, &here);
}

#[tokio::test]
async fn what_is_copied_back_has_to_have_the_root_that_was_signed() {
    let (key, honest) = (key(), elsewhere(Durability::Synced));
    let log = builder(&key).backend(honest.clone()).open().unwrap();
    record(&log, 400).await;
    close(&log).await;
    let forged = forged(&honest, "ledger/7", "ledger/8");
    let memory = primary();
    let refused = builder(&key).backend(memory).replica(Replica::new(forged)).open().unwrap_err();
    assert!(matches!(refused, OpenError::Tampered { .. }), "{refused}");
    assert!(refused.to_string().contains("do not have the root that was signed"), "{refused}");
}

/// The same log with one word replaced, chained again, under the same checkpoint.
fn forged(honest: &Memory, word: &str, other: &str) -> Memory {
    let (mut bytes, mut ends, mut leaves) = (Vec::new(), Vec::new(), Vec::new());
    let mut range = CompactRange::new();
    let mut prev = Hash::ZERO;
    for original in honest.lines() {
        let text = String::from_utf8(original).unwrap().replace(word, other);
        let (frame, _) = text.split_once("\"prev\":\"").unwrap();
        let rest = &text[frame.len() + 8 + 64..];
        let forged = format!("{frame}\"prev\":\"{}{rest}", prev.to_hex());
        prev = line::leaf(forged.as_bytes());
        bytes.extend_from_slice(forged.as_bytes());
        bytes.push(b'\n');
        ends.push(bytes.len());
        leaves.push(prev);
        range.push(prev);
    }
    let soon = || Instant::now() + Duration::from_secs(5);
    let mut forged = elsewhere(Durability::Synced);
    forged.create(&honest.verifier_key().unwrap(), soon()).unwrap();
    forged.append(Head::EMPTY, &Batch::new(0, &bytes, &ends, &leaves, false), soon()).unwrap();
    forged.synchronizer().unwrap().publish(&honest.checkpoint().unwrap(), &range, soon()).unwrap();
    forged
}

#[tokio::test]
async fn a_fork_is_a_fork_even_where_its_beginning_cannot_be_found() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    let key = key();
    write_on_disk(&key, &here, None, 10).await.unwrap();
    copy(&here, &there);
    write_on_disk(&key, &here, None, 3).await.unwrap();
    write_on_disk(&key, &there, None, 3).await.unwrap();
    let (backend, faults) = FaultyBackend::new(File::new(&there));
    faults.until_healed(Call::Read, Fault::Unavailable);
    let refused = write_on_disk(&key, &here, Some(Replica::new(backend)), 1).await.unwrap_err();
    let OpenError::Forked { detail } = &refused else { panic!("{refused}") };
    assert!(detail.contains("at or before record"), "{detail}");
}

#[tokio::test]
async fn a_replica_that_is_the_primary_itself_is_no_second_place() {
    let (key, memory) = (key(), primary());
    let opening = builder(&key).backend(memory.clone()).replica(Replica::new(memory.clone()).name("copy"));
    let refused = opening.open().unwrap_err().to_string();
    assert!(refused.contains("`copy` is the primary itself"), "{refused}");
    // Found out later, it stops the log: receipts for two copies would be given for one.
    let (shipped, faults) = faulty(&memory);
    faults.until_healed(Call::Open, Fault::Unavailable);
    let log = builder(&key).backend(memory.clone()).replica(shipped).open().unwrap();
    faults.heal();
    let start = Instant::now();
    while log.record(&Event::action("ledger.rotate")).await.is_ok() {
        assert!(start.elapsed() < Duration::from_secs(10), "the log goes on");
    }
    assert!(log.health().last_error.unwrap().contains("is the primary itself"));
}

fn assert_intact(key: &Key, directory: &std::path::Path) {
    let verdict = Verifier::new().key(key.verifier().clone()).run(&FileReader::open(directory).unwrap());
    assert_eq!(verdict.judgement().to_string(), "intact", "{:?}", verdict.findings);
    assert_eq!(verdict.signed, verdict.records);
}
