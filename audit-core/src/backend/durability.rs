use std::fmt;

/// How far a record has got, from weakest to strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// This process's queue. Survives nothing.
    Accepted,
    /// The kernel, or a server that has not forced it to disk. Survives a crash of this process.
    Written,
    /// Stable storage of one machine. Survives power loss.
    Synced,
    /// Two or more machines. Survives the loss of one.
    Replicated,
    /// A store that refuses deletion to everyone until a date.
    Locked,
}

impl Durability {
    /// Every class, weakest first.
    pub const ALL: [Self; 5] = [Self::Accepted, Self::Written, Self::Synced, Self::Replicated, Self::Locked];

    /// The word that stands in policies and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Written => "written",
            Self::Synced => "synced",
            Self::Replicated => "replicated",
            Self::Locked => "locked",
        }
    }

    /// The class that `word` names, if any.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == word)
    }

    /// Whether a record that reached `self` satisfies a rule that asks for `wanted`.
    ///
    /// Not the order of the enum: two machines that sync later are not `synced`, and a locked
    /// store on one machine is not `replicated`.
    #[must_use]
    pub const fn satisfies(self, wanted: Self) -> bool {
        match wanted {
            Self::Accepted => true,
            Self::Written => !matches!(self, Self::Accepted),
            Self::Synced => matches!(self, Self::Synced | Self::Locked),
            Self::Replicated => matches!(self, Self::Replicated),
            Self::Locked => matches!(self, Self::Locked),
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
