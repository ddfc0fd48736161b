//! HTTP clients that ask for refunds until the service is gone.

use std::net::SocketAddr;
use std::thread::{self, JoinHandle};

use crate::command::Result;
use crate::http::Connection;

/// Connections that are calling.
#[derive(Debug)]
pub(crate) struct Refunding(Vec<JoinHandle<(Vec<String>, u64)>>);

impl Refunding {
    /// Starts `connections` of them, each asking for refunds that nobody else asks for.
    pub(crate) fn start(address: SocketAddr, round: u32, connections: usize) -> Self {
        let call = move |connection| move || refund(address, &format!("{round}-{connection}"));
        Self((0..connections).map(|n| thread::spawn(call(n))).collect())
    }

    /// Waits until all have lost their connection; the refunds that were answered with 201, and how
    /// many were asked for.
    pub(crate) fn join(self) -> Result<(Vec<String>, u64)> {
        let mut noted = Vec::new();
        let mut sent = 0;
        for client in self.0 {
            let (ids, count) = client.join().map_err(|_| "a client panicked")?;
            noted.extend(ids);
            sent += count;
        }
        Ok((noted, sent))
    }
}

fn refund(address: SocketAddr, prefix: &str) -> (Vec<String>, u64) {
    let mut noted = Vec::new();
    let mut sent = 0;
    let Ok(mut connection) = Connection::open(address) else {
        return (noted, sent);
    };
    loop {
        let id = format!("{prefix}-{sent}");
        sent += 1;
        let path = format!("/v1/refunds/{id}");
        match connection.call("POST", &path, None, r#"{"cents":100}"#) {
            Ok(answer) if answer.status == 201 => noted.push(id),
            Ok(_) => {}
            Err(_) => return (noted, sent),
        }
    }
}
