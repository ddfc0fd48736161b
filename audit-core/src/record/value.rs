use std::borrow::Cow;
use std::fmt::{self, Debug, Display, Write as _};

/// More than any line may have, so that a record that shows less of a text says that it was cut.
const FORMATTED_LIMIT: usize = 65_536;

/// The value of an attribute.
///
/// Integers whose magnitude is 2^53 or more are recorded as decimal strings, so that readers with
/// only IEEE 754 numbers see every digit (RFC 8259 §6). Floats that are not finite become strings.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// A signed integer.
    Integer(i64),
    /// An unsigned integer.
    Unsigned(u64),
    /// A floating-point number.
    Float(f64),
    /// True or false.
    Bool(bool),
}

impl Value<'_> {
    /// The text that `value` displays, at most its first 65,536 bytes: more than a record takes.
    /// Formatting stops there.
    #[must_use]
    pub fn display(value: &(impl Display + ?Sized)) -> Value<'static> {
        Bounded::format(format_args!("{value}"))
    }

    /// The text that `value` shows to programmers, at most its first 65,536 bytes: more than a
    /// record takes. Formatting stops there.
    #[must_use]
    pub fn debug(value: &(impl Debug + ?Sized)) -> Value<'static> {
        Bounded::format(format_args!("{value:?}"))
    }

    /// The same value, owning its text. Allocates for borrowed text.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Integer(value) => Value::Integer(value),
            Self::Unsigned(value) => Value::Unsigned(value),
            Self::Float(value) => Value::Float(value),
            Self::Bool(value) => Value::Bool(value),
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Self::Text(Cow::Owned(value))
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<i32> for Value<'_> {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<u64> for Value<'_> {
    fn from(value: u64) -> Self {
        Self::Unsigned(value)
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Unsigned(value.into())
    }
}

impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// Takes so much of a text, and no more.
struct Bounded(String);

impl Bounded {
    fn format(arguments: fmt::Arguments<'_>) -> Value<'static> {
        let mut bounded = Self(String::new());
        // A value that fails to be formatted leaves what it wrote before.
        let _ = bounded.write_fmt(arguments);
        Value::Text(Cow::Owned(bounded.0))
    }
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = FORMATTED_LIMIT - self.0.len();
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        self.0.push_str(text.get(..end).unwrap_or_default());
        Err(fmt::Error)
    }
}
