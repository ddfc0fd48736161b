use std::time::{Duration, Instant};

use audit_core::backend::{
    Backend, BackendError, Batch, Capabilities, Durability, Fencing, Head, Opened, Reader, Synchronizer,
};
use audit_core::log::{OpenError, Refused, Replica};
use audit_core::testing::{Call, Fault};
use audit_core::{Event, Memory, Outcome, OutcomeResult};

use crate::support::{builder, close, elsewhere, eventually, faulty, key, of_kind, policy, primary};

#[tokio::test]
async fn a_rule_with_copies_waits_until_the_replica_has_the_record_too() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key())
        .policy(policy("copies = 2\ndeadline = \"30s\""))
        .backend(memory.clone())
        .replica(shipped)
        .open()
        .unwrap();
    eventually("the replica has the opening", || replica.size() == memory.size()).await;
    faults.until_healed(Call::Append, Fault::Hang);
    let recording = tokio::spawn({
        let log = log.clone();
        async move { log.record(&Event::action("ledger.rotate")).await }
    });
    eventually("the replica hangs", || faults.hanging() == 1).await;
    let before = memory.size();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!recording.is_finished(), "a receipt for two copies was given with one");
    assert_eq!(replica.size(), before - 1);
    faults.heal();
    let receipt = recording.await.unwrap().unwrap().unwrap();
    assert_eq!((receipt.durability, receipt.copies), (Durability::Synced, 2));
    assert!(replica.size() > receipt.seq);
    close(&log).await;
}

#[tokio::test]
async fn without_copies_a_replica_that_hangs_slows_nobody_down() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key()).backend(memory.clone()).replica(shipped).open().unwrap();
    eventually("the replica has the opening", || replica.size() == memory.size()).await;
    faults.until_healed(Call::Append, Fault::Hang);
    for _ in 0..100 {
        let receipt = log.record(&Event::action("ledger.rotate")).await.unwrap().unwrap();
        assert_eq!(receipt.copies, 1);
    }
    assert!(replica.size() < memory.size());
    faults.heal();
    close(&log).await;
    assert_eq!(replica.bytes(), memory.bytes());
}

#[tokio::test]
async fn a_call_that_needs_copies_is_refused_by_its_deadline_and_its_intent_ends_as_refused() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key())
        .policy(policy("copies = 2\ndeadline = \"200ms\""))
        .backend(memory.clone())
        .replica(shipped)
        .open()
        .unwrap();
    eventually("the replica has the opening", || replica.size() == memory.size()).await;
    faults.until_healed(Call::Append, Fault::Unavailable);
    let start = Instant::now();
    let refused = log.begin(&Event::action("ledger.rotate")).await;
    assert!(matches!(refused, Err(Refused::Deadline)), "{refused:?}");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    eventually("the intent ends", || of_kind(&memory, "outcome").len() == 1).await;
    assert_eq!(of_kind(&memory, "outcome")[0]["result"], "refused");
    faults.heal();
    close(&log).await;
    assert_eq!(replica.bytes(), memory.bytes());
}

#[tokio::test]
async fn under_a_rule_that_allows_it_a_call_without_its_copies_goes_ahead() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key())
        .policy(policy("copies = 2\ndeadline = \"100ms\"\non_failure = \"allow\""))
        .backend(memory.clone())
        .replica(shipped)
        .open()
        .unwrap();
    faults.until_healed(Call::Append, Fault::Unavailable);
    let activity = log.begin(&Event::action("ledger.rotate")).await.unwrap();
    assert!(activity.receipt().is_none());
    activity.finish(Outcome::new(OutcomeResult::Success));
    faults.heal();
    close(&log).await;
    assert_eq!(of_kind(&memory, "outcome")[0]["result"], "success");
    // Its intent is in the log: there is nothing to tell of.
    assert_eq!(of_kind(&memory, "gap").len(), 0);
}

#[tokio::test]
async fn a_class_that_only_a_replica_reaches_is_waited_for() {
    let (memory, replica) = (primary(), elsewhere(Durability::Locked));
    let log = builder(&key())
        .policy(policy("durability = \"locked\"\ndeadline = \"30s\""))
        .backend(memory.clone())
        .replica(Replica::new(replica.clone()))
        .open()
        .unwrap();
    let receipt = log.record(&Event::action("ledger.rotate")).await.unwrap().unwrap();
    assert_eq!((receipt.durability, receipt.copies), (Durability::Locked, 2));
    assert!(replica.size() > receipt.seq);
    close(&log).await;
}

#[tokio::test]
async fn replicated_is_two_machines() {
    let memory = primary();
    let rule = "durability = \"replicated\"\ndeadline = \"30s\"";
    let here = primary();
    let refused =
        builder(&key()).policy(policy(rule)).backend(memory.clone()).replica(Replica::new(here)).open().unwrap_err();
    assert!(matches!(&refused, OpenError::Unsatisfiable { rule, .. } if rule == "test"), "{refused}");
    let log = builder(&key())
        .policy(policy(rule))
        .backend(primary())
        .replica(Replica::new(elsewhere(Durability::Synced)))
        .open()
        .unwrap();
    let receipt = log.record(&Event::action("ledger.rotate")).await.unwrap().unwrap();
    assert_eq!((receipt.durability, receipt.copies), (Durability::Replicated, 2));
    close(&log).await;
}

