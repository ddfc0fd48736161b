//! A wire that passes, holds, slows down and cuts, in front of a server that sends back what it gets.
#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use real_servers::{Mode, Proxy, free_port};

const PATIENCE: Duration = Duration::from_secs(10);
const A_WHILE: Duration = Duration::from_millis(200);

/// An echo, and the proxy in front of it.
fn echo() -> Proxy {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().map(Result::unwrap) {
            thread::spawn(move || std::io::copy(&mut stream.try_clone().unwrap(), &mut &stream));
        }
    });
    Proxy::start(port).unwrap()
}

fn connect(proxy: &Proxy) -> TcpStream {
    let client = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client
}

fn answer(client: &mut TcpStream) -> std::io::Result<String> {
    let mut answer = [0; 5];
    client.read_exact(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn hears_nothing(client: &mut TcpStream) -> bool {
    client.set_read_timeout(Some(A_WHILE)).unwrap();
    let heard = client.read(&mut [0; 5]);
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    heard.is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

#[test]
fn what_is_sent_is_passed_on_both_ways() {
    let proxy = echo();
    let mut client = connect(&proxy);
    client.write_all(b"hello").unwrap();
    assert_eq!(answer(&mut client).unwrap(), "hello");
}

#[test]
fn a_hung_wire_accepts_and_answers_when_it_passes_again() {
    let proxy = echo();
    let mut old = connect(&proxy);
    old.write_all(b"first").unwrap();
    assert_eq!(answer(&mut old).unwrap(), "first");
    proxy.set(Mode::Hang);
    let mut new = connect(&proxy);
    for client in [&mut old, &mut new] {
        client.write_all(b"hello").unwrap();
        assert!(hears_nothing(client));
    }
    proxy.set(Mode::Pass);
    for client in [&mut old, &mut new] {
        assert_eq!(answer(client).unwrap(), "hello");
    }
}

#[test]
fn answers_can_be_held_while_what_is_sent_arrives() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap().port()).unwrap();
    proxy.set(Mode::HangAnswers);
    let mut client = connect(&proxy);
    client.write_all(b"hello").unwrap();
    let (mut server, _) = listener.accept().unwrap();
    assert_eq!(answer(&mut server).unwrap(), "hello");
    server.write_all(b"got it").unwrap();
    assert!(hears_nothing(&mut client));
    proxy.set(Mode::Pass);
    assert_eq!(answer(&mut client).unwrap(), "got i");
}

#[test]
fn a_slow_wire_takes_its_time_both_ways() {
    let proxy = echo();
    proxy.set(Mode::Slow(A_WHILE));
    let mut client = connect(&proxy);
    let sent = Instant::now();
    client.write_all(b"hello").unwrap();
    assert_eq!(answer(&mut client).unwrap(), "hello");
    assert!(sent.elapsed() >= 2 * A_WHILE);
}

#[test]
fn a_wire_that_refuses_closes_old_and_new_connections() {
    let proxy = echo();
    let mut old = connect(&proxy);
    old.write_all(b"hello").unwrap();
    assert_eq!(answer(&mut old).unwrap(), "hello");
    proxy.set(Mode::Refuse);
    assert!(answer(&mut old).is_err());
    assert!(answer(&mut connect(&proxy)).is_err());
    proxy.set(Mode::Pass);
    let mut new = connect(&proxy);
    new.write_all(b"again").unwrap();
    assert_eq!(answer(&mut new).unwrap(), "again");
}

#[test]
fn a_cut_ends_what_is_open_and_lets_in_what_comes() {
    let proxy = echo();
    let mut old = connect(&proxy);
    old.write_all(b"hello").unwrap();
    assert_eq!(answer(&mut old).unwrap(), "hello");
    proxy.cut();
    assert!(answer(&mut old).is_err());
    let mut new = connect(&proxy);
    new.write_all(b"again").unwrap();
    assert_eq!(answer(&mut new).unwrap(), "again");
}

#[test]
fn a_server_that_hangs_up_is_seen_through_the_wire() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap().port()).unwrap();
    let mut client = connect(&proxy);
    client.write_all(b"hello").unwrap();
    drop(listener.accept().unwrap());
    assert!(answer(&mut client).is_err());
}

#[test]
fn a_wire_can_have_a_port_of_its_own_unless_somebody_has_it() {
    let port = free_port().unwrap();
    let proxy = Proxy::start_on(port, port).unwrap();
    assert_eq!(proxy.port(), port);
    assert!(Proxy::start_on(port, port).is_err());
}

#[test]
fn a_free_port_is_given_once() {
    let ports: std::collections::HashSet<u16> = (0..500).map(|_| free_port().unwrap()).collect();
    assert_eq!(ports.len(), 500);
    for port in ports.into_iter().take(20) {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    }
}
