/// An exact name, or the start of names: how actor ids and actions are matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NamePattern {
    Exact(Box<str>),
    StartsWith(Box<str>),
}

/// The longest pattern, in bytes.
const LIMIT: usize = 1_024;

impl NamePattern {
    /// Reads `text`: a `*` may stand at the end. The error says what to write instead.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("it is empty: write a name, or the start of names followed by `*`");
        }
        if text.len() > LIMIT {
            return Err("it is longer than 1,024 bytes: shorten it with a `*` at the end");
        }
        if text.chars().any(char::is_control) {
            return Err("it contains a control character, which no name has: remove it");
        }
        let (start, open) = match text.strip_suffix('*') {
            Some(start) => (start, true),
            None => (text, false),
        };
        if start.contains('*') {
            return Err("`*` may only stand at the end: list the names, or shorten the pattern");
        }
        Ok(if open { Self::StartsWith(start.into()) } else { Self::Exact(start.into()) })
    }

    /// The name, or what names start with.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Exact(text) | Self::StartsWith(text) => text,
        }
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *name,
            Self::StartsWith(start) => name.starts_with(&**start),
        }
    }

    /// Whether every name that `other` matches is matched by this pattern too.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(_), Self::StartsWith(_)) => false,
            (_, Self::Exact(name)) => self.matches(name),
            (Self::StartsWith(start), Self::StartsWith(longer)) => longer.starts_with(&**start),
        }
    }
}
