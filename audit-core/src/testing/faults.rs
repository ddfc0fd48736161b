use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::backend::{BackendError, Concern};

/// A call of a store that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Call {
    /// [`Backend::open`](crate::backend::Backend::open).
    Open,
    /// [`Backend::create`](crate::backend::Backend::create).
    Create,
    /// [`Backend::head`](crate::backend::Backend::head).
    Head,
    /// [`Backend::append`](crate::backend::Backend::append).
    Append,
    /// [`Backend::read`](crate::backend::Backend::read).
    Read,
    /// [`Synchronizer::sync`](crate::backend::Synchronizer::sync).
    Sync,
    /// [`Synchronizer::publish`](crate::backend::Synchronizer::publish).
    Publish,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// [`BackendError::Unavailable`]: nothing is written.
    Unavailable,
    /// [`BackendError::Unknown`] after the call was carried out.
    UnknownWritten,
    /// [`BackendError::Unknown`] without the call having been carried out.
    UnknownNotWritten,
    /// [`BackendError::Full`]: nothing is written.
    Full,
    /// [`BackendError::Full`], but only for batches that may not use the reserve.
    FullForIntents,
    /// [`BackendError::Conflict`]: nothing is written.
    Conflict,
    /// [`BackendError::Poisoned`]; every later call of both halves fails in the same way until
    /// the store is opened again.
    Poison,
    /// The call panics.
    Panic,
    /// The call does not return until [`Faults::release`], whatever its deadline; then it is
    /// carried out.
    Hang,
}

/// What is wrong with a [`FaultyBackend`](super::FaultyBackend), changed while it is in use.
///
/// Clones share the same faults.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    planned: Vec<Planned>,
    poisoned: bool,
    hanging: usize,
    /// What an inspection finds.
    concerns: Vec<Concern>,
    /// Counts releases, so that a call that hangs learns that its time has come.
    releases: u64,
    calls: Vec<(Call, u64)>,
}

#[derive(Debug)]
struct Planned {
    call: Call,
    fault: Fault,
    /// How many times the fault still happens; `None` until healed.
    times: Option<u32>,
}

impl Faults {
    /// No faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the next `call` fail.
    pub fn once(&self, call: Call, fault: Fault) {
        self.times(call, fault, 1);
    }

    /// Makes the next `times` calls of this kind fail.
    pub fn times(&self, call: Call, fault: Fault, times: u32) {
        self.plan(call, fault, Some(times));
    }

    /// Makes every `call` fail until [`heal`](Self::heal).
    pub fn until_healed(&self, call: Call, fault: Fault) {
        self.plan(call, fault, None);
    }

    fn plan(&self, call: Call, fault: Fault, times: Option<u32>) {
        self.state().planned.push(Planned { call, fault, times });
    }

    /// Removes every fault but poison, and lets calls that hang go on.
    pub fn heal(&self) {
        self.state().planned.clear();
        self.release();
    }

    /// Lets calls that hang now go on; later ones hang again if so planned.
    pub fn release(&self) {
        self.state().releases += 1;
        self.shared.changed.notify_all();
    }

    /// What every inspection finds from now on, in the place of what it found before.
    pub fn find(&self, concerns: impl IntoIterator<Item = Concern>) {
        self.state().concerns = concerns.into_iter().collect();
    }

    pub(super) fn concerns(&self) -> Vec<Concern> {
        self.state().concerns.clone()
    }

    /// How many calls hang.
    #[must_use]
    pub fn hanging(&self) -> usize {
        self.state().hanging
    }

    /// How often `call` has been made, those included that failed.
    #[must_use]
    pub fn calls(&self, call: Call) -> u64 {
        let state = self.state();
        state.calls.iter().find(|(counted, _)| *counted == call).map_or(0, |(_, count)| *count)
    }

    /// Decides about one call; hangs if that is planned.
    ///
    /// `Ok(None)`: carry it out. `Ok(Some(error))`: carry it out and fail. `Err`: only fail.
    pub(super) fn decide(&self, call: Call, may_use_reserve: bool) -> Result<Option<BackendError>, BackendError> {
        let mut state = self.state();
        state.count(call);
        if call == Call::Open {
            state.poisoned = false;
        }
        if state.poisoned {
            return Err(poisoned());
        }
        match state.next_fault(call, may_use_reserve) {
            None => Ok(None),
            Some(Fault::Hang) => {
                self.hang(state);
                Ok(None)
            }
            Some(Fault::UnknownWritten) => Ok(Some(unknown())),
            Some(Fault::UnknownNotWritten) => Err(unknown()),
            Some(Fault::Unavailable) => {
                Err(BackendError::unavailable("a call that was made to fail", io::ErrorKind::ConnectionRefused.into()))
            }
            Some(Fault::Full | Fault::FullForIntents) => Err(BackendError::Full { detail: "made to be full".into() }),
            Some(Fault::Conflict) => Err(BackendError::Conflict { found: None, detail: "made to conflict".into() }),
            Some(Fault::Poison) => {
                state.poisoned = true;
                Err(poisoned())
            }
            Some(Fault::Panic) => {
                drop(state);
                panic!("a store that was made to panic");
            }
        }
    }

    fn hang(&self, mut state: MutexGuard<'_, State>) {
        let seen = state.releases;
        state.hanging += 1;
        while state.releases == seen {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.hanging -= 1;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count(&mut self, call: Call) {
        match self.calls.iter_mut().find(|(counted, _)| *counted == call) {
            Some((_, count)) => *count += 1,
            None => self.calls.push((call, 1)),
        }
    }

    /// The first fault that is planned for `call`, used up by one.
    fn next_fault(&mut self, call: Call, may_use_reserve: bool) -> Option<Fault> {
        let at = self
            .planned
            .iter()
            .position(|planned| planned.call == call && !(planned.fault == Fault::FullForIntents && may_use_reserve))?;
        let planned = self.planned.get_mut(at)?;
        let fault = planned.fault;
        if let Some(times) = &mut planned.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.planned.remove(at);
            }
        }
        Some(fault)
    }
}

fn unknown() -> BackendError {
    BackendError::unknown("a call that was made to fail", io::ErrorKind::ConnectionReset.into())
}

fn poisoned() -> BackendError {
    BackendError::Poisoned { detail: "made to fail".into() }
}
