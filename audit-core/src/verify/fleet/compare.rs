//! Comparing two copies of one log: their trees where both have a root, their lines where not.

use super::lag::Lag;
use super::place::Place;
use crate::verify::inquiry::Inquiry;
use crate::verify::{Class, Finding, FindingKind, Lines, LogReader, ReadError};

/// What two places that hold the log `name` say of each other. Both have been verified. `copy` is in a
/// replica's store, or a second place of the fleet, and may be behind by `lag`.
pub(super) fn compare(
    name: &str,
    log: &Place<'_, '_>,
    copy: &Place<'_, '_>,
    lag: Lag,
) -> Result<Vec<Finding>, ReadError> {
    let (Some(one), Some(other)) = (&log.inquiry, &copy.inquiry) else {
        return Ok(Vec::new());
    };
    if one.size == 0 && !one.complete || other.size == 0 && !other.complete {
        return Ok(Vec::new());
    }
    let mut findings = Vec::new();
    if let Some(at) = differ(log, one, copy, other)? {
        let what = format!("`{}` and `{}` both hold the log {name}", log.location(), copy.location());
        findings.push(match at {
            At::Record(seq) => {
                Finding::new(FindingKind::Forked, format!("{what}, and differ from record {seq} on")).at(seq)
            }
            At::Between(from, to) => Finding::new(
                FindingKind::Forked,
                format!("{what}, and their trees differ somewhere in records {from} to {to}"),
            )
            .range(from, to),
        });
    } else if one.complete && other.complete {
        findings.extend(lengths(name, log, one, copy, other.size, lag)?);
    }
    Ok(findings)
}

/// Where two copies depart from one another.
enum At {
    Record(u64),
    Between(u64, u64),
}

/// The first record that both have and that is not the same. Reads lines only where no root of both
/// trees says that they agree.
fn differ(log: &Place<'_, '_>, one: &Inquiry, copy: &Place<'_, '_>, other: &Inquiry) -> Result<Option<At>, ReadError> {
    let end = one.size.min(other.size);
    let (mut same, mut unlike) = (0, None);
    for (size, root) in one.roots.iter().filter(|(size, _)| *size <= end) {
        let Ok(found) = other.roots.binary_search_by_key(size, |(size, _)| *size) else {
            continue;
        };
        if other.roots.get(found).is_some_and(|(_, theirs)| theirs == root) {
            same = *size;
        } else {
            unlike = Some(*size);
            break;
        }
    }
    if same == end {
        return Ok(None);
    }
    let until = unlike.unwrap_or(end);
    let first = first_difference(&*log.at.reader()?, &*copy.at.reader()?, same, until)?;
    Ok(first.map(At::Record).or_else(|| unlike.map(|size| At::Between(same, size - 1))))
}

/// The number of the first line from `from` on, before `until`, whose bytes are not the same.
fn first_difference(
    one: &dyn LogReader,
    other: &dyn LogReader,
    from: u64,
    until: u64,
) -> Result<Option<u64>, ReadError> {
    let (mut one, mut other) = (Lines::from(one, from)?, Lines::from(other, from)?);
    for seq in from..until {
        let (Some(line), Some(theirs)) = (one.next_line()?, other.next_line()?) else {
            return Ok(None);
        };
        if line != theirs {
            return Ok(Some(seq));
        }
    }
    Ok(None)
}

/// What it means that one is longer than the other.
fn lengths(
    name: &str,
    log: &Place<'_, '_>,
    inquiry: &Inquiry,
    copy: &Place<'_, '_>,
    copied: u64,
    lag: Lag,
) -> Result<Option<Finding>, ReadError> {
    let (size, here, there) = (inquiry.size, log.location(), copy.location());
    if size > copied {
        let which = if copy.is_replica() { "the replica at" } else { "the copy at" };
        let late = lag.exceeded(log, inquiry, copied)?;
        let detail = format!("{which} `{there}` is {} records of the log {name} behind `{here}`", size - copied);
        let (class, detail) = match late {
            Some(late) => (Class::Warning, format!("{detail}, {late}")),
            None => (Class::Info, detail),
        };
        return Ok(Some(Finding::new(FindingKind::Behind, detail).class(class).range(copied, size - 1)));
    }
    // The log was read after its copy, but its writer may have been between two steps.
    if size == copied || log.at.reader()?.size()? >= copied {
        return Ok(None);
    }
    let detail = format!(
        "`{here}` has {size} records of the log {name}, but its copy at `{there}` has {copied}: the last {} are gone from it",
        copied - size
    );
    Ok(Some(Finding::new(FindingKind::Truncated, detail).range(size, copied - 1)))
}

/// A replica's store without any copy of a log. For a log that was to be compared with nothing else,
/// the comparison did not take place.
pub(super) fn no_copy(name: &str, size: u64, store: &str, whole: bool) -> Finding {
    let detail = format!("`{store}` has no copy of the log {name}, which has {size} records");
    if whole {
        Finding::new(FindingKind::Behind, detail).class(Class::Warning)
    } else {
        Finding::new(FindingKind::Unverifiable, format!("{detail}: there was nothing to compare it with"))
    }
}
