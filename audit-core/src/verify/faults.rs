//! What is wrong with the chain, gathered line by line.

use super::FindingKind;

/// How many stretches of each kind are told apart; the rest is counted.
const KEPT: usize = 1_000;

/// Consecutive records with the same fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: FindingKind,
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// What is wrong, in the words of whoever saw it first.
    pub(crate) why: String,
    /// The one record among them that explains all, if a signed root confirms it.
    pub(crate) suspect: Option<u64>,
}

/// All the faults of a chain.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    kept: Vec<Fault>,
    /// Stretches that were not kept, by the position of the first.
    pub(crate) dropped: u64,
}

impl Faults {
    /// Adds a fault, or lengthens the last one of this kind when they touch.
    pub(crate) fn add(&mut self, kind: FindingKind, from: u64, to: u64, why: impl FnOnce() -> String) {
        let last = self.kept.iter_mut().rev().take(4).find(|fault| fault.kind == kind);
        if let Some(last) = last
            && from <= last.to.saturating_add(1)
            && from >= last.from
        {
            last.to = last.to.max(to);
            return;
        }
        if self.kept.len() >= KEPT {
            self.dropped += 1;
            return;
        }
        self.kept.push(Fault { kind, from, to, why: why(), suspect: None });
    }

    /// The last fault, if it is of this kind.
    pub(crate) fn last_mut(&mut self, kind: FindingKind) -> Option<&mut Fault> {
        self.kept.last_mut().filter(|fault| fault.kind == kind)
    }

    /// Takes `seq` out of the stretch that was said to be missing; `false` if it was not.
    pub(crate) fn found_again(&mut self, seq: u64) -> bool {
        let Some(at) = self
            .kept
            .iter()
            .position(|fault| fault.kind == FindingKind::Missing && (fault.from..=fault.to).contains(&seq))
        else {
            return false;
        };
        if self.kept.len() > 2 * KEPT {
            return true;
        }
        let fault = self.kept.remove(at);
        let part = |from: u64, to: u64| Fault { from, to, ..fault.clone() };
        if seq < fault.to {
            self.kept.insert(at, part(seq + 1, fault.to));
        }
        if seq > fault.from {
            self.kept.insert(at, part(fault.from, seq - 1));
        }
        true
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.kept.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Fault> {
        self.kept.iter_mut()
    }
}
