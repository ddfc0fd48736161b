use std::collections::BTreeMap;

use super::{Finding, FindingKind};

/// How many findings of each kind are listed; the rest is counted.
const LISTED: u64 = 1_000;

/// Gathers findings, with a bound on each kind.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    listed: Vec<Finding>,
    counts: BTreeMap<FindingKind, (u64, Option<Finding>)>,
}

impl Findings {
    pub(crate) fn add(&mut self, finding: Finding) {
        let (count, last) = self.counts.entry(finding.kind).or_default();
        *count += 1;
        if *count <= LISTED {
            self.listed.push(finding);
        } else {
            *last = Some(finding);
        }
    }

    /// All of them; those that were not listed in one finding for each kind.
    pub(crate) fn into_vec(self) -> Vec<Finding> {
        let mut listed = self.listed;
        for (kind, (count, last)) in self.counts {
            if let Some(mut last) = last {
                let more = count - LISTED;
                last.detail = format!("{more} more findings of this kind ({kind}), up to here");
                listed.push(last);
            }
        }
        listed
    }
}
