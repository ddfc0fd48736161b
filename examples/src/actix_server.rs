//! Serving an app with Actix Web until the process is asked to stop.

use std::net::SocketAddr;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::{App, Error, HttpServer};

use crate::Failure;
use crate::stop::{DRAIN, Stop, announce, cannot_listen};

/// Serves what `app` makes for each worker on `listen` until SIGTERM or SIGINT, then lets the calls
/// in flight end for at most [`DRAIN`].
///
/// # Errors
///
/// When the address cannot be bound or the signals cannot be watched.
pub async fn until_stopped<F, T, B>(app: F, listen: SocketAddr) -> Result<(), Failure>
where
    F: Fn() -> App<T> + Send + Clone + 'static,
    T: ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<B>, Error = Error, InitError = ()>
        + 'static,
    B: MessageBody + 'static,
{
    let server = HttpServer::new(app)
        // Without this, handlers run on when their client is gone.
        .h1_allow_half_closed(false)
        .shutdown_timeout(DRAIN.as_secs())
        .disable_signals()
        .bind(listen)
        .map_err(|error| cannot_listen(listen, error))?;
    let stop = Stop::watch()?;
    let address = server.addrs().first().copied().unwrap_or(listen);
    let server = server.run();
    let running = server.handle();
    tokio::spawn(async move {
        stop.asked().await;
        running.stop(true).await;
    });
    announce(address)?;
    Ok(server.await?)
}
