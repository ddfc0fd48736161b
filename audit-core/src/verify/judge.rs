//! From what was found to findings: which fault explains which.

use super::chain::Chain;
use super::faults::Fault;
use super::heads::{Head, Heads};
use super::{Class, Finding, FindingKind};

/// The findings on the chain and the tree, given the heads whose signatures are good.
pub(crate) fn judge(chain: &mut Chain<'_>, heads: &Heads, out: &mut Vec<Finding>) {
    let signed = heads.largest();
    confirm_suspects(chain, heads);
    compare_roots(chain, heads, out);
    compare_heads(heads, out);
    truncated(chain, heads, out);
    let torn = torn_from(chain, signed);
    for fault in chain.faults.iter() {
        if torn.is_none_or(|torn| fault.from < torn) {
            out.push(of_fault(fault));
        }
    }
    if chain.faults.dropped > 0 {
        out.push(
            Finding::new(
                FindingKind::Malformed,
                format!("{} more stretches are not as they were", chain.faults.dropped),
            )
            .class(Class::Tamper),
        );
    }
    tail(chain, signed, torn, out);
}

/// A record between two broken links is the culprit if the tree is right with it put back.
fn confirm_suspects(chain: &mut Chain<'_>, heads: &Heads) {
    let roots = &chain.roots;
    for fault in chain.faults.iter_mut() {
        if let Some(suspect) = fault.suspect.take()
            && heads.good().any(|head| head.size() > suspect + 1 && matches(head, roots.at(head.size())))
        {
            (fault.from, fault.to) = (suspect, suspect);
            fault.why = format!("does not carry the hash of record {}", suspect.saturating_sub(1));
        }
    }
}

fn matches(head: &Head, root: Option<crate::evidence::Hash>) -> bool {
    root == Some(head.signed.checkpoint().root)
}

/// Compares the tree with each signed root, and says between which two it departs.
fn compare_roots(chain: &Chain<'_>, heads: &Heads, out: &mut Vec<Finding>) {
    let mut good: Vec<&Head> = heads.good().collect();
    good.sort_by_key(|head| head.size());
    for (at, head) in good.iter().enumerate() {
        let size = head.size();
        let Some(root) = chain.roots.at(size) else {
            continue;
        };
        if matches(head, Some(root)) {
            continue;
        }
        let before = good.iter().take(at).filter(|other| other.size() < size);
        let right = before.filter(|other| matches(other, chain.roots.at(other.size()))).map(|other| other.size());
        let right = right.max().unwrap_or(0);
        let mut as_large = good.iter().filter(|other| other.size() >= size);
        if let Some(other) = as_large.find(|other| matches(other, chain.roots.at(other.size()))) {
            out.push(
                Finding::new(
                    FindingKind::Forked,
                    format!(
                        "{} is of a log with other records than {}, and both are signed",
                        head.called(),
                        other.called()
                    ),
                )
                .range(right, size.saturating_sub(1)),
            );
            continue;
        }
        let explained = chain
            .faults
            .iter()
            .any(|fault| fault.kind.class() == Class::Tamper && fault.from < size && fault.to + 1 >= right);
        if !explained {
            out.push(
                Finding::new(
                    FindingKind::Rewritten,
                    format!(
                        "records {right} to {} chain, but they are not those that {} signs",
                        size.saturating_sub(1),
                        head.called()
                    ),
                )
                .range(right, size.saturating_sub(1)),
            );
        }
        break;
    }
}

/// Two heads of one size and different roots cannot both be of one log.
fn compare_heads(heads: &Heads, out: &mut Vec<Finding>) {
    let mut good: Vec<&Head> = heads.good().collect();
    good.sort_by_key(|head| head.size());
    for pair in good.windows(2) {
        if let [one, other] = pair
            && one.size() == other.size()
            && one.signed.checkpoint().root != other.signed.checkpoint().root
            && !out.iter().any(|finding| finding.kind == FindingKind::Forked)
        {
            out.push(Finding::new(
                FindingKind::Forked,
                format!("{} and {} are signed, have the same size and different roots", one.called(), other.called()),
            ));
        }
    }
}

fn truncated(chain: &Chain<'_>, heads: &Heads, out: &mut Vec<Finding>) {
    let size = chain.size();
    let Some(head) = heads.good().max_by_key(|head| head.size()) else {
        return;
    };
    if head.size() <= size {
        return;
    }
    let mut detail = format!("{} signs {} records, but only {size} are there", head.called(), head.size());
    if chain.torn.0 > 0 {
        detail.push_str(&format!(" and {} bytes that are not a record", chain.torn.0));
    }
    out.push(Finding::new(FindingKind::Truncated, detail).range(size, head.size() - 1));
}

/// The first position in the unsigned part that holds no record: what follows it is torn too.
fn torn_from(chain: &Chain<'_>, signed: u64) -> Option<u64> {
    let malformed = chain.faults.iter().filter(|fault| fault.kind == FindingKind::Malformed && fault.from >= signed);
    malformed.map(|fault| fault.from).min()
}

/// What stands behind the newest head.
fn tail(chain: &Chain<'_>, signed: u64, torn: Option<u64>, out: &mut Vec<Finding>) {
    let end = torn.unwrap_or(chain.size());
    if end > signed {
        let detail = if signed == 0 {
            format!("no checkpoint signs any of the {end} records")
        } else {
            format!("{} records after the newest checkpoint are not signed yet", end - signed)
        };
        out.push(Finding::new(FindingKind::UnsignedTail, detail).range(signed, end - 1));
    }
    let (bytes, zeros) = chain.torn;
    if let Some(torn) = torn {
        let why = chain
            .faults
            .iter()
            .find(|fault| fault.kind == FindingKind::Malformed && fault.from == torn)
            .map_or("not a record", |fault| fault.why.as_str());
        out.push(
            Finding::new(
                FindingKind::TornTail,
                format!("after the newest checkpoint stands something that is not a record: {why}"),
            )
            .at(torn),
        );
    } else if bytes > 0 && chain.size() >= signed {
        let what = if zeros { "zero bytes" } else { "bytes without a line feed" };
        out.push(
            Finding::new(
                FindingKind::TornTail,
                format!("the log ends with {bytes} {what}: a write that was cut short"),
            )
            .at(chain.size()),
        );
    }
}

fn of_fault(fault: &Fault) -> Finding {
    let Fault { kind, from, to, why, .. } = fault;
    let one = from == to;
    let which = if one { format!("record {from}") } else { format!("records {from} to {to}") };
    let detail = match kind {
        FindingKind::Edited if one => format!("{which} was changed: it {why}"),
        FindingKind::Edited => format!("at least one of {which} was changed: their links are broken"),
        FindingKind::Missing if one => format!("{which} is missing"),
        FindingKind::Missing => format!("{which} are missing"),
        FindingKind::Malformed => format!("{which} cannot be read as it was written: {why}"),
        FindingKind::Unverifiable => format!("{which} cannot be checked: {why}"),
        _ if one => format!("{which} {why}"),
        _ => format!("{which}: each {why}"),
    };
    Finding::new(*kind, detail).range(*from, *to)
}
