//! `wrk`, as a load that nobody measures.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::command::Result;

/// A `wrk` that runs; killed when dropped.
#[derive(Debug)]
pub(crate) struct Wrk(Child);

impl Wrk {
    pub(crate) fn start(address: SocketAddr, connections: usize) -> Result<Self> {
        let child = Command::new("wrk")
            .args(["--threads", "1", "--duration", "10m", "--connections"])
            .arg(connections.to_string())
            .arg(format!("http://{address}/v1/refunds"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot run wrk: {error}"))?;
        Ok(Self(child))
    }

    /// Ends it. False when it had ended by itself, because there was nobody to call when it started.
    pub(crate) fn stop(mut self) -> Result<bool> {
        Ok(self.0.try_wait()?.is_none())
    }
}

impl Drop for Wrk {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
