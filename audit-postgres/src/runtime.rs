//! The runtime that connections live on.

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::runtime::{Builder, Handle, Runtime as Tokio};

/// A runtime with one thread, shared by everything that uses one pool. Dropping the last owner
/// neither blocks nor panics, wherever it happens.
#[derive(Clone)]
pub(crate) struct Runtime(Arc<Owned>);

struct Owned(Option<Tokio>);

impl Runtime {
    pub(crate) fn start() -> io::Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("audit-postgres").enable_all().build()?;
        Ok(Self(Arc::new(Owned(Some(runtime)))))
    }

    /// Waits for `future` on this thread, which must not be one of an async runtime.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> io::Result<F::Output> {
        match &self.0.0 {
            Some(runtime) if Handle::try_current().is_err() => Ok(runtime.block_on(future)),
            _ => Err(io::Error::other("a blocking call inside of an async runtime: make it on a thread of its own")),
        }
    }

    /// Lets `future` run in the background.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.0.0 {
            drop(runtime.spawn(future));
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Runtime")
    }
}
