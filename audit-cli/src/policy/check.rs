//! `audit policy check`

use std::path::Path;

use audit_core::Durability;
use audit_core::Policy;
use audit_core::policy::{Level, Rule};
use serde_json::{Value, json};

use super::shown;
use crate::ending::{Ending, Failure};
use crate::output::{self, Style, has_colours, styled};
use crate::safe_text::safe;

const HEAD: [&str; 6] = ["rule", "level", "durability", "on failure", "deadline", "answer waits"];

/// Shows the rules of a policy that loads.
pub(crate) fn run(policy: &Policy, file: &Path, json: bool) -> Result<Ending, Failure> {
    if json {
        let rules: Vec<Value> = policy.rules().iter().map(|rule| shown::to_json(rule)).collect();
        output::json(&json!({
            "valid": true,
            "sha256": policy.digest().to_hex(),
            "needs_body_capture": policy.needs_body_capture(),
            "rules": rules,
        }))?;
        return Ok(Ending::AsItShouldBe);
    }
    let colours = has_colours();
    let written = policy.rules().len().saturating_sub(1);
    let mut text = format!(
        "{}: {}: {written} {}, and the implicit last one\nsha256 {}\n\n",
        safe(&file.display().to_string()),
        styled("valid", Style::Good, colours),
        if written == 1 { "rule" } else { "rules" },
        policy.digest().to_hex(),
    );
    text.push_str(&table(policy, colours));
    for note in policy.rules().iter().filter_map(|rule| note(rule)) {
        text.push_str(&format!("\n{}: {note}", styled("note", Style::Warning, colours)));
    }
    output::line(text.trim_end())?;
    Ok(Ending::AsItShouldBe)
}

/// Each rule on one line, and below it whom it is for.
fn table(policy: &Policy, colours: bool) -> String {
    let rows: Vec<[String; 6]> = policy.rules().iter().map(|rule| shown::columns(rule)).collect();
    let mut widths = HEAD.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.len());
        }
    }
    let line = |cells: &[&str]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut text = format!("  #  {}\n", styled(&line(&HEAD), Style::Faint, colours));
    for (at, (row, rule)) in rows.iter().zip(policy.rules()).enumerate() {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        text.push_str(&format!("{:3}  {}\n", at + 1, line(&cells)));
        text.push_str(&format!("       {}\n", styled(&shown::conditions(rule), Style::Faint, colours)));
    }
    text
}

/// What a log has to have for the rule, which the file alone does not tell.
fn note(rule: &Rule) -> Option<String> {
    if rule.level() == Level::None {
        return None;
    }
    let mut needs = Vec::new();
    if rule.level().needs_body_capture() {
        needs.push("captures bodies".to_owned());
    }
    if rule.durability() > Durability::Synced {
        needs.push(format!("reaches `{}`", rule.durability().as_str()));
    }
    if rule.copies() > 1 {
        needs.push(format!("has {} stores", rule.copies()));
    }
    let needs = needs.join(" and ");
    (!needs.is_empty()).then(|| format!("rule `{}` only loads into a log that {needs}", rule.name()))
}
