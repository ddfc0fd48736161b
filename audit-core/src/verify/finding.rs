use std::fmt;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Class {
    /// The log says it of itself, or it is as it should be.
    Info,
    /// Worth a look; says nothing against the evidence.
    Warning,
    /// The evidence says that the log is not what was written.
    Tamper,
}

impl Class {
    /// The word that stands in a verdict.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Tamper => "tamper",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FindingKind {
    /// A record's hash is not the one that its successor carries.
    Edited,
    /// Numbers are left out.
    Missing,
    /// A number comes again, with the same bytes.
    Duplicated,
    /// A record stands before one with a smaller number.
    Reordered,
    /// A number comes again, with other bytes.
    Inserted,
    /// The records chain, but their tree is not the one that was signed.
    Rewritten,
    /// There are fewer records than a checkpoint says.
    Truncated,
    /// Two signed heads that do not extend one another.
    Forked,
    /// A checkpoint whose signature is not good.
    BadSignature,
    /// A key that is not the one it should be.
    WrongKey,
    /// A line within the signed part that is not a record.
    Malformed,
    /// Something that a store or the log itself speaks of is not there.
    Hidden,
    /// A whole log that was there before, or that a replica still holds, is gone.
    Vanished,
    /// Records after the newest checkpoint.
    UnsignedTail,
    /// Anything after the newest checkpoint that is not a record.
    TornTail,
    /// The key was taken from the log itself.
    KeyUnpinned,
    /// Time runs backwards.
    ClockStep,
    /// Longer without a record than the log promises.
    Silent,
    /// Records that the log itself says were lost.
    Gap,
    /// What the log itself says a crash left behind.
    Recovered,
    /// An intent without an outcome.
    OutcomeUnknown,
    /// Counts that do not add up.
    Coverage,
    /// A copy that does not have all records yet.
    Behind,
    /// What kept this program from telling.
    Unverifiable,
}

impl FindingKind {
    /// The word that stands in a verdict.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Missing => "missing",
            Self::Duplicated => "duplicated",
            Self::Reordered => "reordered",
            Self::Inserted => "inserted",
            Self::Rewritten => "rewritten",
            Self::Truncated => "truncated",
            Self::Forked => "forked",
            Self::BadSignature => "bad_signature",
            Self::WrongKey => "wrong_key",
            Self::Malformed => "malformed",
            Self::Hidden => "hidden",
            Self::Vanished => "vanished",
            Self::UnsignedTail => "unsigned_tail",
            Self::TornTail => "torn_tail",
            Self::KeyUnpinned => "key_unpinned",
            Self::ClockStep => "clock_step",
            Self::Silent => "silent",
            Self::Gap => "gap",
            Self::Recovered => "recovered",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Coverage => "coverage",
            Self::Behind => "behind",
            Self::Unverifiable => "unverifiable",
        }
    }

    /// The weight that a finding of this kind has unless the circumstances say otherwise.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::Edited
            | Self::Missing
            | Self::Duplicated
            | Self::Reordered
            | Self::Inserted
            | Self::Rewritten
            | Self::Truncated
            | Self::Forked
            | Self::BadSignature
            | Self::WrongKey
            | Self::Malformed
            | Self::Hidden
            | Self::Vanished => Class::Tamper,
            Self::UnsignedTail
            | Self::TornTail
            | Self::KeyUnpinned
            | Self::ClockStep
            | Self::Silent
            | Self::Gap
            | Self::Coverage
            | Self::Unverifiable => Class::Warning,
            Self::Recovered | Self::OutcomeUnknown | Self::Behind => Class::Info,
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that was found, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// How much it weighs.
    pub class: Class,
    /// The first record concerned; `None` where no record is.
    pub seq: Option<u64>,
    /// The last record concerned, where there are more than one.
    pub to: Option<u64>,
    /// One sentence for a human.
    pub detail: String,
}

impl Finding {
    /// A finding that concerns no particular record.
    #[must_use]
    pub fn new(kind: FindingKind, detail: impl Into<String>) -> Self {
        Self { kind, class: kind.class(), seq: None, to: None, detail: detail.into() }
    }

    /// Says which record it concerns.
    #[must_use]
    pub const fn at(mut self, seq: u64) -> Self {
        self.seq = Some(seq);
        self
    }

    /// Says which records it concerns: `seq` to `to`, both included.
    #[must_use]
    pub const fn range(mut self, seq: u64, to: u64) -> Self {
        self.seq = Some(seq);
        self.to = if to == seq { None } else { Some(to) };
        self
    }

    /// Gives it another weight than its kind usually has.
    #[must_use]
    pub const fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }
}
