//! The store's own async runtime: connections live on it while nobody calls.

use std::future::Future;
use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// A runtime that ends in the background, so that the last owner may be dropped anywhere.
#[derive(Debug)]
pub(crate) struct SharedRuntime(Option<Runtime>);

impl SharedRuntime {
    /// Starts one worker thread.
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("audit-s3").enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    /// Runs `future` and waits for it. Refuses to block a thread that drives a runtime.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> io::Result<F::Output> {
        if Handle::try_current().is_ok() {
            return Err(io::Error::other(
                "this call blocks and was made inside an async runtime: make it on a thread of its own (spawn_blocking)",
            ));
        }
        match &self.0 {
            Some(runtime) => Ok(runtime.block_on(future)),
            None => Err(io::Error::other("the runtime has ended")),
        }
    }
}

impl Drop for SharedRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
