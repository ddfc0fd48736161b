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

/// How a store keeps a second writer out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fencing {
    /// The store itself refuses the second writer's bytes.
    Enforced,
    /// A second writer is noticed before anything is acknowledged.
    Detected,
    /// Nothing keeps it out: only for memory and tests.
    None,
}

/// What a store can promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// What a returned `append` means.
    pub append: Durability,
    /// What a returned `sync` means: the most a rule can ask for.
    pub sync: Durability,
    /// How a second writer is kept out.
    pub fencing: Fencing,
}

impl Capabilities {
    /// Capabilities of a store whose `append` and `sync` reach these classes.
    #[must_use]
    pub const fn new(append: Durability, sync: Durability, fencing: Fencing) -> Self {
        Self { append, sync, fencing }
    }

    /// Whether a rule that asks for `wanted` can ever be satisfied.
    #[must_use]
    pub const fn can_reach(&self, wanted: Durability) -> bool {
        self.append.satisfies(wanted) || self.sync.satisfies(wanted)
    }
}
