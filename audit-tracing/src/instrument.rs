//! What the attribute `#[instrument(ret, err)]` says about the end of its function.

use std::fmt::{self, Write as _};

use audit_core::record::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata};

use crate::fields::text;

/// How a function ended.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// It returned, and that was no `Err`.
    Returned,
    /// It returned an `Err`, whose text may be known.
    Failed(Option<String>),
}

/// The event by which the attribute tells that its function returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `ret`.
    Return,
    /// `err`.
    Error,
}

impl Kind {
    /// The kind of events with this metadata, if the attribute may have made them: they have one
    /// field, of that name, and no message.
    pub(crate) fn of(metadata: &Metadata<'_>) -> Option<Self> {
        let mut fields = metadata.fields().iter();
        let (Some(field), None) = (fields.next(), fields.next()) else {
            return None;
        };
        match field.name() {
            "return" => Some(Self::Return),
            "error" => Some(Self::Error),
            _ => None,
        }
    }
}

/// Whether the same attribute made both. Code that it made stands where the attribute stands, and
/// so does nothing that somebody wrote into the function.
pub(crate) fn made_together(event: &Metadata<'_>, span: &Metadata<'_>) -> bool {
    event.line().is_some()
        && event.line() == span.line()
        && event.file() == span.file()
        && event.target() == span.target()
}

/// What is read of such an event.
#[derive(Debug)]
pub(crate) struct Report {
    kind: Kind,
    wanted: bool,
    is_err: bool,
    pub(crate) text: Option<Value<'static>>,
}

impl Report {
    /// Reads `event`; its text only if that is `wanted`.
    pub(crate) fn read(event: &Event<'_>, kind: Kind, wanted: bool) -> Self {
        let mut report = Self { kind, wanted, is_err: false, text: None };
        event.record(&mut report);
        report
    }

    /// How the function ended, and what it returned.
    pub(crate) fn ending(self) -> (Ending, Option<Value<'static>>) {
        match self.kind {
            Kind::Error => (Ending::Failed(self.text.map(text)), None),
            Kind::Return if self.is_err => (Ending::Failed(None), self.text),
            Kind::Return => (Ending::Returned, self.text),
        }
    }
}

impl Visit for Report {
    fn record_debug(&mut self, _: &Field, value: &dyn fmt::Debug) {
        self.is_err = self.kind == Kind::Return && starts_as_err(value);
        self.text = self.wanted.then(|| Value::debug(value));
    }
}

/// With `ret` alone, an `Err` is returned like anything else, and only its text tells.
fn starts_as_err(value: &dyn fmt::Debug) -> bool {
    let mut start = Start { left: "Err(" };
    // Formatting is stopped as soon as the answer is known.
    let _ = write!(start, "{value:?}");
    start.left.is_empty()
}

struct Start {
    left: &'static str,
}

impl fmt::Write for Start {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if let Some(left) = self.left.strip_prefix(text) {
            self.left = left;
            return if left.is_empty() { Err(fmt::Error) } else { Ok(()) };
        }
        if text.starts_with(self.left) {
            self.left = "";
        }
        Err(fmt::Error)
    }
}
