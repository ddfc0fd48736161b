//! Comparing a fleet with what an earlier run saw of it.

use std::collections::{HashMap, HashSet};

use super::group::Group;
use super::place::Place;
use super::{FleetFinding, FleetState, Seen};
use crate::verify::{Class, Finding, FindingKind, Judgement};

/// What is gone or shorter than it was. Of a fleet that is not `whole`, only what was at the places that
/// are looked at can be gone.
pub(super) fn losses(earlier: &FleetState, groups: &[Group<'_, '_>], whole: bool) -> Vec<FleetFinding> {
    let named: HashMap<&str, &Group<'_, '_>> =
        groups.iter().filter_map(|group| Some((group.name.as_deref()?, group))).collect();
    let places = || groups.iter().flat_map(|group| &group.own);
    let unread: HashSet<&str> = places().filter(|place| place.unread.is_some()).map(Place::location).collect();
    let looked_at: HashSet<&str> = places().map(Place::location).collect();
    let mut findings = Vec::new();
    for (name, seen) in earlier.logs() {
        let location = seen.location.as_str();
        if let Some(place) = named.get(name).and_then(|group| group.largest()) {
            findings.extend(shorter(name, seen, place));
        } else if (whole || looked_at.contains(location)) && !unread.contains(location) {
            // What cannot be read has not vanished; that it cannot be read is said already.
            let detail = format!("the log {name}, which had {} records at `{location}`, is no longer there", seen.size);
            findings.push(FleetFinding::new(Finding::new(FindingKind::Vanished, detail), Some(name), [location]));
        }
    }
    findings
}

/// What was signed and is gone, the verdict on the log says too: it was given the checkpoint.
fn shorter(name: &str, seen: &Seen, place: &Place<'_, '_>) -> Option<FleetFinding> {
    let inquiry = place.inquiry.as_ref().filter(|inquiry| inquiry.complete && inquiry.size < seen.size)?;
    let size = inquiry.size;
    let signed = seen.checkpoint.as_ref().is_some_and(|signed| signed.checkpoint().size > size);
    let detail =
        format!("the log {name} at `{}` had {} records before and has {size} now", place.location(), seen.size);
    let finding = if signed {
        Finding::new(FindingKind::Truncated, detail)
    } else {
        let detail = format!(
            "{detail}: those behind its newest checkpoint are gone, as when its machine loses power before they are on disk"
        );
        Finding::new(FindingKind::Truncated, detail).class(Class::Warning)
    };
    Some(FleetFinding::new(finding.range(size, seen.size - 1), Some(name), [place.location()]))
}

/// What the next run is to compare with. Only an intact log moves it forward, and nothing moves it
/// back.
pub(super) fn after(earlier: FleetState, groups: &[Group<'_, '_>]) -> FleetState {
    let mut state = earlier;
    for group in groups {
        let (Some(name), Some(place)) = (&group.name, group.largest()) else {
            continue;
        };
        let seen = state.logs.entry(name.clone()).or_insert_with(|| Seen {
            location: place.location().to_owned(),
            size: 0,
            checkpoint: None,
        });
        let Some(inquiry) = &place.inquiry else { continue };
        if inquiry.verdict.judgement() != Judgement::Intact {
            continue;
        }
        place.location().clone_into(&mut seen.location);
        seen.size = seen.size.max(inquiry.size);
        let known = seen.checkpoint.as_ref().map_or(0, |signed| signed.checkpoint().size);
        if let Some(newest) = &inquiry.newest
            && newest.checkpoint().size > known
        {
            seen.checkpoint = Some(newest.clone());
        }
    }
    state
}
