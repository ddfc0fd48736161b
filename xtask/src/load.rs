//! Clients of an example server, patient ones and such that leave, until the server is gone.

mod books;
mod grpc;
mod leaving;
mod refunding;
mod wrk;

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::command::Result;
use crate::framework::Framework;
use crate::install::Tool;

pub(crate) use books::Books;

/// What calls a server, and how much.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) framework: Framework,
    /// The program that calls over gRPC.
    pub(crate) grpc_clients: PathBuf,
    /// Clients that ask for one refund after the other and note those that were answered.
    pub(crate) refunding: usize,
    /// Clients that connect, ask, and leave before the end.
    pub(crate) leaving: usize,
    /// Connections of `wrk`, which speaks no gRPC.
    pub(crate) wrk: usize,
}

/// Clients that are calling.
#[derive(Debug)]
pub(crate) enum Calling {
    Http { refunding: refunding::Refunding, leaving: leaving::Leaving, wrk: Option<wrk::Wrk> },
    Grpc(grpc::Clients),
}

/// What the clients saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// What names the refunds that were answered in their intents.
    pub(crate) answered: Vec<String>,
    /// How many were asked for.
    pub(crate) sent: u64,
    /// How many calls were left before they were answered.
    pub(crate) left: u64,
    /// Whether `wrk`, if it takes part, called until the end.
    pub(crate) wrk_ran: bool,
}

impl Load {
    /// Starts all clients; the refunds of another `round` are others.
    pub(crate) fn start(&self, address: SocketAddr, round: u32) -> Result<Calling> {
        if self.framework.is_grpc() {
            return Ok(Calling::Grpc(grpc::Clients::start(self, address, round)?));
        }
        let wrk = if self.wrk > 0 { Some(wrk::Wrk::start(address, self.wrk)?) } else { None };
        Ok(Calling::Http {
            refunding: refunding::Refunding::start(address, round, self.refunding),
            leaving: leaving::Leaving::start(address, round, self.leaving),
            wrk,
        })
    }
}

impl Calling {
    /// Waits until all clients have seen that the server is gone.
    pub(crate) fn join(self) -> Result<Seen> {
        match self {
            Self::Grpc(clients) => clients.join(),
            Self::Http { refunding, leaving, wrk } => {
                let wrk_ran = wrk.map_or(Ok(true), wrk::Wrk::stop)?;
                let (answered, sent) = refunding.join()?;
                Ok(Seen { answered, sent, left: leaving.join()?, wrk_ran })
            }
        }
    }
}

/// What has to be there for [`Load::wrk`].
pub(crate) const WRK: Tool = Tool { program: "wrk", package: "wrk", purpose: "calls the servers" };
