use zeroize::Zeroizing;

use super::body_rules::{BodyRules, Treatment};
use super::correlate::replacement;
use super::redacted::{PLACEHOLDER, Redacted, Writer};
use super::secret_value::holds_secret;
use crate::capture::Withheld;

/// Redacts a form (WHATWG URL §5.1) that may end anywhere unless it is `whole`.
pub(super) fn redact(text: &str, whole: bool, rules: &BodyRules, mut writer: Writer<'_>) -> Result<Redacted, Withheld> {
    // Encoders write none of these, and JSON that is labelled as a form has some.
    if text.chars().any(char::is_control) {
        return Err(Withheld::Malformed);
    }
    let mut start = 0;
    loop {
        let found = text.get(start..).and_then(|rest| rest.find('&'));
        let end = match found {
            Some(length) => start + length,
            None if whole => text.len(),
            // The last pair may go on.
            None => return Ok(writer.finish(false)),
        };
        redact_pair(text.get(start..end).unwrap_or_default(), start, rules, &mut writer)?;
        if found.is_none() {
            return Ok(writer.finish(true));
        }
        start = end + 1;
    }
}

/// Keeps or replaces the pair that starts at `start`.
fn redact_pair(pair: &str, start: usize, rules: &BodyRules, writer: &mut Writer<'_>) -> Result<(), Withheld> {
    let end = start + pair.len();
    let Some((name, value)) = pair.split_once('=') else {
        // Without a name there is no telling what it is.
        if pair.is_empty() {
            writer.keep_to(end);
        } else {
            writer.replace(start, end, PLACEHOLDER);
        }
        return Ok(());
    };
    let treatment = treatment(rules, name, value)?;
    if writer.is_full() {
        return Ok(());
    }
    match treatment {
        Some(treatment) => {
            let decoded = decoded(value);
            writer.replace(start + name.len() + 1, end, &replacement(rules, treatment, &decoded));
        }
        None => writer.keep_to(end),
    }
    Ok(())
}

fn treatment(rules: &BodyRules, name: &str, value: &str) -> Result<Option<Treatment>, Withheld> {
    let mut found = by_name(rules, name)?;
    // Some servers end a pair at `;` too, and see another name behind it.
    for inner in value.split(';').skip(1) {
        let name = inner.split_once('=').map_or(inner, |(name, _)| name);
        found = found.max(by_name(rules, name).unwrap_or(Some(Treatment::Replace)));
    }
    if found.is_none() && holds_secret(rules, &String::from_utf8_lossy(&decoded(value))) {
        found = Some(Treatment::Replace);
    }
    Ok(found)
}

/// What happens to the value of `name`, its parts in brackets or behind points included:
/// `card[number]`, `card.number`.
fn by_name(rules: &BodyRules, name: &str) -> Result<Option<Treatment>, Withheld> {
    // Raw quotes, braces and the like are in no encoded name.
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || b"*-._+%[]~!'():@,/$ ".contains(&byte);
    if !name.bytes().all(usual) || !is_percent_encoded(name) {
        return Err(Withheld::Malformed);
    }
    let name = decoded(name);
    let name = std::str::from_utf8(&name).map_err(|_| Withheld::Malformed)?;
    let (root, at_root) = rules.root();
    let mut found = at_root.max(rules.member(root, name).1);
    let mut path = root;
    for part in name.split(['[', ']', '.']).filter(|part| !part.is_empty()) {
        let (next, treatment) = rules.member(path, part);
        path = next;
        found = found.max(treatment);
    }
    Ok(found)
}

/// Whether every `%` is followed by two hexadecimal digits.
fn is_percent_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2)
}

/// Percent-decodes, `+` being a space. What is not encoded stays as it is (WHATWG URL §1.3).
fn decoded(text: &str) -> Zeroizing<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = text.as_bytes();
    // Never longer than the text, so this never grows.
    let mut decoded = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let high = bytes.get(at + 1).copied().and_then(digit).filter(|_| *byte == b'%');
        let low = bytes.get(at + 2).copied().and_then(digit);
        let (value, length) = match (high, low, byte) {
            (Some(high), Some(low), _) => (high << 4 | low, 3),
            (_, _, b'+') => (b' ', 1),
            _ => (*byte, 1),
        };
        decoded.push(value);
        at += length;
    }
    decoded
}
