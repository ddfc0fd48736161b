//! Anything that is not as it was, anywhere.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod sample;

use std::num::NonZero;

use audit_core::verify::{Judgement, Verifier};
use proptest::prelude::*;
use sample::{InMemory, Log};

fn judge(log: &InMemory, key: Option<&Log>) -> Judgement {
    let mut verifier = Verifier::new().threads(NonZero::<usize>::MIN);
    if let Some(log) = key {
        verifier = verifier.key(log.verifier_key());
    }
    verifier.run(log).judgement()
}

/// Flips a bit in each of the bytes that `part` picks, and asks what becomes of the verdict.
fn flip_all(part: impl Fn(&mut InMemory) -> &mut [u8], pinned: bool, accepted: &[Judgement]) {
    let log = Log::sample();
    let mut stored = InMemory::new(&log);
    let key = pinned.then_some(&log);
    assert_eq!(judge(&stored, key), Judgement::Intact);
    for at in 0..part(&mut stored).len() {
        let bit = at * 5 % 8;
        part(&mut stored)[at] ^= 1 << bit;
        let found = judge(&stored, key);
        assert!(accepted.contains(&found), "bit {bit} of byte {at}: {found}");
        part(&mut stored)[at] ^= 1 << bit;
    }
}

#[test]
fn a_flipped_bit_in_any_line_is_tampering() {
    for segment in 0..3 {
        flip_all(|log| &mut log.segments[segment], true, &[Judgement::Tampered]);
    }
}

#[test]
fn a_flipped_bit_in_any_checkpoint_is_tampering() {
    flip_all(|log| log.checkpoint.as_mut().expect("a checkpoint"), true, &[Judgement::Tampered]);
    for kept in 0..2 {
        flip_all(|log| &mut log.kept[kept].1, true, &[Judgement::Tampered]);
    }
}

#[test]
fn a_flipped_bit_in_the_key_beside_the_log_is_never_taken_for_intact() {
    // White space around the key means nothing.
    fn key(log: &mut InMemory) -> &mut [u8] {
        let key = log.key.as_mut().expect("a key");
        let end = key.len() - 1;
        &mut key[..end]
    }
    flip_all(key, false, &[Judgement::Tampered, Judgement::Unverifiable]);
    flip_all(key, true, &[Judgement::Tampered]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bits_and_lost_or_added_bytes_are_tampering_however_the_log_is_delivered(
        step in 1_usize..700,
        segment in 0_usize..3,
        place in any::<prop::sample::Index>(),
        bit in 0_u8..8,
        change in 0_u8..3,
    ) {
        let log = Log::sample();
        let mut stored = InMemory::new(&log);
        stored.step = step;
        prop_assert_eq!(judge(&stored, Some(&log)), Judgement::Intact);
        let bytes = &mut stored.segments[segment];
        let at = place.index(bytes.len());
        match change {
            0 => bytes[at] ^= 1 << bit,
            1 => { bytes.remove(at); }
            _ => bytes.insert(at, b'0' + bit),
        }
        prop_assert_eq!(judge(&stored, Some(&log)), Judgement::Tampered);
    }

    #[test]
    fn whatever_is_done_to_the_lines_is_tampering_unless_it_is_undone(
        changes in prop::collection::vec((0_u8..7, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..7),
        first in 1_usize..10,
        step in prop_oneof![Just(usize::MAX), 50_usize..700],
    ) {
        let good = Log::sample();
        let mut stored = InMemory::new(&good);
        stored.step = step;
        let mut log = good.clone();
        for (change, one, other) in changes {
            if log.lines.is_empty() {
                break;
            }
            let (at, to) = (one.index(log.lines.len()), other.index(log.lines.len()));
            match change {
                0 => { log.lines.remove(at); }
                1 => log.lines.swap(at, to),
                2 => log.lines.insert(to, log.lines[at].clone()),
                3 => log.lines.insert(at, b"garbage".to_vec()),
                4 => { log.lines.drain(at.min(to)..at.max(to)); }
                5 => log.lines[at.min(to)..=at.max(to)].reverse(),
                _ => {
                    let length = log.lines[at].len();
                    log.lines[at][other.index(length)] ^= 1;
                }
            }
        }
        log.segments = vec![0, first];
        log.signed.clear();
        stored.segments = InMemory::new(&log).segments;
        let whole = |segments: &[Vec<u8>]| segments.concat();
        let expected = if whole(&stored.segments) == whole(&InMemory::new(&good).segments) {
            Judgement::Intact
        } else {
            Judgement::Tampered
        };
        prop_assert_eq!(judge(&stored, Some(&good)), expected);
    }
}
