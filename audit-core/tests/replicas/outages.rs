use std::time::{Duration, Instant};

use std::sync::LazyLock;

use audit_core::backend::{
    Backend, BackendError, Batch, Capabilities, Durability, Head, Memory, Opened, Reader, Synchronizer,
};
use audit_core::log::Replica;
use audit_core::testing::{Call, Fault, FaultyBackend};
use audit_core::{Event, Key, Outcome, OutcomeResult};

use crate::support::{builder, close, elsewhere, eventually, faulty, key, of_kind, policy, primary, record};

static KEY: LazyLock<Key> = LazyLock::new(key);

/// A store that takes its time for every append.
#[derive(Debug)]
struct Slow(Memory);

/// A store that fails once after some appends, and is another one when it is opened again.
#[derive(Debug)]
struct Swapped {
    /// The one to be opened next is the last.
    stores: Vec<Memory>,
    opened: Option<(Memory, usize)>,
}

impl Swapped {
    fn current(&mut self) -> &mut Memory {
        &mut self.opened.as_mut().unwrap().0
    }
}

macro_rules! passes_on {
    ($backend:ty, $self:ident, $inner:expr) => {
        impl Backend for $backend {
            fn name(&self) -> &'static str {
                "memory"
            }

            fn capabilities(&self) -> Capabilities {
                elsewhere(Durability::Synced).capabilities()
            }

            fn open(&mut self, deadline: Instant) -> Result<Opened, BackendError> {
                self.opening();
                let $self = self;
                $inner.open(deadline)
            }

            fn create(&mut self, verifier_key: &str, deadline: Instant) -> Result<(), BackendError> {
                let $self = self;
                $inner.create(verifier_key, deadline)
            }

            fn head(&mut self, deadline: Instant) -> Result<Head, BackendError> {
                let $self = self;
                $inner.head(deadline)
            }

            fn append(
                &mut self,
                expected: Head,
                batch: &Batch<'_>,
                deadline: Instant,
            ) -> Result<Durability, BackendError> {
                self.appending()?;
                let $self = self;
                $inner.append(expected, batch, deadline)
            }

            fn read(&mut self, range: std::ops::Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
                let $self = self;
                $inner.read(range, deadline)
            }

            fn reader(&mut self) -> Result<Box<dyn Reader>, BackendError> {
                let $self = self;
                $inner.reader()
            }

            fn synchronizer(&mut self) -> Result<Box<dyn Synchronizer>, BackendError> {
                let $self = self;
                $inner.synchronizer()
            }
        }
    };
}

passes_on!(Slow, this, this.0);
passes_on!(Swapped, this, this.current());

impl Slow {
    fn opening(&mut self) {}

    fn appending(&mut self) -> Result<(), BackendError> {
        std::thread::sleep(Duration::from_millis(50));
        Ok(())
    }
}

impl Swapped {
    fn opening(&mut self) {
        self.opened = Some((self.stores.pop().unwrap(), 0));
    }

    fn appending(&mut self) -> Result<(), BackendError> {
        let (_, appends) = self.opened.as_mut().unwrap();
        *appends += 1;
        if *appends == 4 && !self.stores.is_empty() {
            return Err(BackendError::Poisoned { detail: "made to fail".into() });
        }
        Ok(())
    }
}

#[tokio::test]
async fn after_an_outage_a_replica_is_caught_up_from_the_primary() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key()).backend(memory.clone()).replica(shipped).open().unwrap();
    faults.until_healed(Call::Append, Fault::Unavailable);
    record(&log, 500).await;
    eventually("it fails", || log.health().replicas[0].last_error.is_some()).await;
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
async fn a_replica_that_panics_is_opened_again() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key()).backend(memory.clone()).replica(shipped).open().unwrap();
    faults.once(Call::Append, Fault::Panic);
    record(&log, 10).await;
    eventually("an alert", || of_kind(&memory, "alert").len() == 1).await;
    assert!(of_kind(&memory, "alert")[0]["reason"].as_str().unwrap().contains("panicked"));
    eventually("the replica catches up", || replica.size() == memory.size()).await;
    assert!(log.health().writable);
    close(&log).await;
    assert_eq!(replica.bytes(), memory.bytes());
}

