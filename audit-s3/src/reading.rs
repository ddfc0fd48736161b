//! A store that is only read: what a reader of a log and one of a fleet share.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use audit_core::verify::ReadError;

use super::fault::Fault;
use super::location::Location;
use super::runtime::SharedRuntime;
use super::settings::Settings;
use super::store::Store;

/// A store, its runtime, and how long one call may take.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) store: Arc<Store>,
    runtime: Arc<SharedRuntime>,
    timeout: Duration,
}

impl Reading {
    /// Makes the client; sends nothing.
    pub(crate) fn of(location: &Location, settings: &Settings) -> Result<Self, ReadError> {
        let url = location.url();
        let runtime =
            SharedRuntime::start().map_err(|error| ReadError::unavailable(format!("reading {url}"), error))?;
        let store = Store::new(location, settings).map_err(|what| not_a_log(format!("{url}: {what}")))?;
        let reading = Self { store: Arc::new(store), runtime: Arc::new(runtime), timeout: settings.read_timeout };
        let source = settings.credentials();
        let loaded = reading.block_on(async { source.load().await })?;
        loaded.map_err(|what| not_a_log(format!("{url}: {what}")))?;
        Ok(reading)
    }

    /// Runs one call, with as much time as one call may take.
    pub(crate) fn call<T, F>(&self, doing: &str, call: impl FnOnce(Instant) -> F) -> Result<T, ReadError>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let deadline = Instant::now() + self.timeout;
        let url = &self.store.layout.url;
        self.block_on(call(deadline))?.map_err(|fault| fault.read_error(format!("{doing} {url}")))
    }

    fn block_on<F: Future>(&self, call: F) -> Result<F::Output, ReadError> {
        let url = &self.store.layout.url;
        self.runtime.block_on(call).map_err(|error| ReadError::unavailable(format!("reading {url}"), error))
    }
}

/// What is at the URL cannot be read as a log.
pub(crate) fn not_a_log(detail: String) -> ReadError {
    ReadError::NotALog { detail }
}
