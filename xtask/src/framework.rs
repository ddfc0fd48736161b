//! The example servers, by the framework that serves them.

use std::fmt;
use std::str::FromStr;

/// A framework with an example server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framework {
    Axum,
    Actix,
    Tonic,
}

impl Framework {
    pub(crate) const ALL: [Self; 3] = [Self::Axum, Self::Actix, Self::Tonic];

    /// The name of its server program.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Axum => "axum",
            Self::Actix => "actix",
            Self::Tonic => "tonic",
        }
    }

    pub(crate) fn is_grpc(self) -> bool {
        self == Self::Tonic
    }
}

impl FromStr for Framework {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|framework| framework.program() == name).ok_or(())
    }
}

impl fmt::Display for Framework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program())
    }
}
