//! A store that is made to fail fails as it was told, and tells the truth when it works.

#![allow(clippy::unwrap_used, reason = "what is shared between tests may fail them")]

use std::time::{Duration, Instant};

use audit_core::backend::{Backend, BackendError, Durability, Head, Memory};
use audit_core::conformance::{Sample, VERIFIER_KEY};
use audit_core::testing::{Call, Fault, Faults, FaultyBackend};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn created() -> (FaultyBackend<Memory>, Faults, Memory, Sample) {
    let memory = Memory::promising(Durability::Synced);
    let (mut backend, faults) = FaultyBackend::new(memory.clone());
    backend.open(soon()).unwrap();
    backend.create(VERIFIER_KEY, soon()).unwrap();
    (backend, faults, memory, Sample::after(Head::EMPTY).lines(2, "x"))
}

#[test]
fn a_fault_happens_as_often_as_it_was_planned() {
    let (mut backend, faults, memory, sample) = created();
    faults.times(Call::Append, Fault::Unavailable, 2);
    for _ in 0..2 {
        let error = backend.append(Head::EMPTY, &sample.batch(), soon()).unwrap_err();
        assert!(error.is_retryable() && error.outcome_is_known(), "{error}");
        assert_eq!(memory.size(), 0);
    }
    backend.append(Head::EMPTY, &sample.batch(), soon()).unwrap();
    assert_eq!(memory.bytes(), sample.bytes());
    assert_eq!(faults.calls(Call::Append), 3);
}

#[test]
fn an_unknown_result_may_have_been_written_or_not() {
    for (fault, lines) in [(Fault::UnknownWritten, 2), (Fault::UnknownNotWritten, 0)] {
        let (mut backend, faults, memory, sample) = created();
        faults.once(Call::Append, fault);
        let error = backend.append(Head::EMPTY, &sample.batch(), soon()).unwrap_err();
        assert!(!error.outcome_is_known(), "{error}");
        assert_eq!(memory.size(), lines);
        assert_eq!(backend.head(soon()).unwrap().size, lines);
    }
}

#[test]
fn a_full_store_may_have_kept_room_for_outcomes() {
    let (mut backend, faults, _, sample) = created();
    faults.until_healed(Call::Append, Fault::FullForIntents);
    let intents = sample.batch();
    let full = backend.append(Head::EMPTY, &intents, soon()).unwrap_err();
    assert!(matches!(full, BackendError::Full { .. }));
    let mut outcomes = intents;
    outcomes.may_use_reserve = true;
    backend.append(Head::EMPTY, &outcomes, soon()).unwrap();
    faults.heal();
    let more = Sample::after(sample.head()).lines(1, "y");
    backend.append(more.before(), &more.batch(), soon()).unwrap();
}

#[test]
fn poison_lasts_for_both_halves_until_the_store_is_opened_again() {
    let (mut backend, faults, _, sample) = created();
    let mut synchronizer = backend.synchronizer().unwrap();
    faults.once(Call::Sync, Fault::Poison);
    for _ in 0..2 {
        assert!(matches!(synchronizer.sync(soon()), Err(BackendError::Poisoned { .. })));
        let appended = backend.append(Head::EMPTY, &sample.batch(), soon());
        assert!(matches!(appended, Err(BackendError::Poisoned { .. })));
    }
    backend.open(soon()).unwrap();
    backend.append(Head::EMPTY, &sample.batch(), soon()).unwrap();
}

#[test]
fn a_call_that_hangs_goes_on_when_it_is_released() {
    let (mut backend, faults, memory, sample) = created();
    faults.once(Call::Append, Fault::Hang);
    let batch = sample.clone();
    let appending = std::thread::spawn(move || {
        backend.append(Head::EMPTY, &batch.batch(), Instant::now() + Duration::from_secs(60))
    });
    while faults.hanging() == 0 {
        std::thread::yield_now();
    }
    assert_eq!(memory.size(), 0);
    faults.release();
    appending.join().unwrap().unwrap();
    assert_eq!(memory.bytes(), sample.bytes());
}

#[test]
fn lines_and_bytes_of_a_memory_are_those_of_all_its_clones() {
    let (mut backend, _, memory, sample) = created();
    backend.append(Head::EMPTY, &sample.batch(), soon()).unwrap();
    assert_eq!(memory.bytes(), sample.bytes());
    let lines: Vec<Vec<u8>> = sample.bytes().split(|byte| *byte == b'\n').map(Vec::from).collect();
    assert_eq!(memory.lines(), lines[..2]);
    assert_eq!(memory.verifier_key().as_deref(), Some(VERIFIER_KEY));
    assert_eq!(memory.checkpoint(), None);
}

#[test]
fn memory_promises_nothing_unless_it_is_told_to() {
    assert!(!Memory::new().capabilities().can_reach(Durability::Written));
    let synced = Memory::promising(Durability::Synced).capabilities();
    assert!(synced.can_reach(Durability::Synced));
    assert!(!synced.can_reach(Durability::Replicated));
}
