//! What the tests against real servers have in common.

#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

pub mod admin;
pub mod mute;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use audit_core::backend::{Backend, BackendError, Head};
use audit_core::conformance::{Sample, Store, VERIFIER_KEY};
use audit_core::{AuditLog, Event, Key, Outcome, Policy};
use audit_nats::{Nats, NewStream};
use real_servers::NatsSetup;

pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How long a call of a healthy server may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub fn soon() -> Instant {
    Instant::now() + PATIENCE
}

/// Servers where everybody may do everything.
pub fn debian() -> Result<real_servers::Nats> {
    NatsSetup::debian()?.start()
}

/// A name that no other test of this process uses.
pub fn fresh(what: &str) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("{what}{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Options as they are given to the crate.
pub fn options(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A stream of its own for one test.
#[derive(Clone, Debug)]
pub struct Place {
    /// `nats://HOST:PORT` of the servers.
    pub servers: String,
    pub stream: String,
    pub prefix: String,
    pub options: Vec<(String, String)>,
}

impl Place {
    /// Makes a stream with `replicas`.
    pub fn create(addresses: &str, replicas: u8) -> Result<Self> {
        let place = Self::of(addresses);
        place.new_stream()?.replicas(replicas).create(PATIENCE)?;
        Ok(place)
    }

    /// A name for a stream that is not there yet.
    pub fn of(addresses: &str) -> Self {
        let stream = fresh("AUDIT");
        let prefix = stream.to_ascii_lowercase();
        Self {
            servers: format!("nats://{addresses}"),
            options: options(&[("subject_prefix", &prefix), ("allow_admin_rights", "true")]),
            stream,
            prefix,
        }
    }

    pub fn new_stream(&self) -> Result<NewStream> {
        Ok(NewStream::from_url(&format!("{}/{}", self.servers, self.stream), &self.options)?)
    }

    /// The URL of log `log`.
    pub fn url(&self, log: &str) -> String {
        format!("{}/{}/{log}", self.servers, self.stream)
    }

    pub fn log(&self, log: &str) -> Result<Nats> {
        Ok(Nats::from_url(&self.url(log), &self.options)?)
    }

    pub fn reader(&self, log: &str) -> Result<audit_nats::NatsReader> {
        Ok(audit_nats::NatsReader::from_url(&self.url(log), &self.options)?)
    }

    /// A log that has been opened and created.
    pub fn created(&self, log: &str) -> Result<Nats> {
        let mut backend = self.log(log)?;
        backend.open(soon())?;
        backend.create(VERIFIER_KEY, soon())?;
        Ok(backend)
    }
}

/// A log of its own for each rule of the conformance suite.
pub struct Logs {
    pub place: Place,
    pub log: String,
    pub sync_always: bool,
}

impl Store for Logs {
    fn writer(&mut self) -> Box<dyn Backend> {
        let backend = self.place.log(&self.log).unwrap_or_else(|error| panic!("{error}"));
        Box::new(backend.sync_always(self.sync_always))
    }
}

/// Appends until `stop` says so or a call fails, and returns the head that was acknowledged and what failed.
pub fn append_until(
    backend: &mut dyn Backend,
    mut head: Head,
    lines: usize,
    patience: Duration,
    mut stop: impl FnMut(Head) -> bool,
) -> (Head, Option<BackendError>) {
    while !stop(head) {
        let sample = Sample::after(head).lines(lines, "under load");
        match backend.append(head, &sample.batch(), Instant::now() + patience) {
            Ok(_) => head = sample.head(),
            Err(error) => return (head, Some(error)),
        }
    }
    (head, None)
}

pub const ORIGIN: &str = "payments.example.com/prod-1";

/// Writes `calls` intents and outcomes with `AuditLog` itself, and closes the log.
pub fn write_log(backend: Nats, key: &Key, calls: usize) -> Result {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let builder = AuditLog::builder(ORIGIN).key(key.clone()).policy(Policy::observe()).backend(backend);
    let log = builder.open()?;
    runtime.block_on(async {
        for _ in 0..calls {
            let activity = log.begin(&Event::action("POST /v1/refunds/{id}")).await?;
            activity.finish(Outcome::http(201));
        }
        log.close(PATIENCE).await?;
        Ok(())
    })
}
