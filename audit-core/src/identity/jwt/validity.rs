use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

/// For whom and when a token is valid (RFC 7519 §4.1.3 to §4.1.5). Whatever is not of the type
/// that the standard asks for makes the token malformed; so does a claim that stands twice.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Validity<'a> {
    pub(super) exp: Option<NumericDate>,
    pub(super) nbf: Option<NumericDate>,
    #[serde(borrow)]
    pub(super) aud: Audience<'a>,
}

/// Seconds since 1970-01-01T00:00:00Z (RFC 7519 §2), without their fraction.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumericDate(pub(super) i64);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Exact far beyond any date, and saturating at both ends.
        #[expect(clippy::cast_possible_truncation, reason = "saturates")]
        let seconds = f64::deserialize(deserializer)?.floor() as i64;
        Ok(Self(seconds))
    }
}

/// Whom a token is for: one name, or several.
#[derive(Debug, Default)]
pub(super) struct Audience<'a>(pub(super) Vec<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Audience<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AudienceVisitor)
    }
}

struct AudienceVisitor;

impl<'de> Visitor<'de> for AudienceVisitor {
    type Value = Audience<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Audience(vec![Cow::Borrowed(name)]))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Audience(vec![Cow::Owned(name.to_owned())]))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Audience::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = elements.next_element::<Cow<'de, str>>()? {
            names.push(name);
        }
        Ok(Audience(names))
    }
}
