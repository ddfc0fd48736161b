//! A single log of which nothing says any more which it is: it was emptied, or lost what says so.

use super::group::Group;
use super::place::Place;
use super::{Copies, FleetFinding};
use crate::verify::{Finding, FindingKind};

/// What the places that were named as its copies say of it.
pub(super) fn findings(groups: &[Group<'_, '_>], replicas: &[Copies<'_>]) -> Vec<FleetFinding> {
    let Some(own) = nameless(groups) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for group in groups {
        let copies = group.copies.iter().filter(|copy| is_one(copy, replicas) && copy.size > 0);
        findings.extend(copies.map(|copy| lost(own, group.name.as_deref(), copy)));
    }
    let many = replicas.iter().filter(|store| !store.one);
    findings.extend(many.map(|store| {
        let detail = format!(
            "nothing at `{}` says which log it is: it was compared with none of those in `{}`",
            own.location(),
            store.location
        );
        let finding = Finding::new(FindingKind::Unverifiable, detail);
        FleetFinding::new(finding, None, [own.location(), store.location.as_str()])
    }));
    findings
}

/// Leaves out what a replica's store holds of other logs.
pub(super) fn retain(groups: &mut Vec<Group<'_, '_>>, replicas: &[Copies<'_>]) {
    let nameless = nameless(groups).is_some();
    groups.retain(|group| {
        let named_as_copy = nameless && group.copies.iter().any(|copy| is_one(copy, replicas));
        !group.own.is_empty() || group.name.is_none() || named_as_copy
    });
}

/// The log, if it can be read and has no name.
fn nameless<'g, 'p, 'a>(groups: &'g [Group<'p, 'a>]) -> Option<&'g Place<'p, 'a>> {
    let own = groups.iter().filter(|group| group.name.is_none()).find_map(|group| group.own.first());
    own.filter(|own| own.unread.is_none())
}

fn is_one(copy: &Place<'_, '_>, replicas: &[Copies<'_>]) -> bool {
    copy.store.and_then(|store| replicas.get(store)).is_some_and(|store| store.one)
}

fn lost(own: &Place<'_, '_>, name: Option<&str>, copy: &Place<'_, '_>) -> FleetFinding {
    let (here, there, size) = (own.location(), copy.location(), copy.size);
    let which = name.map(|name| format!(" of the log {name}")).unwrap_or_default();
    let finding = if own.size == 0 {
        let detail = format!("`{here}` holds no record, but its copy at `{there}` has {size}{which}");
        Finding::new(FindingKind::Vanished, detail)
    } else {
        let detail = format!(
            "nothing at `{here}` says which log it is: it was not compared with the {size} records{which} at `{there}`"
        );
        Finding::new(FindingKind::Unverifiable, detail)
    };
    FleetFinding::new(finding, name, [here, there])
}
