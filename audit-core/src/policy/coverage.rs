//! Whether a rule can ever match, given an earlier one.

use super::conditions::Conditions;
use super::name_pattern::NamePattern;
use super::path_pattern::PathPattern;
use super::{Level, Rule};

/// Whether `earlier` matches every subject with a plainly spelled path, or without a path, that
/// `later` matches. Then `later` never decides anything.
///
/// Every field is compared with the whole field of the earlier rule: a path pattern is covered also
/// when only several patterns together match all that it matches.
pub(super) fn covers(earlier: &Rule, later: &Rule) -> bool {
    let (wide, narrow) = (&earlier.conditions, &later.conditions);
    wide.callers().covers(narrow.callers())
        && covers_names(wide.actor_ids.as_deref(), narrow.actor_ids.as_deref())
        && covers_names(wide.issuers.as_deref(), narrow.issuers.as_deref())
        && covers_methods(wide, narrow)
        && covers_names(wide.actions.as_deref(), narrow.actions.as_deref())
        && covers_paths(earlier, later)
}

fn covers_names(wide: Option<&[NamePattern]>, narrow: Option<&[NamePattern]>) -> bool {
    let Some(wide) = wide else { return true };
    narrow.is_some_and(|narrow| {
        let mut narrow = narrow.iter();
        narrow.all(|pattern| wide.iter().any(|other| other.covers(pattern)))
    })
}

fn covers_methods(wide: &Conditions, narrow: &Conditions) -> bool {
    let Some(wide) = &wide.methods else {
        return true;
    };
    narrow.methods.as_ref().is_some_and(|narrow| narrow.iter().all(|method| wide.contains(method)))
}

fn covers_paths(earlier: &Rule, later: &Rule) -> bool {
    let Some(wide) = &earlier.conditions.paths else {
        return true;
    };
    let Some(narrow) = &later.conditions.paths else {
        return false;
    };
    // A rule that records nothing does not match a final `/`, unless `**` stands for it.
    let is_narrowed = earlier.level == Level::None && later.level != Level::None;
    narrow.iter().all(|pattern| {
        let usable = |other: &&PathPattern| !is_narrowed || other.ends_open() || pattern.is_root();
        let usable: Vec<_> = wide.iter().filter(usable).collect();
        pattern.is_covered_by(&usable)
    })
}
