/// How surely a condition holds for a subject whose path can be read in more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// It does not hold, however the path is read.
    No,
    /// It holds for some readings of the path, or may.
    Maybe,
    /// It holds, however the path is read.
    Yes,
}

impl From<bool> for Fit {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}
