use std::ops::Range;
use std::time::Instant;

use super::{Call, Faults};
use crate::backend::{
    Backend, BackendError, Batch, Batching, Capabilities, Concern, Durability, Head, Opened, Reader, Synchronizer,
};
use crate::evidence::CompactRange;

/// A store around another one, made to fail, hang or fill by its [`Faults`].
///
/// ```
/// use audit_core::backend::{Durability, Memory};
/// use audit_core::testing::{Call, Fault, FaultyBackend};
///
/// let memory = Memory::promising(Durability::Synced);
/// let (backend, faults) = FaultyBackend::new(memory.clone());
/// faults.once(Call::Append, Fault::Full);
/// # drop(backend);
/// ```
#[derive(Debug)]
pub struct FaultyBackend<B> {
    inner: B,
    faults: Faults,
}

impl<B: Backend> FaultyBackend<B> {
    /// Wraps `inner`, without faults so far, and returns the handle that adds some.
    #[must_use]
    pub fn new(inner: B) -> (Self, Faults) {
        let faults = Faults::new();
        (Self::with_faults(inner, faults.clone()), faults)
    }

    /// Wraps `inner` with faults that other stores may share.
    #[must_use]
    pub const fn with_faults(inner: B, faults: Faults) -> Self {
        Self { inner, faults }
    }
}

/// Carries out a call unless its faults forbid it, and fails afterwards if they say so.
fn through<T>(
    faults: &Faults,
    call: Call,
    may_use_reserve: bool,
    carry_out: impl FnOnce() -> Result<T, BackendError>,
) -> Result<T, BackendError> {
    match faults.decide(call, may_use_reserve)? {
        None => carry_out(),
        Some(error) => carry_out().and(Err(error)),
    }
}

impl<B: Backend> Backend for FaultyBackend<B> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn place(&self) -> Option<String> {
        self.inner.place()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn batching(&self) -> Batching {
        self.inner.batching()
    }

    fn open(&mut self, deadline: Instant) -> Result<Opened, BackendError> {
        through(&self.faults, Call::Open, true, || self.inner.open(deadline))
    }

    fn create(&mut self, verifier_key: &str, deadline: Instant) -> Result<(), BackendError> {
        through(&self.faults, Call::Create, true, || self.inner.create(verifier_key, deadline))
    }

    fn head(&mut self, deadline: Instant) -> Result<Head, BackendError> {
        through(&self.faults, Call::Head, true, || self.inner.head(deadline))
    }

    fn append(&mut self, expected: Head, batch: &Batch<'_>, deadline: Instant) -> Result<Durability, BackendError> {
        through(&self.faults, Call::Append, batch.may_use_reserve, || self.inner.append(expected, batch, deadline))
    }

    fn read(&mut self, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
        through(&self.faults, Call::Read, true, || self.inner.read(range, deadline))
    }

    fn reader(&mut self) -> Result<Box<dyn Reader>, BackendError> {
        self.inner.reader()
    }

    fn synchronizer(&mut self) -> Result<Box<dyn Synchronizer>, BackendError> {
        Ok(Box::new(FaultySynchronizer { inner: self.inner.synchronizer()?, faults: self.faults.clone() }))
    }
}

#[derive(Debug)]
struct FaultySynchronizer {
    inner: Box<dyn Synchronizer>,
    faults: Faults,
}

impl Synchronizer for FaultySynchronizer {
    fn sync(&mut self, deadline: Instant) -> Result<Durability, BackendError> {
        through(&self.faults, Call::Sync, true, || self.inner.sync(deadline))
    }

    fn publish(&mut self, note: &[u8], range: &CompactRange, deadline: Instant) -> Result<(), BackendError> {
        through(&self.faults, Call::Publish, true, || self.inner.publish(note, range, deadline))
    }

    fn inspect(&mut self, deadline: Instant) -> Result<Vec<Concern>, BackendError> {
        let mut concerns = self.inner.inspect(deadline)?;
        concerns.extend(self.faults.concerns());
        Ok(concerns)
    }
}
