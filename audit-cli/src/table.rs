//! One record on one line, for people.

use audit_core::record::{Kind, Member, Record};

use crate::output::{Style, styled};
use crate::safe_text::safe;

/// The head of the table.
pub(crate) fn head(colours: bool) -> String {
    let head = format!("{:>8}  {:24}  {:13}  {:8}  what", "seq", "time", "kind", "call");
    styled(&head, Style::Faint, colours)
}

/// One line of a log; what is no record is shown as it is.
pub(crate) fn row(line: &[u8], colours: bool) -> String {
    let Ok(record) = Record::parse(line) else {
        let text = String::from_utf8_lossy(line);
        let shown: String = text.chars().take(200).collect();
        return format!("{:>8}  {}", "?", styled(&format!("not a record: {}", safe(&shown)), Style::Bad, colours));
    };
    let time = record.text("time").unwrap_or_default();
    let kind = safe(record.kind_word()).into_owned();
    let call = record.id().map(|id| id.to_string()).unwrap_or_default();
    let call = call.get(28..).unwrap_or_default();
    let (what, style) = what(&record);
    format!(
        "{:>8}  {}  {}  {:8}  {}",
        record.seq(),
        styled(&format!("{:24}", short_time(&time)), Style::Faint, colours),
        styled(&format!("{kind:13}"), style, colours),
        call,
        what
    )
}

/// Milliseconds are enough for people.
fn short_time(time: &str) -> String {
    match time.get(..23) {
        Some(head) => format!("{}Z", head.replacen('T', " ", 1)),
        None => time.to_owned(),
    }
}

fn what(record: &Record<'_>) -> (String, Style) {
    match record.kind() {
        Some(Kind::Intent | Kind::Event) => (call(record), Style::Plain),
        Some(Kind::Outcome) => outcome(record),
        Some(Kind::LogOpened) => (fields(record, &["origin", "log", "software", "host"]), Style::Faint),
        Some(Kind::Gap) => {
            (fields(record, &["count", "lost", "ran", "reason", "policy", "from", "to"]), Style::Warning)
        }
        Some(Kind::LogRecovered) => (
            fields(record, &["adopted", "healed", "healed_from", "cut_bytes", "cut_lines", "cut_sha256"]),
            Style::Warning,
        ),
        _ => (fields(record, &["open_activities", "signed", "queue_depth"]), Style::Faint),
    }
}

/// Who does what, and to what.
fn call(record: &Record<'_>) -> String {
    let mut words = Vec::new();
    if let Some(actor) = record.member("actor") {
        words.push(who(&actor));
    }
    for name in ["action", "resource"] {
        if let Some(text) = record.text(name) {
            words.push(safe(&text).into_owned());
        }
    }
    words.join("  ")
}

/// The actor: its type, its id, and a question mark unless this process checked who it is.
fn who(actor: &Member<'_>) -> String {
    let text = |name| actor.member(name).and_then(|member| member.text());
    let kind = text("type").unwrap_or_default();
    let verified = actor.member("verified").and_then(|member| member.boolean()) == Some(true);
    let mark = if verified { "" } else { "?" };
    match text("id") {
        Some(id) => format!("{} {}{mark}", safe(&kind), safe(&id)),
        None => safe(&kind).into_owned(),
    }
}

fn outcome(record: &Record<'_>) -> (String, Style) {
    let result = record.text("result").unwrap_or_default();
    let style = match &*result {
        "success" => Style::Good,
        "failure" | "denied" | "cancelled" => Style::Warning,
        _ => Style::Bad,
    };
    let mut words = vec![safe(&result).into_owned()];
    for name in ["status", "code"] {
        if let Some(number) = record.number(name) {
            words.push(number.to_string());
        }
    }
    if let Some(micros) = record.number("latency_us") {
        words.push(format!("{:.1} ms", micros as f64 / 1_000.0));
    }
    if let Some(actor) = record.member("actor") {
        words.push(who(&actor));
    }
    for name in ["resource", "error"] {
        if let Some(text) = record.text(name) {
            words.push(safe(&text).into_owned());
        }
    }
    (words.join("  "), style)
}

/// Some members by name.
fn fields(record: &Record<'_>, names: &[&str]) -> String {
    let field = |name: &&str| {
        let member = record.member(name)?;
        let text = member.text().unwrap_or_else(|| String::from_utf8_lossy(member.raw()));
        Some(format!("{name}={}", safe(&text)))
    };
    names.iter().filter_map(field).collect::<Vec<_>>().join("  ")
}
