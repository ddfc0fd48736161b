//! Ports that nobody listens on.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crate::Failure;

/// A port of the loopback address that nobody listens on now. No process is given the same one
/// twice, and the kernel gives it to no outgoing connection, so that it stays free until a server
/// takes it, and while that server is being started again.
///
/// # Errors
///
/// When none is found.
pub fn free_port() -> Result<u16, Failure> {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let given = given.get_or_insert_default();
    for _ in 0..TRIES {
        let port = fastrand::u16(PORTS);
        if !given.contains(&port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            given.insert(port);
            return Ok(port);
        }
    }
    Err(format!("no free port from {} to {} on the loopback address", PORTS.start, PORTS.end).into())
}

/// Below those that Linux takes for outgoing connections by itself (`ip_local_port_range`), and above
/// those with well-known owners.
const PORTS: Range<u16> = 12_000..32_000;

/// How often another port is tried.
const TRIES: usize = 1_000;
