use std::fmt;

use audit_core::OutcomeResult;
use audit_core::log::CurrentActivity;
use audit_core::record::Value;
use tracing::field::{Field, Visit};

/// The field that makes a span an activity.
pub(crate) const ACTION: &str = "audit.action";
const PREFIX: &str = "audit.";

/// How many bytes of a byte slice are looked at: in hex, they are more than a record takes.
const BYTES_LIMIT: usize = 32_768;

/// The `audit.` fields of a span. Formats values outside all locks, since that is the user's code.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) action: Option<Value<'static>>,
    pub(crate) resource: Option<Value<'static>>,
    pub(crate) result: Option<OutcomeResult>,
    pub(crate) attributes: Vec<(&'static str, Value<'static>)>,
}

impl Fields {
    /// Adds what was recorded after the span was created to its activity.
    pub(crate) fn amend(self, activity: &CurrentActivity) {
        // A span that is closing takes nothing more, and nobody is there to be told.
        if let Some(resource) = self.resource {
            activity.resource(text(resource)).ok();
        }
        // The intent has its action already.
        let action = self.action.map(|action| ("action", action));
        for (name, value) in self.attributes.into_iter().chain(action) {
            activity.attribute(name, value).ok();
        }
    }

    fn value(&mut self, field: &Field, value: impl FnOnce() -> Value<'static>) {
        let Some(name) = field.name().strip_prefix(PREFIX) else {
            return;
        };
        let value = value();
        match name {
            "action" => self.action = Some(value),
            "resource" => self.resource = Some(value),
            "result" => self.result(value),
            _ => self.attributes.push((name, value)),
        }
    }

    /// A word that is no result is kept beside `unknown`: the end is not guessed.
    fn result(&mut self, value: Value<'static>) {
        let known = if let Value::Text(word) = &value { OutcomeResult::from_word(word) } else { None };
        self.result = Some(known.unwrap_or(OutcomeResult::Unknown));
        if known.is_none() {
            self.attributes.push(("result", value));
        }
    }
}

/// The text of a member that is always text.
pub(crate) fn text(value: Value<'static>) -> String {
    match value {
        Value::Text(text) => text.into_owned(),
        Value::Integer(value) => value.to_string(),
        Value::Unsigned(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Bool(value) => value.to_string(),
        other => format!("{other:?}"),
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.value(field, || Value::display(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.value(field, || Value::debug(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.value(field, || Value::display(value));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.value(field, || hex(value).into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.value(field, || value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.value(field, || value.into());
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.value(field, || i64::try_from(value).map_or_else(|_| value.to_string().into(), Value::Integer));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.value(field, || u64::try_from(value).map_or_else(|_| value.to_string().into(), Value::Unsigned));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.value(field, || value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.value(field, || value.into());
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
    bytes.iter().take(BYTES_LIMIT).flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
