//! How every server here starts to listen, and how it ends.

use std::fmt::Display;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::Failure;

/// Says on standard output where a server listens, which is how a parent finds a port that was 0.
///
/// # Errors
///
/// When standard output cannot be written.
pub fn announce(address: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on http://{address}")?;
    out.flush()
}

/// Whether SIGTERM or SIGINT has asked this process to stop.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Watches for the signals, which from now on do not end the process by themselves.
    ///
    /// # Errors
    ///
    /// When the signals cannot be watched.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub fn watch() -> io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            sender.send_replace(true);
            // The receivers must not see the sender go before they have seen the value.
            sender.closed().await;
        });
        Ok(Self(receiver))
    }

    /// Waits until the process is asked to stop.
    pub async fn asked(mut self) {
        let _ = self.0.wait_for(|stop| *stop).await;
    }

    /// Runs `server`, which has to end when the process is asked to stop, and cuts off the calls
    /// that are still open [`DRAIN`] later.
    ///
    /// # Errors
    ///
    /// When the server fails.
    pub async fn drained<E>(self, server: impl Future<Output = Result<(), E>>) -> Result<(), Failure>
    where
        Failure: From<E>,
    {
        let overdue = async {
            self.asked().await;
            tokio::time::sleep(DRAIN).await;
        };
        tokio::select! {
            ended = server => ended?,
            () = overdue => eprintln!("calls still open after {} s are cut off", DRAIN.as_secs()),
        }
        Ok(())
    }
}

/// The failure of a server that cannot have its address.
pub fn cannot_listen(listen: SocketAddr, error: impl Display) -> Failure {
    format!("cannot listen on {listen}: {error}").into()
}

/// How long calls in flight may take after the process was asked to stop.
pub const DRAIN: Duration = Duration::from_secs(10);
