use std::fmt;

use audit_core::OutcomeResult;
use audit_core::log::CurrentActivity;
use audit_core::record::Value;
use tracing::field::{Field, Visit};

/// The field that makes a span an activity.
pub(crate) const ACTION: &str = "audit.action";
const RESOURCE: &str = "audit.resource";
const RESULT: &str = "audit.result";
const PREFIX: &str = "audit.";

/// The `audit.` fields of a span.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) action: Option<String>,
    pub(crate) resource: Option<String>,
    pub(crate) result: Option<OutcomeResult>,
    pub(crate) attributes: Vec<(&'static str, Value<'static>)>,
}

impl Fields {
    /// Adds what was recorded after the span was created to its activity.
    pub(crate) fn amend(self, activity: &CurrentActivity) {
        // A span that is closing takes nothing more, and nobody is there to be told.
        if let Some(resource) = self.resource {
            activity.resource(resource).ok();
        }
        for (name, value) in self.attributes {
            activity.attribute(name, value).ok();
        }
    }

    fn text(&mut self, field: &Field, text: String) {
        match field.name() {
            ACTION => self.action = Some(text),
            RESOURCE => self.resource = Some(text),
            RESULT => {
                // A word that is no result leaves the end unknown rather than guessed.
                self.result = Some(OutcomeResult::from_word(&text).unwrap_or(OutcomeResult::Unknown));
            }
            _ => self.value(field, text.into()),
        }
    }

    fn value(&mut self, field: &Field, value: Value<'static>) {
        match field.name().strip_prefix(PREFIX) {
            Some("action" | "resource" | "result") | None => {}
            Some(name) => self.attributes.push((name, value)),
        }
    }
}

fn is_audited(field: &Field) -> bool {
    field.name().starts_with(PREFIX)
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if is_audited(field) {
            self.text(field, value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if is_audited(field) {
            self.text(field, format!("{value:?}"));
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.value(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.value(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.value(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.value(field, value.into());
    }
}
