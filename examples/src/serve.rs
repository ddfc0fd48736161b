//! Serving a router until the process is asked to stop.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::Failure;

/// Serves `app` on `listen` until SIGTERM or SIGINT, then lets the calls in flight end for at most
/// [`DRAIN`].
///
/// Says on standard output where it listens, which is how a parent finds a port that was 0.
///
/// # Errors
///
/// When the address cannot be bound or the signals cannot be watched.
pub async fn until_stopped(app: Router, listen: SocketAddr) -> Result<(), Failure> {
    let listener = TcpListener::bind(listen).await.map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    let mut stopped = stopped()?;
    announce(listener.local_addr()?)?;

    let listener = listener.tap_io(|stream| {
        // Without it, small answers wait for the acknowledgement of earlier ones.
        let _ = stream.set_nodelay(true);
    });
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let mut asked = stopped.clone();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        let _ = asked.wait_for(|stop| *stop).await;
    });
    let overdue = async move {
        let _ = stopped.wait_for(|stop| *stop).await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        ended = server => ended?,
        () = overdue => eprintln!("calls still open after {} s are cut off", DRAIN.as_secs()),
    }
    Ok(())
}

fn announce(address: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on http://{address}")?;
    out.flush()
}

fn stopped() -> io::Result<watch::Receiver<bool>> {
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
    Ok(receiver)
}

/// How long calls in flight may take after the process was asked to stop.
pub const DRAIN: Duration = Duration::from_secs(10);
