//! Serving gRPC with tonic until the process is asked to stop.

use std::net::SocketAddr;

use audit_core::AuditLog;
use audit_tower::AuditLayer;
use tonic::transport::Server;
use tonic::transport::server::{Router, TcpConnectInfo, TcpIncoming};

use crate::Failure;
use crate::payments::Payments;
use crate::stop::{Stop, announce, cannot_listen};
use crate::tonic_service::{health, payments};

/// Serves the payments service behind the audit layer, until SIGTERM or SIGINT.
///
/// # Errors
///
/// When the address cannot be bound, the signals cannot be watched, or the server fails.
pub async fn audited(state: Payments, log: &AuditLog, listen: SocketAddr) -> Result<(), Failure> {
    let audit = AuditLayer::for_grpc(log.clone()).peer(|head| {
        // tonic leaves it with every request that came over TCP.
        head.extensions().get::<TcpConnectInfo>()?.remote_addr()
    });
    let health = health(Some(log.clone()));
    let (incoming, stop) = listening(listen)?;
    let asked = stop.clone().asked();
    // A request body that is watched is wrapped, which costs a little even where no rule asks for it.
    if log.body_capture().is_some() {
        let router = Server::builder().layer(audit.capture_bodies()).add_service(payments(state)).add_service(health);
        stop.drained(router.serve_with_incoming_shutdown(incoming, asked)).await
    } else {
        let router = Server::builder().layer(audit).add_service(payments(state)).add_service(health);
        stop.drained(router.serve_with_incoming_shutdown(incoming, asked)).await
    }
}

/// Serves the payments service alone, until SIGTERM or SIGINT.
///
/// # Errors
///
/// As [`audited`].
pub async fn bare(state: Payments, listen: SocketAddr) -> Result<(), Failure> {
    let router: Router = Server::builder().add_service(payments(state)).add_service(health(None));
    let (incoming, stop) = listening(listen)?;
    stop.clone().drained(router.serve_with_incoming_shutdown(incoming, stop.asked())).await
}

fn listening(listen: SocketAddr) -> Result<(TcpIncoming, Stop), Failure> {
    let incoming = TcpIncoming::bind(listen).map_err(|error| cannot_listen(listen, error))?;
    // Without it, small answers wait for the acknowledgement of earlier ones.
    let incoming = incoming.with_nodelay(Some(true));
    let stop = Stop::watch()?;
    announce(incoming.local_addr()?)?;
    Ok((incoming, stop))
}
