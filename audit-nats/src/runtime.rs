use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::runtime::{Builder, Handle, Runtime as Tokio};

/// The threads that keep connections alive. Shared by all who use one connection; the last of them
/// lets it go without waiting for it.
#[derive(Clone)]
pub(crate) struct Runtime(Arc<Owned>);

/// Taken out when it is dropped, because a runtime must not be dropped the usual way inside of
/// asynchronous code.
struct Owned(Option<Tokio>);

impl Runtime {
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("audit-nats").enable_all().build()?;
        Ok(Self(Arc::new(Owned(Some(runtime)))))
    }

    /// Runs `future` on the calling thread.
    ///
    /// # Errors
    ///
    /// When the calling thread runs asynchronous code, which must not be blocked.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> io::Result<F::Output> {
        if Handle::try_current().is_ok() {
            return Err(io::Error::other(
                "a log in NATS was used from asynchronous code, which it would block; use a thread of its own",
            ));
        }
        match &self.0.0 {
            Some(runtime) => Ok(runtime.block_on(future)),
            None => Err(io::Error::other("the runtime has ended")),
        }
    }

    /// Runs `future` beside what the calling thread does.
    pub(crate) fn spawn<F>(&self, future: F) -> io::Result<tokio::task::JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match &self.0.0 {
            Some(runtime) => Ok(runtime.spawn(future)),
            None => Err(io::Error::other("the runtime has ended")),
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Runtime")
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
