//! The service in this process, on a free port of the loopback interface.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use audit_core::AuditLog;
use examples::options::Options;
use examples::payments::Payments;
use examples::{Failure, axum_router, log};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The service while it runs.
pub(crate) struct Service {
    runtime: Runtime,
    log: AuditLog,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Service {
    pub(crate) fn start(directory: &Path) -> Result<Self, Failure> {
        let arguments = ["--log".into(), directory.as_os_str().to_owned()];
        let options = Options::parse(arguments)?;
        let log = log::open(&options)?;
        let payments = Payments::counting_in(&log::handled(directory))?;
        let app = axum_router::audited(payments, &log);

        let runtime = Runtime::new()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        let served = runtime.spawn(async move {
            let server = axum::serve(listener, service);
            let stopped = async {
                let _ = stopped.await;
            };
            server.with_graceful_shutdown(stopped).await
        });
        Ok(Self { runtime, log, address, stop, served })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Runs a client on the service's own runtime.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// A checkpoint over everything recorded so far.
    pub(crate) fn checkpoint(&self) -> Result<Vec<u8>, Failure> {
        Ok(self.block_on(self.log.checkpoint(DEADLINE))?)
    }

    /// Stops as on SIGTERM; the number of records in the closed log.
    pub(crate) fn stop(self) -> Result<u64, Failure> {
        let _ = self.stop.send(());
        let closed = self.runtime.block_on(async {
            self.served.await??;
            Ok::<_, Failure>(self.log.close(DEADLINE).await?)
        })?;
        Ok(closed.records)
    }
}

const DEADLINE: Duration = Duration::from_secs(10);
