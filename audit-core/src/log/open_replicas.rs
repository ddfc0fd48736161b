//! Opening the replicas of a log and comparing them with its primary, before the log is open.

use std::thread;
use std::time::Instant;

use super::comparing::{Mismatch, Relation, compare, leaf_at};
use super::healing::heal;
use super::sequencer::far;
use super::stores::ReplicaState;
use super::{LogLimits, OpenError, Replica};
use crate::backend::{Backend, BackendError, Head, Opened, Recovery};
use crate::evidence::SignedCheckpoint;
use crate::key::VerifierKey;

/// The most replicas that a log may have.
pub(crate) const REPLICAS: usize = 8;

/// A replica on its way to being filled.
#[derive(Debug)]
pub(crate) struct Candidate {
    replica: Replica,
    name: String,
    /// What it held when it was opened; `None` when it could not be reached.
    opened: Option<Opened>,
}

/// What was copied from a replica because the primary had lost it.
#[derive(Debug)]
pub(crate) struct Healed {
    pub(crate) from: String,
    pub(crate) lines: u64,
}

impl Candidate {
    /// The replica as far as it is known before the log is open.
    pub(crate) fn state(&self) -> ReplicaState {
        let Replica { backend, lag_records, lag_time, .. } = &self.replica;
        let state = ReplicaState::new(self.name.clone(), *lag_records, *lag_time, backend.capabilities());
        if let Some(opened) = &self.opened {
            state.compared(backend.capabilities(), opened.head.size);
        }
        state
    }

    pub(crate) fn verifier_key(&self) -> Option<&str> {
        self.opened.as_ref()?.verifier_key.as_deref()
    }

    /// The store, and what it holds if it has been compared.
    pub(crate) fn into_parts(self) -> (Box<dyn Backend>, Option<Opened>) {
        (self.replica.backend, self.opened)
    }

    fn failed(&self, source: BackendError) -> OpenError {
        OpenError::Replica { name: self.name.clone(), source }
    }

    /// Takes the result of a call: an error that may pass means that the replica is compared later.
    fn unless_unreachable<T>(&mut self, result: Result<T, BackendError>) -> Result<Option<T>, OpenError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_retryable() => {
                self.opened = None;
                Ok(None)
            }
            Err(error) => Err(self.failed(error)),
        }
    }
}

