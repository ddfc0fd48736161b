//! A wire on which requests of one kind get lost.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use super::Result;

/// Listens for clients of the server on `target`, and passes on all that they send but pieces with `word`
/// in them. Gives the port.
pub fn lose(target: u16, word: &'static str) -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || pass(client, target, word));
        }
    });
    Ok(port)
}

fn pass(mut client: TcpStream, target: u16, word: &str) -> std::io::Result<()> {
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, target))?;
    let (mut answers, mut to) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || std::io::copy(&mut answers, &mut to));
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = client.read(&mut buffer)?;
        let piece = buffer.get(..count).unwrap_or_default();
        if piece.is_empty() {
            return Ok(());
        }
        if !String::from_utf8_lossy(piece).contains(word) {
            server.write_all(piece)?;
        }
    }
}
