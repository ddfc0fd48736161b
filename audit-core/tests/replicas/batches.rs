use std::time::{Duration, Instant};

use audit_core::Event;
use audit_core::backend::{
    Backend, BackendError, Batch, Batching, Capabilities, Durability, Head, Memory, Opened, Reader, Synchronizer,
};
use audit_core::log::Replica;
use audit_core::testing::{Call, FaultyBackend};

use crate::support::{builder, close, elsewhere, eventually, key, primary, record};

/// A store that likes its batches in one way.
#[derive(Debug)]
struct Choosy<B>(B, Batching);

impl<B: Backend> Backend for Choosy<B> {
    fn name(&self) -> &'static str {
        "choosy"
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn batching(&self) -> Batching {
        self.1
    }

    fn open(&mut self, deadline: Instant) -> Result<Opened, BackendError> {
        self.0.open(deadline)
    }

    fn create(&mut self, verifier_key: &str, deadline: Instant) -> Result<(), BackendError> {
        self.0.create(verifier_key, deadline)
    }

    fn head(&mut self, deadline: Instant) -> Result<Head, BackendError> {
        self.0.head(deadline)
    }

    fn append(&mut self, expected: Head, batch: &Batch<'_>, deadline: Instant) -> Result<Durability, BackendError> {
        assert!(batch.ends.len() <= self.1.records && (batch.ends.len() == 1 || batch.bytes.len() <= self.1.bytes));
        self.0.append(expected, batch, deadline)
    }

    fn read(&mut self, range: std::ops::Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
        self.0.read(range, deadline)
    }

    fn reader(&mut self) -> Result<Box<dyn Reader>, BackendError> {
        self.0.reader()
    }

    fn synchronizer(&mut self) -> Result<Box<dyn Synchronizer>, BackendError> {
        self.0.synchronizer()
    }
}

#[tokio::test]
async fn a_store_that_wants_few_batches_gets_what_arrives_within_its_linger_in_one() {
    let memory = Memory::promising(Durability::Synced);
    let (backend, faults) = FaultyBackend::new(memory.clone());
    let backend = Choosy(backend, Batching::lingering(Duration::from_millis(200)));
    let log = builder(&key()).backend(backend).open().unwrap();
    let before = faults.calls(Call::Append);
    let mut waiting = Vec::new();
    for number in 0..40 {
        let log = log.clone();
        waiting.push(tokio::spawn(async move {
            log.record(&Event::action(format!("ledger.rotate.{number}"))).await.unwrap();
        }));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for one in waiting {
        one.await.unwrap();
    }
    let appends = faults.calls(Call::Append) - before;
    assert!(appends <= 3, "40 records took {appends} appends");
    close(&log).await;
}

#[tokio::test]
async fn batches_are_no_larger_than_suits_the_store() {
    let memory = Memory::promising(Durability::Synced);
    let replica = elsewhere(Durability::Synced);
    let log = builder(&key())
        .backend(Choosy(memory.clone(), Batching::default().records(7)))
        .replica(Replica::new(Choosy(replica.clone(), Batching::default().bytes(1_000))))
        .open()
        .unwrap();
    let mut waiting = Vec::new();
    for number in 0..200 {
        let log = log.clone();
        waiting.push(tokio::spawn(async move { log.record(&Event::action(format!("ledger.{number}"))).await }));
    }
    for one in waiting {
        one.await.unwrap().unwrap();
    }
    close(&log).await;
    assert_eq!(replica.bytes(), memory.bytes());
}

#[tokio::test]
async fn what_nobody_waits_for_is_shipped_in_company() {
    let (memory, replica) = (primary(), elsewhere(Durability::Synced));
    let (backend, faults) = FaultyBackend::new(replica.clone());
    let shipped = Replica::new(Choosy(backend, Batching::lingering(Duration::from_millis(300))));
    let log = builder(&key()).backend(memory.clone()).replica(shipped).open().unwrap();
    let before = faults.calls(Call::Append);
    let start = Instant::now();
    record(&log, 200).await;
    eventually("the replica has all", || replica.size() == memory.size()).await;
    let windows = start.elapsed().as_millis() / 300 + 2;
    let appends = faults.calls(Call::Append) - before;
    assert!(u128::from(appends) <= windows, "200 records took {appends} appends in {windows} windows");
    close(&log).await;
}