/// Opens all replicas at once. One that cannot be reached stays unopened.
pub(crate) fn open_all(replicas: Vec<Replica>, limits: &LogLimits) -> Result<Vec<Candidate>, OpenError> {
    if replicas.len() > REPLICAS {
        let detail = format!("{} replicas: a log may have {REPLICAS}", replicas.len());
        return Err(OpenError::Configuration { detail });
    }
    let mut candidates = named(replicas);
    let deadline = far(Instant::now(), limits.replica_open_timeout.min(limits.open_timeout));
    let results: Vec<_> = thread::scope(|scope| {
        let opening: Vec<_> = candidates
            .iter_mut()
            .map(|candidate| scope.spawn(move || candidate.replica.backend.open(deadline)))
            .collect();
        opening.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    for (candidate, result) in candidates.iter_mut().zip(results) {
        let result = result.unwrap_or_else(|_| {
            Err(BackendError::Poisoned { detail: "the store panicked while it was opened".to_owned() })
        });
        candidate.opened = candidate.unless_unreachable(result)?;
    }
    Ok(candidates)
}

fn named(replicas: Vec<Replica>) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::with_capacity(replicas.len());
    for replica in replicas {
        let wanted = replica.name.clone().unwrap_or_else(|| replica.backend.name().to_owned());
        let taken = |name: &str| candidates.iter().any(|candidate| candidate.name == name);
        let mut name = wanted.clone();
        let mut number = 2;
        while taken(&name) {
            name = format!("{wanted}-{number}");
            number += 1;
        }
        candidates.push(Candidate { replica, name, opened: None });
    }
    candidates
}

/// Compares every replica that was reached with the primary, which holds what `opened` says. Fills the
/// primary from the one that continues it furthest, and makes a log of those that are empty.
pub(crate) fn reconcile(
    primary: &mut dyn Backend,
    opened: &mut Opened,
    candidates: &mut [Candidate],
    key: &VerifierKey,
    limits: &LogLimits,
) -> Result<Option<Healed>, OpenError> {
    let deadline = far(Instant::now(), limits.open_timeout);
    let own_place = primary.place();
    let itself = |candidate: &&Candidate| {
        candidate.opened.is_some() && own_place.is_some() && candidate.replica.backend.place() == own_place
    };
    if let Some(candidate) = candidates.iter().find(itself) {
        let detail = format!("the replica `{}` is the primary itself, under another name", candidate.name);
        return Err(OpenError::Configuration { detail });
    }
    let mut healed = None;
    if let Some(source) = furthest(primary, opened.head, candidates, key, limits)? {
        let before = opened.head.size;
        fill(primary, opened, source, limits, deadline)?;
        healed = Some(Healed { from: source.name.clone(), lines: opened.head.size - before });
    }
    for candidate in candidates.iter_mut().filter(|candidate| candidate.opened.is_some()) {
        if candidate.verifier_key().is_none() {
            let created = candidate.replica.backend.create(&key.to_string(), limits.backend_deadline());
            candidate.unless_unreachable(created)?;
        }
    }
    Ok(healed)
}

/// Takes the newest checkpoint of the log from the replicas that have been compared, if the primary has
/// an older one. Says whether it did; the tree has to be checked against it.
pub(crate) fn adopt_checkpoint(opened: &mut Opened, candidates: &[Candidate]) -> bool {
    let there = candidates.iter().filter_map(|candidate| candidate.opened.as_ref()?.checkpoint.clone());
    let known = size_of(opened.checkpoint.as_deref());
    let newest = there
        .filter_map(|note| Some((size_of(Some(&note))?, note)))
        .filter(|(size, _)| *size <= opened.head.size && Some(*size) > known)
        .max_by_key(|(size, _)| *size);
    let Some((size, note)) = newest else {
        return false;
    };
    opened.checkpoint = Some(note);
    if let Some(recovery) = &mut opened.recovery {
        recovery.signed = size;
        recovery.adopted = opened.head.size - size;
    }
    true
}

/// The replica that continues the log furthest, if one does. Those that continue it too have to agree
/// with it as far as they go: otherwise nothing is changed anywhere.
fn furthest<'a>(
    primary: &mut dyn Backend,
    head: Head,
    candidates: &'a mut [Candidate],
    key: &VerifierKey,
    limits: &LogLimits,
) -> Result<Option<&'a mut Candidate>, OpenError> {
    let mut continuing: Vec<(usize, Head)> = Vec::new();
    for (index, candidate) in candidates.iter_mut().enumerate() {
        let Some(theirs) = candidate.opened.clone() else {
            continue;
        };
        let deadline = far(Instant::now(), limits.replica_open_timeout);
        let mut read_own = |range| primary.read(range, deadline);
        let backend = candidate.replica.backend.as_mut();
        match compare(&candidate.name, key, head, &mut read_own, backend, &theirs, deadline) {
            Ok(Relation::Continuation) => continuing.push((index, theirs.head)),
            Ok(_) => {}
            Err(Mismatch::Forked(detail)) => return Err(OpenError::Forked { detail }),
            Err(Mismatch::Store(error)) => {
                candidate.unless_unreachable::<()>(Err(error))?;
            }
        }
    }
    let Some((best, furthest)) = continuing.iter().copied().max_by_key(|(_, head)| head.size) else {
        return Ok(None);
    };
    let names: Vec<(String, Head)> = continuing
        .iter()
        .filter(|(index, _)| *index != best)
        .filter_map(|(index, head)| Some((candidates.get(*index)?.name.clone(), *head)))
        .collect();
    let Some(source) = candidates.get_mut(best) else {
        return Ok(None);
    };
    for (name, theirs) in names {
        agree(source, furthest, &name, theirs, limits)?;
    }
    Ok(Some(source))
}

/// Checks that the replica `name`, which ends at `theirs`, holds a beginning of `source`.
fn agree(
    source: &mut Candidate,
    furthest: Head,
    name: &str,
    theirs: Head,
    limits: &LogLimits,
) -> Result<(), OpenError> {
    let last = theirs.size.saturating_sub(1);
    let there = if theirs.size == furthest.size {
        furthest.leaf
    } else {
        let deadline = far(Instant::now(), limits.replica_open_timeout);
        let mut read = |range| source.replica.backend.read(range, deadline);
        leaf_at(last, &mut read).map_err(|error| source.failed(error))?
    };
    if there == theirs.leaf {
        return Ok(());
    }
    let detail = format!(
        "the replicas `{}` and `{name}` both continue the primary, and not with the same records: they differ at or before \
         record {last}",
        source.name
    );
    Err(OpenError::Forked { detail })
}

/// Copies what the primary lacks from `source`.
fn fill(
    primary: &mut dyn Backend,
    opened: &mut Opened,
    source: &mut Candidate,
    limits: &LogLimits,
    deadline: Instant,
) -> Result<(), OpenError> {
    let Some(theirs) = &source.opened else {
        return Ok(());
    };
    let backend = source.replica.backend.as_mut();
    opened.head = heal(primary, opened.head, &source.name, backend, theirs.head, limits, deadline)?;
    let signed = size_of(opened.checkpoint.as_deref()).unwrap_or(0);
    let mut recovery = opened.recovery.take().unwrap_or_else(|| Recovery::adopted(signed, 0));
    recovery.signed = signed;
    recovery.adopted = opened.head.size.saturating_sub(signed);
    opened.recovery = Some(recovery);
    Ok(())
}

/// The size that a checkpoint is about.
fn size_of(checkpoint: Option<&[u8]>) -> Option<u64> {
    Some(SignedCheckpoint::parse(checkpoint?).ok()?.checkpoint().size)
}
