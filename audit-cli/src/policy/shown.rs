//! A rule as it is shown.

use audit_core::policy::{Level, Rule};
use serde_json::{Map, Value, json};

use crate::safe_text::safe;

/// How many elements of a list people are shown.
const SHOWN: usize = 4;

/// All of a rule, for programs.
pub(crate) fn to_json(rule: &Rule) -> Value {
    let conditions: Map<String, Value> =
        rule.conditions().into_iter().map(|(key, elements)| (key.to_owned(), elements.into())).collect();
    let mut shown = json!({ "name": rule.name(), "conditions": conditions, "level": rule.level().as_str() });
    if rule.level() != Level::None {
        shown["durability"] = rule.durability().as_str().into();
        shown["copies"] = rule.copies().into();
        shown["on_failure"] = rule.on_failure().as_str().into();
        shown["deadline_ms"] = milliseconds(rule).into();
        shown["await_outcome"] = rule.await_outcome().into();
    }
    shown["meaning"] = rule.meaning().into();
    shown
}

/// Whom a rule is for, on one line.
pub(crate) fn conditions(rule: &Rule) -> String {
    let conditions = rule.conditions();
    if conditions.is_empty() {
        return "everything".to_owned();
    }
    let words = conditions.iter().map(|(key, elements)| {
        let first = elements.iter().take(SHOWN).map(|element| safe(element)).collect::<Vec<_>>().join(" ");
        let more = match elements.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{key} {first}{more}")
    });
    words.collect::<Vec<_>>().join("; ")
}

/// The columns of a table of rules: name, level, durability, on failure, deadline, whether the
/// answer waits.
pub(crate) fn columns(rule: &Rule) -> [String; 6] {
    let name = rule.name().to_owned();
    let level = rule.level().as_str().to_owned();
    if rule.level() == Level::None {
        let nothing = || "-".to_owned();
        return [name, level, nothing(), nothing(), nothing(), nothing()];
    }
    let copies = if rule.copies() > 1 { format!(" x{}", rule.copies()) } else { String::new() };
    [
        name,
        level,
        format!("{}{copies}", rule.durability().as_str()),
        rule.on_failure().as_str().to_owned(),
        deadline(rule),
        if rule.await_outcome() { "yes" } else { "no" }.to_owned(),
    ]
}

/// As a policy spells it.
fn deadline(rule: &Rule) -> String {
    match milliseconds(rule) {
        millis if millis % 1_000 == 0 => format!("{}s", millis / 1_000),
        millis => format!("{millis}ms"),
    }
}

fn milliseconds(rule: &Rule) -> u64 {
    u64::try_from(rule.deadline().as_millis()).unwrap_or(u64::MAX)
}
