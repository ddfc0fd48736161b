use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use audit_core::backend::{
    Backend, BackendError, Batch, Batching, Capabilities, Durability, Head, Opened, Reader, Synchronizer, contract,
};
use bytes::Bytes;

use crate::UrlError;
use crate::api::Which;
use crate::facts;
use crate::lines::Lines;
use crate::link::Link;
use crate::opening::{self, Ready};
use crate::publish::{Message, Published};
use crate::subjects::below;
use crate::synchronizer::NatsSynchronizer;
use crate::target::Target;

/// A log in a JetStream stream.
///
/// Nothing is contacted before [`open`](Backend::open). From then on one thread, `audit-nats`, keeps
/// the connection; it comes back by itself after an outage, to any of the servers.
///
/// Before `open`, [`capabilities`](Backend::capabilities) are those that the options ask for: a policy
/// that wants `synced` needs `sync_always`, one that wants `replicated` needs `required_replicas`.
pub struct Nats {
    target: Target,
    ready: Option<Ready>,
}

impl Nats {
    /// The log at `url`, `nats://HOST[:PORT][,HOST[:PORT]...]/STREAM/LOG`, with further `options` that may
    /// also stand in its query. The options are listed in `docs/backends/nats.md`. Contacts nobody.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the URL or which option.
    pub fn from_url(url: &str, options: &[(String, String)]) -> Result<Self, UrlError> {
        Ok(Self { target: Target::of_log(url, options)?, ready: None })
    }

    /// Gives the operator's word that every server of the stream runs with `sync_interval: always`, which a
    /// client cannot see: what is acknowledged is `synced`.
    #[must_use]
    pub const fn sync_always(mut self, sync_always: bool) -> Self {
        self.target.sync_always = sync_always;
        self
    }

    /// Refuses a stream with fewer replicas: 1 by default, at most 5.
    #[must_use]
    pub fn required_replicas(mut self, replicas: u8) -> Self {
        self.target.required_replicas = replicas.clamp(1, 5);
        self
    }

    /// Accepts credentials that may delete the stream or change its settings. Without this they are
    /// refused, because they let whoever takes over the service remove its log.
    #[must_use]
    pub const fn allow_admin_rights(mut self, allow: bool) -> Self {
        self.target.allow_admin_rights = allow;
        self
    }

    /// How long one request waits before it is sent again within the deadline of its call: 2 s by default.
    /// What is sent again is recognised.
    #[must_use]
    pub fn ack_timeout(mut self, timeout: Duration) -> Self {
        self.target.ack_timeout = timeout.clamp(Duration::from_millis(10), Duration::from_secs(3_600));
        self
    }

    fn ready(&mut self) -> Result<&mut Ready, BackendError> {
        self.ready
            .as_mut()
            .ok_or_else(|| BackendError::Misconfigured { detail: "the log in NATS has not been opened".into() })
    }
}

impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats").field("target", &self.target).field("open", &self.ready.is_some()).finish()
    }
}

