//! What servers are kept for.

use real_servers::Failure;

use crate::store::Front;

/// What servers are kept for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Work by hand: the ports are the same from day to day.
    Work,
    /// Measuring: clients reach the servers directly, and one of NATS takes anybody.
    Measuring,
}

impl Purpose {
    /// Where clients find the server that listens on `port`.
    pub(crate) fn front(self, usual: u16, port: u16) -> Result<Front, Failure> {
        match self {
            Self::Work => Front::usual(usual, port),
            Self::Measuring => Ok(Front::own(port)),
        }
    }
}