#[tokio::test]
async fn a_store_that_syncs_on_several_machines_is_replicated_by_itself() {
    let capabilities = Capabilities::new(Durability::Synced, Durability::Synced, Fencing::Enforced);
    for capabilities in [
        capabilities.remote().on_machines(3),
        Capabilities::new(Durability::Written, Durability::Synced, Fencing::Enforced).remote().on_machines(3),
    ] {
        let log = builder(&key())
            .policy(policy("durability = \"replicated\""))
            .backend(Memory::with_capabilities(capabilities))
            .open()
            .unwrap();
        let receipt = log.record(&Event::action("ledger.rotate")).await.unwrap().unwrap();
        assert_eq!(receipt.durability, Durability::Replicated);
        close(&log).await;
    }
}

#[tokio::test]
async fn a_replica_that_turns_out_weaker_than_its_configuration_said_is_told_of() {
    let (memory, replica) = (primary(), elsewhere(Durability::Locked));
    let weaker = Weaker { memory: replica.clone(), attempts: 0, opened: false };
    let log = builder(&key())
        .policy(policy("durability = \"locked\"\ndeadline = \"200ms\""))
        .backend(memory.clone())
        .replica(Replica::new(weaker))
        .open()
        .unwrap();
    eventually("an alert", || {
        of_kind(&memory, "alert").iter().any(|alert| {
            let reason = alert["reason"].as_str().unwrap();
            reason.contains("`test` asks for `locked`") && reason.contains("reaches `synced`")
        })
    })
    .await;
    let refused = log.record(&Event::action("ledger.rotate")).await;
    assert!(matches!(refused, Err(Refused::Deadline)), "{refused:?}");
    close(&log).await;
}

/// A store that cannot be reached at first, and then gives less than was said of it.
#[derive(Debug)]
struct Weaker {
    memory: Memory,
    attempts: u32,
    opened: bool,
}

impl Backend for Weaker {
    fn name(&self) -> &'static str {
        "weaker"
    }

    fn capabilities(&self) -> Capabilities {
        let class = if self.opened { Durability::Synced } else { Durability::Locked };
        Capabilities::new(class, class, Fencing::Enforced).remote()
    }

    fn open(&mut self, deadline: Instant) -> Result<Opened, BackendError> {
        self.attempts += 1;
        if self.attempts == 1 {
            return Err(BackendError::unavailable("opening", std::io::ErrorKind::ConnectionRefused.into()));
        }
        self.opened = true;
        self.memory.open(deadline)
    }

    fn create(&mut self, verifier_key: &str, deadline: Instant) -> Result<(), BackendError> {
        self.memory.create(verifier_key, deadline)
    }

    fn head(&mut self, deadline: Instant) -> Result<Head, BackendError> {
        self.memory.head(deadline)
    }

    fn append(&mut self, expected: Head, batch: &Batch<'_>, deadline: Instant) -> Result<Durability, BackendError> {
        self.memory.append(expected, batch, deadline).map(|_| Durability::Synced)
    }

    fn read(&mut self, range: std::ops::Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
        self.memory.read(range, deadline)
    }

    fn reader(&mut self) -> Result<Box<dyn Reader>, BackendError> {
        self.memory.reader()
    }

    fn synchronizer(&mut self) -> Result<Box<dyn Synchronizer>, BackendError> {
        self.memory.synchronizer()
    }
}

#[tokio::test]
async fn an_awaited_outcome_waits_for_its_copies_too() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let log = builder(&key())
        .policy(policy("copies = 2\nawait_outcome = true\ndeadline = \"30s\""))
        .backend(memory)
        .replica(Replica::new(replica.clone()))
        .open()
        .unwrap();
    let activity = log.begin(&Event::action("ledger.rotate")).await.unwrap();
    let receipt = activity.finish_durably(Outcome::new(OutcomeResult::Success)).await.unwrap().unwrap();
    assert_eq!(receipt.copies, 2);
    assert!(replica.size() > receipt.seq);
    close(&log).await;
}

#[test]
fn what_the_stores_cannot_give_together_is_refused_when_the_log_opens() {
    let refused = |rule: &str, replicas: &[Memory]| {
        let mut opening = builder(&key()).policy(policy(rule)).backend(primary());
        for replica in replicas {
            opening = opening.replica(Replica::new(replica.clone()));
        }
        opening.open().unwrap_err().to_string()
    };
    let error = refused("copies = 3", &[elsewhere(Durability::Synced)]);
    assert!(error.contains("`test`") && error.contains("3 copies") && error.contains("2 stores"), "{error}");
    let error = refused("copies = 2", &[elsewhere(Durability::Written)]);
    assert!(error.contains("2 copies") && error.contains("the replica `memory` reaches `written`"), "{error}");
    let error = refused("durability = \"locked\"", &[elsewhere(Durability::Synced)]);
    assert!(error.contains("the backend reaches `synced`"), "{error}");
}

#[test]
fn a_store_that_is_not_safe_as_a_first_place_is_refused_as_one() {
    let detecting = Capabilities::new(Durability::Synced, Durability::Synced, Fencing::Detected);
    let refused = builder(&key()).backend(Memory::with_capabilities(detecting)).open().unwrap_err();
    assert!(refused.to_string().contains("it can be a replica, and not the primary"), "{refused}");
    let unsynced = elsewhere(Durability::Written);
    let rule = policy("durability = \"written\"");
    let opening = builder(&key()).policy(rule).backend(unsynced).replica(Replica::new(primary()));
    let refused = opening.open().unwrap_err();
    assert!(refused.to_string().contains("cannot have replicas"), "{refused}");
    let mut opening = builder(&key()).backend(primary());
    for _ in 0..9 {
        opening = opening.replica(Replica::new(elsewhere(Durability::Synced)));
    }
    assert!(opening.open().unwrap_err().to_string().contains("9 replicas"));
}
