use std::fmt;

/// Something about an open store that is not as it was, or not as it has to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Concern {
    /// What it is about, in the store's own words: `deny_delete`, `retention`, `synchronous_commit`.
    /// The same for the same concern, so that it is told once while it lasts.
    pub setting: String,
    /// What is wrong, and what it means, in one sentence.
    pub detail: String,
}

impl Concern {
    /// A concern about `setting`.
    #[must_use]
    pub fn new(setting: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { setting: setting.into(), detail: detail.into() }
    }
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.detail)
    }
}
