//! The three ways in.

/// A framework, and the example program that serves with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framework {
    Axum,
    Actix,
    Tonic,
}

impl Framework {
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
