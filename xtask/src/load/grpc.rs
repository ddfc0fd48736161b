//! The gRPC clients: a program of the examples, because they are generated.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::command::{Result, show};
use crate::load::{Load, Seen};

/// The program while it calls.
#[derive(Debug)]
pub(crate) struct Clients(Child);

impl Clients {
    pub(crate) fn start(load: &Load, address: SocketAddr, round: u32) -> Result<Self> {
        let mut clients = Command::new(&load.grpc_clients);
        clients.arg(address.to_string());
        clients.args([round.to_string(), load.refunding.to_string(), load.leaving.to_string()]);
        let shown = show(&clients);
        let child = clients.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        Ok(Self(child.map_err(|error| format!("cannot run `{shown}`: {error}"))?))
    }

    /// Waits until all have found the server gone.
    pub(crate) fn join(self) -> Result<Seen> {
        let output = self.0.wait_with_output()?;
        if !output.status.success() {
            return Err(format!("the gRPC clients ended with {}", output.status).into());
        }
        let seen: Value = serde_json::from_slice(&output.stdout)?;
        let answered = seen["answered"].as_array().into_iter().flatten();
        Ok(Seen {
            answered: answered.filter_map(|name| name.as_str().map(str::to_owned)).collect(),
            sent: seen["sent"].as_u64().unwrap_or(0),
            left: seen["left"].as_u64().unwrap_or(0),
            wrk_ran: true,
        })
    }
}
