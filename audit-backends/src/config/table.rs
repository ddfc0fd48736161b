//! Reading a TOML table, and saying where in the text a mistake stands.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::ConfigMistake;

/// A mistake, and the byte of the text at which it stands.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) offset: usize,
    pub(super) mistake: ConfigMistake,
}

pub(super) type Value<'t> = Spanned<DeValue<'t>>;

pub(super) fn refuse<T, U>(at: &Spanned<T>, mistake: ConfigMistake) -> Result<U, Refusal> {
    Err(Refusal { offset: at.span().start, mistake })
}

pub(super) fn refuse_all<U>(mistake: ConfigMistake) -> Result<U, Refusal> {
    Err(Refusal { offset: 0, mistake })
}

fn wrong_type<U>(value: &Value<'_>, key: &str, expected: &'static str) -> Result<U, Refusal> {
    refuse(value, ConfigMistake::WrongType { key: key.to_owned(), expected })
}

/// A table of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'v, 't> {
    /// The table as a value, where it is one; the whole document is not.
    whole: Option<&'v Value<'t>>,
    members: &'v DeTable<'t>,
}

impl<'v, 't> Table<'v, 't> {
    pub(super) const fn document(members: &'v DeTable<'t>) -> Self {
        Self { whole: None, members }
    }

    /// The table under `key`, if there is one.
    pub(super) fn table(&self, key: &str, expected: &'static str) -> Result<Option<Self>, Refusal> {
        let Some(value) = self.members.get(key) else {
            return Ok(None);
        };
        Self::of(value, key, expected).map(Some)
    }

    /// The tables of the list under `key`; none if it is not there.
    pub(super) fn tables(&self, key: &str, expected: &'static str) -> Result<Vec<Self>, Refusal> {
        let Some(value) = self.members.get(key) else {
            return Ok(Vec::new());
        };
        let DeValue::Array(list) = value.get_ref() else {
            return wrong_type(value, key, expected);
        };
        list.iter().map(|value| Self::of(value, key, expected)).collect()
    }

    fn of(value: &'v Value<'t>, key: &str, expected: &'static str) -> Result<Self, Refusal> {
        match value.get_ref() {
            DeValue::Table(members) => Ok(Self { whole: Some(value), members }),
            _ => wrong_type(value, key, expected),
        }
    }

    /// Refuses the first key, in the order of the text, that is not `known`.
    pub(super) fn check_keys(&self, known: &'static [&'static str]) -> Result<(), Refusal> {
        let unknown = self.members.keys().filter(|key| !known.contains(&key.get_ref().as_ref()));
        match unknown.min_by_key(|key| key.span().start) {
            None => Ok(()),
            Some(key) => refuse(key, ConfigMistake::UnknownKey { key: key.get_ref().to_string(), known }),
        }
    }

    /// Where `key` stands, or its value; the start of the table where neither does.
    pub(super) fn refuse_at<U>(&self, key: &str, mistake: ConfigMistake) -> Result<U, Refusal> {
        let value = self.members.get(key).map(|value| value.span().start);
        let offset = value.or_else(|| self.whole.map(|whole| whole.span().start)).unwrap_or_default();
        Err(Refusal { offset, mistake })
    }

    /// The same, at the key itself.
    pub(super) fn refuse_key<U>(&self, key: &str, mistake: ConfigMistake) -> Result<U, Refusal> {
        match self.members.keys().find(|found| found.get_ref().as_ref() == key) {
            Some(found) => refuse(found, mistake),
            None => self.refuse_at(key, mistake),
        }
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'v str>, Refusal> {
        let Some(value) = self.members.get(key) else {
            return Ok(None);
        };
        match value.get_ref().as_str() {
            Some(text) => Ok(Some(text)),
            None => wrong_type(value, key, "a text in quotes"),
        }
    }

    /// A whole number from 1 to 2^53.
    pub(super) fn limit(&self, key: &'static str) -> Result<Option<u64>, Refusal> {
        let Some(value) = self.members.get(key) else {
            return Ok(None);
        };
        let Some(number) = value.get_ref().as_integer() else {
            return wrong_type(value, key, "a whole number");
        };
        match u64::from_str_radix(number.as_str(), number.radix()) {
            Ok(limit) if (1..=1 << 53).contains(&limit) => Ok(Some(limit)),
            _ => refuse(value, ConfigMistake::BadLimit { key, value: number.to_string() }),
        }
    }

    /// The members that are not `own`, in the order of the text, as the text that the query of a URL
    /// would hold.
    pub(super) fn options(&self, own: &[&str]) -> Result<Vec<(String, String)>, Refusal> {
        let mut members: Vec<_> =
            self.members.iter().filter(|(key, _)| !own.contains(&key.get_ref().as_ref())).collect();
        members.sort_by_key(|(key, _)| key.span().start);
        let option =
            |(key, value): (&Spanned<DeString<'_>>, &Value<'_>)| Ok((key.get_ref().to_string(), as_text(key, value)?));
        members.into_iter().map(option).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }
}

fn as_text(key: &Spanned<DeString<'_>>, value: &Value<'_>) -> Result<String, Refusal> {
    let text = match value.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string())
        }
        _ => None,
    };
    match text {
        Some(text) => Ok(text),
        None => wrong_type(value, key.get_ref(), "a text in quotes, a whole number, or true or false"),
    }
}
