/// What a record is about. The word stands in the member `kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A call is about to be handled.
    Intent,
    /// How a call ended.
    Outcome,
    /// Something that happened, in one record.
    Event,
    /// A writer opened the log.
    LogOpened,
    /// The writer closed the log in order.
    LogClosed,
    /// What a crash left behind, and what was kept of it.
    LogRecovered,
    /// Records that were lost, and why.
    Gap,
    /// The log is alive; carries coverage counts and the state of the clock.
    Heartbeat,
    /// The rules changed.
    PolicyChanged,
    /// From here on another key signs.
    KeyRotated,
    /// Old records were removed under a retention rule.
    LogPruned,
    /// Encrypted personal data was made unreadable.
    DataErased,
    /// Somebody read the log through the project's tools.
    LogRead,
    /// A tampering drill was run.
    Drill,
    /// Something that needs a human.
    Alert,
}

impl Kind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 15] = [
        Self::Intent,
        Self::Outcome,
        Self::Event,
        Self::LogOpened,
        Self::LogClosed,
        Self::LogRecovered,
        Self::Gap,
        Self::Heartbeat,
        Self::PolicyChanged,
        Self::KeyRotated,
        Self::LogPruned,
        Self::DataErased,
        Self::LogRead,
        Self::Drill,
        Self::Alert,
    ];

    /// The word that stands in a record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Outcome => "outcome",
            Self::Event => "event",
            Self::LogOpened => "log.opened",
            Self::LogClosed => "log.closed",
            Self::LogRecovered => "log.recovered",
            Self::Gap => "gap",
            Self::Heartbeat => "heartbeat",
            Self::PolicyChanged => "policy.changed",
            Self::KeyRotated => "key.rotated",
            Self::LogPruned => "log.pruned",
            Self::DataErased => "data.erased",
            Self::LogRead => "log.read",
            Self::Drill => "drill",
            Self::Alert => "alert",
        }
    }

    /// The kind that `word` names, if any.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}
