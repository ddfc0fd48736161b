//! Serving a router with axum until the process is asked to stop.

use std::net::SocketAddr;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::Failure;
use crate::stop::{Stop, announce, cannot_listen};

/// Serves `app` on `listen` until SIGTERM or SIGINT, then lets the calls in flight end for at most
/// [`DRAIN`](crate::stop::DRAIN).
///
/// # Errors
///
/// When the address cannot be bound or the signals cannot be watched.
pub async fn until_stopped(app: Router, listen: SocketAddr) -> Result<(), Failure> {
    let listener = TcpListener::bind(listen).await.map_err(|error| cannot_listen(listen, error))?;
    let stop = Stop::watch()?;
    announce(listener.local_addr()?)?;

    let listener = listener.tap_io(|stream| {
        // Without it, small answers wait for the acknowledgement of earlier ones.
        let _ = stream.set_nodelay(true);
    });
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(stop.clone().asked());
    stop.drained(async { server.await }).await
}