impl Backend for Nats {
    fn name(&self) -> &'static str {
        "nats"
    }

    /// The stream by the time at which it was made, which no other has, and the log in it.
    fn place(&self) -> Option<String> {
        let ready = self.ready.as_ref()?;
        let log = below(&self.target.subject_prefix, &self.target.log);
        Some(format!("stream {} of {}, {log}", self.target.stream, ready.info.created))
    }

    fn capabilities(&self) -> Capabilities {
        match &self.ready {
            Some(ready) => ready.facts.capabilities(),
            None => facts::capabilities(self.target.sync_always, self.target.required_replicas),
        }
    }

    /// At most as many bytes as fit one message. Nothing lingers: a batch forms while the one before waits
    /// for its acknowledgement.
    fn batching(&self) -> Batching {
        match &self.ready {
            Some(ready) => Batching::default().bytes(ready.message_bytes),
            None => Batching::default(),
        }
    }

    fn open(&mut self, deadline: Instant) -> Result<Opened, BackendError> {
        contract::in_time(deadline, "opening the log")?;
        let place = self.target.place();
        let link = Link::open(&self.target, "writer", deadline).map_err(|trouble| trouble.opening(&place))?;
        let link = Arc::new(link);
        let (ready, opened) = link.block_on(opening::open(Arc::clone(&link), deadline))?;
        self.ready = Some(ready);
        Ok(opened)
    }

    fn create(&mut self, verifier_key: &str, deadline: Instant) -> Result<(), BackendError> {
        contract::in_time(deadline, CREATING)?;
        let link = Arc::clone(&self.ready()?.link);
        link.block_on(create(&link, verifier_key, deadline))
    }

    fn head(&mut self, deadline: Instant) -> Result<Head, BackendError> {
        contract::in_time(deadline, "reading the end of the log")?;
        let ready = self.ready()?;
        ready.link.block_on(ready.appender.head(deadline))
    }

    fn append(&mut self, expected: Head, batch: &Batch<'_>, deadline: Instant) -> Result<Durability, BackendError> {
        contract::in_time(deadline, "appending to the stream")?;
        let ready = self.ready()?;
        ready.link.block_on(ready.appender.append(expected, batch, deadline))
    }

    fn read(&mut self, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
        let ready = self.ready()?;
        read(&Arc::clone(&ready.link), ready.appender.lines(), range, deadline)
    }

    fn reader(&mut self) -> Result<Box<dyn Reader>, BackendError> {
        let link = Arc::clone(&self.ready()?.link);
        Ok(Box::new(LinesReader { lines: Lines::new(Arc::clone(&link)), link }))
    }

    fn synchronizer(&mut self) -> Result<Box<dyn Synchronizer>, BackendError> {
        let ready = self.ready()?;
        let (last, published) = ready.published;
        Ok(Box::new(NatsSynchronizer {
            link: Arc::clone(&ready.link),
            facts: Arc::clone(&ready.facts),
            opened: ready.info.clone(),
            last,
            published,
            in_doubt: None,
        }))
    }
}

const CREATING: &str = "creating the log";

/// Publishes the key as the first message of its subject.
async fn create(link: &Link, verifier_key: &str, deadline: Instant) -> Result<(), BackendError> {
    let subject = link.target.subjects().key;
    let message = Message {
        subject: &subject,
        bytes: Bytes::copy_from_slice(verifier_key.as_bytes()),
        expected_last: 0,
        id: None,
        headers: Vec::new(),
    };
    let trouble = match link.publish(&message, deadline).await {
        Ok(Published::Stored(_)) => return Ok(()),
        Ok(Published::Full(said)) => {
            return Err(BackendError::Full { detail: format!("{}: {said}", link.target.place()) });
        }
        Ok(Published::Compare) => {
            return Err(BackendError::Conflict {
                found: None,
                detail: format!("{}: log {} is there already", link.target.place(), link.target.log),
            });
        }
        Err(trouble) => trouble,
    };
    // It may have arrived all the same; nobody else publishes this key.
    let there = link.message(Which::From(1, &subject), deadline).await;
    match there {
        Ok(Some(there)) if there.bytes == verifier_key.as_bytes() => Ok(()),
        _ => Err(trouble.writing(CREATING)),
    }
}

/// Lines for another thread than the one that appends.
#[derive(Debug)]
struct LinesReader {
    link: Arc<Link>,
    lines: Lines,
}

impl Reader for LinesReader {
    fn read(&mut self, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
        read(&self.link, &mut self.lines, range, deadline)
    }
}

fn read(link: &Link, lines: &mut Lines, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
    const READING: &str = "reading from the stream";
    contract::in_time(deadline, READING)?;
    link.block_on(async { lines.read(range, deadline).await.map_err(|trouble| trouble.reading(READING)) })
}
