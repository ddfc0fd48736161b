//! A wire between client and server that can be cut, held or slowed down.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::Failure;

/// How a proxy treats what passes through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Passes it on.
    Pass,
    /// Accepts, and answers nothing: everything is held until the mode changes.
    Hang,
    /// Holds what the server answers, and passes on what the client sends.
    HangAnswers,
    /// Passes on each piece this much later.
    Slow(Duration),
    /// Closes every connection, and new ones at once.
    Refuse,
}

/// A TCP proxy on a loopback port, in front of one server.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: SocketAddr,
    mode: Mutex<Mode>,
    connections: Mutex<Vec<TcpStream>>,
    ended: AtomicBool,
}

impl Shared {
    fn mode(&self) -> Mode {
        *self.mode.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cut(&self) {
        for connection in self.connections.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // One that is closed already is what is wanted.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Proxy {
    /// Starts a proxy in front of the loopback port `target`, in mode [`Mode::Pass`].
    ///
    /// # Errors
    ///
    /// When there is no port to listen on.
    pub fn start(target: u16) -> Result<Self, Failure> {
        Self::start_on(0, target)
    }

    /// The same, on the loopback port `port`.
    ///
    /// # Errors
    ///
    /// When somebody else listens there.
    pub fn start_on(port: u16, target: u16) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            target: SocketAddr::from((Ipv4Addr::LOCALHOST, target)),
            mode: Mutex::new(Mode::Pass),
            connections: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Ok(Self { port, shared })
    }

    /// The port to connect to.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Changes the mode for all connections, old and new.
    pub fn set(&self, mode: Mode) {
        *self.shared.mode.lock().unwrap_or_else(PoisonError::into_inner) = mode;
        if mode == Mode::Refuse {
            self.shared.cut();
        }
    }

    /// Closes every connection that is open now.
    pub fn cut(&self) {
        self.shared.cut();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        self.shared.cut();
        // Wakes the thread that accepts, so that it sees the end.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.ended.load(Ordering::Relaxed) {
            return;
        }
        let Ok(client) = client else { continue };
        if shared.mode() == Mode::Refuse {
            continue;
        }
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            // A connection that fails ends like one that was closed.
            let _ = connect(client, &shared);
        });
    }
}

fn connect(client: TcpStream, shared: &Arc<Shared>) -> std::io::Result<()> {
    while shared.mode() == Mode::Hang && !shared.ended.load(Ordering::Relaxed) {
        thread::sleep(PAUSE);
    }
    let server = TcpStream::connect(shared.target)?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
        shared.connections.lock().unwrap_or_else(PoisonError::into_inner).push(stream.try_clone()?);
    }
    let (from, to) = (client.try_clone()?, server.try_clone()?);
    let forth = Arc::clone(shared);
    thread::spawn(move || pass(from, to, &forth, false));
    pass(server, client, shared, true);
    Ok(())
}

fn pass(mut from: TcpStream, mut to: TcpStream, shared: &Shared, answers: bool) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        loop {
            match shared.mode() {
                Mode::Hang => {}
                Mode::HangAnswers if answers => {}
                Mode::Slow(time) => {
                    thread::sleep(time);
                    break;
                }
                _ => break,
            }
            if shared.ended.load(Ordering::Relaxed) {
                return;
            }
            thread::sleep(PAUSE);
        }
        if to.write_all(buffer.get(..count).unwrap_or_default()).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// How often a wire that is held looks whether it still is.
const PAUSE: Duration = Duration::from_millis(5);
