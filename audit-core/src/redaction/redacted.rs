use super::body_rules::BodyRules;
use super::{form, json, plain};
use crate::capture::Withheld;

/// What stands in the place of a value.
pub(super) const PLACEHOLDER: &str = "[redacted]";

/// How the text of a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextForm {
    /// JSON (RFC 8259).
    Json,
    /// `application/x-www-form-urlencoded` (WHATWG URL §5).
    Form,
    /// Text without structure, in which nothing is redacted.
    Plain,
}

/// Text of which the secrets have been taken.
#[derive(Debug)]
pub(crate) struct Redacted {
    pub(crate) text: String,
    /// How many values were replaced in it.
    pub(crate) count: u64,
    /// Whether the body goes on after the text.
    pub(crate) cut: bool,
}

/// Redacts the beginning of a body, or all of it if it is `whole`, into at most `limit` bytes.
///
/// Only whole values are kept. Never recurses; what it allocates is bounded by a multiple of `raw`.
pub(crate) fn redact(
    form: TextForm,
    raw: &[u8],
    whole: bool,
    rules: &BodyRules,
    limit: usize,
) -> Result<Redacted, Withheld> {
    let text = match std::str::from_utf8(raw) {
        Ok(text) => text,
        // A character that the end of the prefix cuts is no fault.
        Err(error) if !whole && error.error_len().is_none() => {
            raw.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or_default()
        }
        Err(_) => return Err(Withheld::Malformed),
    };
    let writer = Writer { raw: text, copied: 0, text: String::new(), count: 0, limit, full: false };
    match form {
        TextForm::Json => json::redact(text, whole, rules, writer),
        TextForm::Form => form::redact(text, whole, rules, writer),
        TextForm::Plain => Ok(plain::redact(text, whole, writer)),
    }
}

/// Copies the text, all but the secrets in it, as far as there is room.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    raw: &'a str,
    /// Up to here the raw text is in `text`, or replaced.
    copied: usize,
    text: String,
    count: u64,
    limit: usize,
    full: bool,
}

impl Writer<'_> {
    /// Whether nothing more is written.
    pub(super) const fn is_full(&self) -> bool {
        self.full
    }

    /// Writes up to `at`, where a value, a bracket or all of it ends.
    pub(super) fn keep_to(&mut self, at: usize) {
        let added = self.raw.get(self.copied..at).unwrap_or_default();
        self.add(added.len(), |text| text.push_str(added));
        self.copied = at;
    }

    /// Writes up to `start`, and `replacement` for what stands from there to `end`.
    pub(super) fn replace(&mut self, start: usize, end: usize, replacement: &str) {
        let before = self.raw.get(self.copied..start).unwrap_or_default();
        let written = self.add(before.len() + replacement.len(), |text| {
            text.push_str(before);
            text.push_str(replacement);
        });
        self.count += u64::from(written);
        self.copied = end;
    }

    fn add(&mut self, length: usize, write: impl FnOnce(&mut String)) -> bool {
        self.full |= self.text.len().saturating_add(length) > self.limit;
        if !self.full {
            write(&mut self.text);
        }
        !self.full
    }

    /// What has been written, which is all there is if the text was `whole`.
    pub(super) fn finish(mut self, whole: bool) -> Redacted {
        // It may be held for long, and counts by its length.
        self.text.shrink_to_fit();
        Redacted { text: self.text, count: self.count, cut: self.full || !whole }
    }
}
