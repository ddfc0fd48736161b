//! Comparing a fleet with what an earlier run saw of it.

use std::collections::{HashMap, HashSet};

use super::group::Group;
use super::location::lies_under;
use super::place::Place;
use super::{Copies, FleetFinding, FleetState, Seen, SeenCopy};
use crate::verify::{Class, Finding, FindingKind, Judgement};

/// What a run found, and where it looked.
#[derive(Debug)]
pub(super) struct Found<'f, 'p, 'a> {
    pub(super) groups: &'f [Group<'p, 'a>],
    pub(super) replicas: &'f [Copies<'a>],
    /// Whether these are all the logs that should be there.
    pub(super) whole: bool,
    pub(super) under: Option<&'f str>,
}

impl<'f, 'p, 'a> Found<'f, 'p, 'a> {
    fn named(&self) -> HashMap<&'f str, &'f Group<'p, 'a>> {
        self.groups.iter().filter_map(|group| Some((group.name.as_deref()?, group))).collect()
    }

    fn own(&self) -> impl Iterator<Item = &'f Place<'p, 'a>> {
        self.groups.iter().flat_map(|group| &group.own)
    }

    /// Whether whatever was there would have been found.
    fn looked_at(&self, place: &str) -> bool {
        match self.under {
            Some(under) => lies_under(under, place),
            None => self.whole || self.own().any(|own| lies_under(own.known_as(), place)),
        }
    }

    /// The number of the store that was named on this run and that holds `place`, if all of it could be
    /// read.
    fn store_of(&self, place: &str) -> Option<usize> {
        let store = self.replicas.iter().position(|store| lies_under(&store.place, place))?;
        let copies = self.groups.iter().flat_map(|group| &group.copies);
        let readable = copies.filter(|copy| copy.store == Some(store)).all(|copy| copy.unread.is_none());
        readable.then_some(store)
    }
}

/// What is gone or shorter than it was. Of a fleet that is not whole, only what was at the places that
/// are looked at can be gone.
pub(super) fn losses(earlier: &FleetState, found: &Found<'_, '_, '_>) -> Vec<FleetFinding> {
    let named = found.named();
    let unread: HashSet<&str> = found.own().filter(|place| place.unread.is_some()).map(Place::known_as).collect();
    let mut findings = Vec::new();
    for (name, seen) in earlier.logs() {
        let location = seen.location.as_str();
        let group = named.get(name).copied();
        let looked_at = found.looked_at(location);
        if let Some(place) = group.and_then(Group::largest) {
            findings.extend(shorter(name, seen, place));
        } else if looked_at && !unread.contains(location) {
            // What cannot be read has not vanished; that it cannot be read is said already.
            let detail = format!("the log {name}, which had {} records at `{location}`, is no longer there", seen.size);
            findings.push(FleetFinding::new(Finding::new(FindingKind::Vanished, detail), Some(name), [location]));
        }
        if looked_at || group.is_some_and(|group| !group.own.is_empty()) {
            let copies = seen.copies.iter();
            findings.extend(copies.filter_map(|(place, copy)| lost_copy(name, place, *copy, group, found)));
        }
    }
    findings
}

/// What was signed and is gone, the verdict on the log says too: it was given the checkpoint.
fn shorter(name: &str, seen: &Seen, place: &Place<'_, '_>) -> Option<FleetFinding> {
    let inquiry = place.inquiry.as_ref().filter(|inquiry| inquiry.complete && inquiry.size < seen.size)?;
    let what = format!("the log {name} at `{}`", place.location());
    let finding = shrunk(&what, seen.size, inquiry.size, seen.signed());
    Some(FleetFinding::new(finding, Some(name), [place.location()]))
}

/// A copy that is gone or shorter than it was.
fn lost_copy(
    name: &str,
    place: &str,
    seen: SeenCopy,
    group: Option<&Group<'_, '_>>,
    found: &Found<'_, '_, '_>,
) -> Option<FleetFinding> {
    let copy = group.and_then(|group| group.copies.iter().find(|copy| copy.known_as() == place));
    let finding = match copy {
        Some(copy) => {
            let inquiry = copy.inquiry.as_ref().filter(|inquiry| inquiry.complete && inquiry.size < seen.size)?;
            shrunk(&format!("the copy of the log {name} at `{place}`"), seen.size, inquiry.size, seen.signed)
        }
        None => {
            found.store_of(place)?;
            let what = format!("the copy of the log {name} at `{place}`, which had {} records,", seen.size);
            Finding::new(FindingKind::Vanished, format!("{what} is no longer there"))
        }
    };
    Some(FleetFinding::new(finding, Some(name), [place]))
}

/// Something that had `before` records has `now` less.
fn shrunk(what: &str, before: u64, now: u64, signed: u64) -> Finding {
    let detail = format!("{what} had {before} records before and has {now} now");
    let finding = if signed > now {
        Finding::new(FindingKind::Truncated, detail)
    } else {
        let detail = format!(
            "{detail}: those behind its newest checkpoint are gone, as when its machine loses power before they are on disk"
        );
        Finding::new(FindingKind::Truncated, detail).class(Class::Warning)
    };
    finding.range(now, before - 1)
}

/// What the next run is to compare with. Only an intact log of which no comparison says otherwise moves
/// it forward, and nothing moves it back.
pub(super) fn after(earlier: FleetState, groups: &[Group<'_, '_>], findings: &[FleetFinding]) -> FleetState {
    let tampered = findings.iter().filter(|found| found.finding.class == Class::Tamper);
    let disputed: HashSet<&str> = tampered.filter_map(|found| found.log.as_deref()).collect();
    let mut state = earlier;
    for group in groups {
        let (Some(name), Some(place)) = (&group.name, group.largest()) else {
            continue;
        };
        let seen = state.logs.entry(name.clone()).or_insert_with(|| Seen {
            location: place.known_as().to_owned(),
            size: 0,
            checkpoint: None,
            copies: std::collections::BTreeMap::new(),
        });
        if !disputed.contains(name.as_str()) {
            advance(seen, place);
            group.copies.iter().for_each(|copy| advance_copy(seen, copy));
        }
    }
    state
}

fn advance(seen: &mut Seen, place: &Place<'_, '_>) {
    let intact = place.inquiry.as_ref().filter(|inquiry| inquiry.verdict.judgement() == Judgement::Intact);
    let Some(inquiry) = intact else { return };
    place.known_as().clone_into(&mut seen.location);
    seen.size = seen.size.max(inquiry.size);
    if let Some(newest) = &inquiry.newest
        && newest.checkpoint().size > seen.signed()
    {
        seen.checkpoint = Some(newest.clone());
    }
}

fn advance_copy(seen: &mut Seen, copy: &Place<'_, '_>) {
    let intact = copy.inquiry.as_ref().filter(|inquiry| inquiry.verdict.judgement() == Judgement::Intact);
    if let Some(inquiry) = intact {
        let now = SeenCopy { size: inquiry.size, signed: inquiry.verdict.signed };
        seen.copies.entry(copy.known_as().to_owned()).or_default().advance(now);
    }
}
