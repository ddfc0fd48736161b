//! HTTP clients that go away before they have their answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::command::Result;

/// Clients that come and go until the server is gone.
#[derive(Debug)]
pub(crate) struct Leaving(Vec<JoinHandle<u64>>);

impl Leaving {
    pub(crate) fn start(address: SocketAddr, round: u32, clients: usize) -> Self {
        let client = |number: usize| {
            let random = fastrand::Rng::with_seed(u64::from(round) << 32 | number as u64);
            thread::spawn(move || come_and_go(address, random))
        };
        Self((0..clients).map(client).collect())
    }

    /// Waits until all have found the server gone; how many calls they left.
    pub(crate) fn join(self) -> Result<u64> {
        let mut left = 0;
        for client in self.0 {
            left += client.join().map_err(|_| "a client panicked")?;
        }
        Ok(left)
    }
}

fn come_and_go(address: SocketAddr, mut random: fastrand::Rng) -> u64 {
    let mut left = 0;
    while let Ok(mut stream) = TcpStream::connect_timeout(&address, TIMEOUT) {
        let head = REQUESTS[random.usize(..REQUESTS.len())];
        let request = format!("{head} HTTP/1.1\r\nhost: pay.example\r\ncontent-length: 20\r\n\r\n{{\"cents\":");
        if stream.write_all(request.as_bytes()).is_ok() {
            left += 1;
        }
        // Some leave at once, some while the handler runs, some in the middle of the answer.
        if random.bool() {
            let _ = stream.set_read_timeout(Some(Duration::from_millis(random.u64(1..20))));
            let _ = stream.read(&mut [0; 256]);
        }
    }
    left
}

/// The last one never sends all of its body.
const REQUESTS: [&str; 3] = ["GET /v1/slow?ms=1000", "GET /v1/stream?chunks=1000", "POST /v1/refunds/never"];
const TIMEOUT: Duration = Duration::from_secs(20);
