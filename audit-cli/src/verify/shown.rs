//! Verdicts for people: what weighs most first.

use audit_core::verify::{
    Class, Finding, FindingKind, FleetFinding, FleetVerdict, Judgement, KeySource, LogVerdict, Verdict,
};

use crate::output::{Style, styled};
use crate::safe_text::safe;

/// The verdict on one log.
pub(super) fn verdict(verdict: &Verdict, colours: bool) -> String {
    let word = word(verdict.judgement(), colours);
    let mut text = format!("verdict: {word}{}\n", reservations(verdict));
    text.push_str(&format!("records: {}, {} of them signed\n", verdict.records, verdict.signed));
    text.push_str(&format!("root:    {}\n", verdict.root.to_base64()));
    for found in &verdict.findings {
        text.push_str(&finding(found, colours));
        text.push('\n');
    }
    text.trim_end().to_owned()
}

/// The verdict on a fleet.
pub(super) fn fleet(verdict: &FleetVerdict, colours: bool) -> String {
    let reservation = if verdict.judgement() == Judgement::Intact { of_logs(&verdict.logs) } else { String::new() };
    let copies = verdict.logs.iter().filter(|log| log.replica).count();
    let mut text = format!("verdict: {}{reservation}\n", word(verdict.judgement(), colours));
    text.push_str(&format!("logs:    {}; copies in replicas: {copies}\n", verdict.logs.len() - copies));
    for FleetFinding { finding: found, .. } in &verdict.findings {
        text.push_str(&finding(found, colours));
        text.push('\n');
    }
    for log in &verdict.logs {
        text.push_str(&of_log(log, colours));
    }
    text.trim_end().to_owned()
}

/// What has to be known to read `intact` of a fleet rightly.
fn of_logs(logs: &[LogVerdict]) -> String {
    let mut reservations = Vec::new();
    let unsigned = logs.iter().filter(|log| is_unsigned(&log.verdict)).count();
    if unsigned > 0 {
        reservations.push(format!("nothing signed yet in {unsigned} of {}", logs.len()));
    }
    if logs.iter().any(|log| log.verdict.key == KeySource::LogPub) {
        reservations.push("keys not pinned".to_owned());
    }
    if reservations.is_empty() { String::new() } else { format!(" ({})", reservations.join("; ")) }
}

fn of_log(log: &LogVerdict, colours: bool) -> String {
    let verdict = &log.verdict;
    let copy = if log.replica { "copy of " } else { "" };
    let name = log.log.as_ref().map(|name| format!(": {copy}{}", safe(name))).unwrap_or_default();
    let mut text = format!(
        "{}: {}, {} records, {} of them signed{name}\n",
        safe(&log.location),
        word(verdict.judgement(), colours),
        verdict.records,
        verdict.signed,
    );
    // That the key is not pinned stands in the first line, for all of them.
    for found in verdict.findings.iter().filter(|found| found.kind != FindingKind::KeyUnpinned) {
        text.push_str(&finding(found, colours));
        text.push('\n');
    }
    text
}

fn word(judgement: Judgement, colours: bool) -> String {
    let (word, style) = match judgement {
        Judgement::Intact => ("intact", Style::Good),
        Judgement::Tampered => ("tampered", Style::Bad),
        _ => ("unverifiable", Style::Warning),
    };
    styled(word, style, colours)
}

/// What has to be known to read `intact` rightly.
fn reservations(verdict: &Verdict) -> &'static str {
    let unpinned = verdict.key == KeySource::LogPub;
    match (verdict.judgement(), is_unsigned(verdict), unpinned) {
        (Judgement::Intact, true, _) => " (nothing signed yet)",
        (Judgement::Intact, false, true) => " (key not pinned)",
        _ => "",
    }
}

const fn is_unsigned(verdict: &Verdict) -> bool {
    verdict.signed == 0 && verdict.records > 0
}

fn finding(finding: &Finding, colours: bool) -> String {
    let style = match finding.class {
        Class::Tamper => Style::Bad,
        Class::Warning => Style::Warning,
        _ => Style::Faint,
    };
    let place = match (finding.seq, finding.to) {
        (Some(seq), Some(to)) => format!("seq {seq} to {to}: "),
        (Some(seq), None) => format!("seq {seq}: "),
        _ => String::new(),
    };
    let class = styled(&format!("{:7}", finding.class.as_str()), style, colours);
    let kind = styled(&format!("{:15}", finding.kind.as_str()), Style::Strong, colours);
    format!("  {class}  {kind}  {place}{}", safe(&finding.detail))
}