#[tokio::test]
async fn a_replica_that_opens_and_takes_nothing_is_one_alert_and_tried_ever_less_often() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key())
        .tune(|limits| limits.replica_backoff = Duration::from_secs(60))
        .backend(memory.clone())
        .replica(shipped)
        .open()
        .unwrap();
    faults.until_healed(Call::Append, Fault::Poison);
    record(&log, 5).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(of_kind(&memory, "alert").len(), 1);
    let opened = faults.calls(Call::Open);
    assert!(opened <= 8, "opened {opened} times within two seconds");
    faults.heal();
    close(&log).await;
    assert_eq!(replica.bytes(), memory.bytes());
}

#[tokio::test]
async fn a_checkpoint_that_cannot_be_published_does_not_hold_lines_back() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key())
        .policy(policy("copies = 2\ndeadline = \"2s\""))
        .tune(|limits| limits.replica_backoff = Duration::from_secs(60))
        .backend(memory.clone())
        .replica(shipped)
        .open()
        .unwrap();
    faults.until_healed(Call::Publish, Fault::Unavailable);
    let start = Instant::now();
    record(&log, 50).await;
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert!(log.health().replicas[0].last_error.as_ref().is_none_or(|error| error.contains("no checkpoint")));
    faults.heal();
    close(&log).await;
    assert_eq!(replica.checkpoint(), memory.checkpoint());
}

#[tokio::test]
async fn a_checkpoint_of_unknown_result_is_sent_again_as_it_was_before_any_other() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    for fault in [Fault::UnknownWritten, Fault::UnknownNotWritten] {
        let (primary, primary_faults) = FaultyBackend::new(memory.clone());
        let (shipped, faults) = faulty(&replica);
        let log = builder(&KEY).backend(primary).replica(shipped).open().unwrap();
        for _ in 0..5 {
            primary_faults.once(Call::Publish, fault);
            faults.once(Call::Publish, fault);
            record(&log, 20).await;
        }
        close(&log).await;
        assert_eq!(replica.checkpoint(), memory.checkpoint());
    }
}

#[tokio::test]
async fn a_replica_that_is_always_behind_gets_checkpoints_all_the_same() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let shipped = Replica::new(Slow(replica.clone()));
    let log = builder(&key())
        .tune(|limits| limits.checkpoint_interval = Duration::from_millis(5))
        .backend(memory.clone())
        .replica(shipped)
        .open()
        .unwrap();
    let first = replica.checkpoint();
    let start = Instant::now();
    while replica.checkpoint() == first {
        assert!(start.elapsed() < Duration::from_secs(10), "no checkpoint under load");
        record(&log, 10).await;
    }
    close(&log).await;
}

#[tokio::test]
async fn who_does_not_wait_is_not_remembered_while_a_replica_is_away() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, faults) = faulty(&replica);
    let log = builder(&key())
        .policy(policy("copies = 2\ndeadline = \"200ms\""))
        .backend(memory.clone())
        .replica(shipped)
        .open()
        .unwrap();
    faults.until_healed(Call::Append, Fault::Unavailable);
    for _ in 0..200 {
        log.begin(&Event::action("ledger.rotate")).without_waiting().finish(Outcome::new(OutcomeResult::Success));
    }
    eventually("all are in the log", || of_kind(&memory, "outcome").len() == 200).await;
    // Nobody was told that it failed, and nothing is left open.
    assert!(of_kind(&memory, "outcome").iter().all(|outcome| outcome["result"] == "success"));
    eventually("nothing is open", || log.health().open_activities == 0).await;
    // Somebody who waits still is, and his deadline is kept.
    let start = Instant::now();
    log.begin(&Event::action("ledger.rotate")).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(2));
    faults.heal();
    close(&log).await;
}

#[tokio::test]
async fn a_replica_that_lost_what_it_had_acknowledged_is_told_of_and_filled_again() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (shipped, _faults) = faulty(&replica);
    let emptied = elsewhere(Durability::Synced);
    let swapped = Swapped { stores: vec![emptied.clone(), replica.clone()], opened: None };
    drop(shipped);
    let log = builder(&key()).backend(memory.clone()).replica(Replica::new(swapped)).open().unwrap();
    record(&log, 10).await;
    eventually("an alert", || of_kind(&memory, "alert").iter().any(is_loss)).await;
    close(&log).await;
    assert_eq!(emptied.bytes(), memory.bytes());
}

fn is_loss(alert: &serde_json::Value) -> bool {
    alert["reason"].as_str().unwrap().contains("what is gone is shipped again")
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
