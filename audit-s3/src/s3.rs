use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use audit_core::backend::{
    Backend, BackendError, Batch, Batching, Capabilities, Durability, Fencing, Head, Opened, Reader, Synchronizer,
    contract,
};
use audit_core::key::VerifierKey;

use super::chain::End;
use super::line_reader::LineReader;
use super::location::Location;
use super::open::{Checked, Opening};
use super::put::Made;
use super::runtime::SharedRuntime;
use super::settings::{BATCH_LIMIT, Settings};
use super::shared::{NO_OBJECT, Shared, durability};
use super::store::Store;
use super::synchronizer::S3Synchronizer;
use super::writer::Writer;
use super::{LockMode, UrlError};

const OPENING: &str = "opening the log";
const CREATING: &str = "creating the log";

/// A log in an S3 bucket with Object Lock.
///
/// Each `append` makes one object that nobody can change, and under
/// [`LockMode::Compliance`] nobody can delete before its date: it is
/// [`Durability::Locked`] once the store has answered. A second writer is kept out by the condition
/// `If-None-Match: *` on every object.
///
/// Calls block until the store answers, at most until their deadline. Must not be called on a thread
/// that drives an async runtime: such calls fail, and say so. Starts one thread when it is opened.
pub struct S3 {
    location: Location,
    settings: Settings,
    state: State,
}

/// How far a log has been opened.
#[derive(Default)]
enum State {
    #[default]
    Closed,
    /// The store is good; there is no log yet.
    Empty(Arc<Shared>),
    Open(Box<Open>),
}

struct Open {
    writer: Writer,
    /// Until it is taken.
    synchronizer: Option<S3Synchronizer>,
}

impl S3 {
    /// A log at `path` in `bucket`. Sends nothing.
    ///
    /// # Errors
    ///
    /// When `bucket` is no name of a bucket, or `path` is empty, longer than 900 bytes, or has
    /// segments that are empty, `.` or `..`.
    pub fn new(bucket: &str, path: &str) -> Result<Self, UrlError> {
        let location = Location::new(bucket, path)?.of_log()?;
        Ok(Self { location, settings: Settings::default(), state: State::Closed })
    }

    /// A log from its URL, `s3://bucket/prefix/LOG?setting=value`, and further settings with the same
    /// names as those in the URL: `endpoint`, `region`, `path_style`, `ca_file`, `credentials_file`,
    /// `profile`, `mode`, `retention_days`, `fencing`, `allow_delete_right`, `linger_ms`,
    /// `batch_bytes`, `checkpoint_seconds`, `read_timeout_ms`. Sends nothing.
    ///
    /// # Errors
    ///
    /// When the URL names no log, and for settings that are unknown, given twice, or have a value
    /// that they cannot have. Secrets are refused: they come from the environment or a file.
    pub fn from_url(url: &str, options: &[(String, String)]) -> Result<Self, UrlError> {
        let (location, settings) = Settings::from_url(url, options)?;
        Ok(Self { location: location.of_log()?, settings, state: State::Closed })
    }

    /// The server, `https://host:port`; AWS in the region by default. Plain `http` shows every record
    /// to whoever is on the wire. With an endpoint the bucket stands in the path, unless
    /// [`path_style`](Self::path_style) says otherwise.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.settings.endpoint = Some(endpoint.into());
        self
    }

    /// The region that requests are signed for; `us-east-1` by default.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.settings.region = region.into();
        self
    }

    /// Whether the bucket stands in the path (`true`) or in the host name.
    #[must_use]
    pub const fn path_style(mut self, yes: bool) -> Self {
        self.settings.path_style = Some(yes);
        self
    }

    /// A file with the certificates (PEM) of the authorities that are trusted, instead of those of the
    /// operating system.
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.ca_file = Some(path.into());
        self
    }

    /// A file with credentials, in the form of `~/.aws/credentials`, instead of the environment. It is
    /// read again every five minutes, so that rotated keys take over.
    #[must_use]
    pub fn credentials_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.credentials_file = Some(path.into());
        self
    }

    /// The part of the file of credentials; `default` by default.
    #[must_use]
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.settings.profile = Some(profile.into());
        self
    }

    /// Locks every object for `days` days (1 to 36,500) in `mode`. Without this the bucket's default
    /// retention counts, as it is when
    /// the log is opened; without either the log does not open.
    #[must_use]
    pub fn retention(mut self, mode: LockMode, days: u32) -> Self {
        self.settings.mode = Some(mode);
        self.settings.retention_days = Some(days.clamp(1, 36_500));
        self
    }

    /// Accepts a store that ignores `If-None-Match`: the versions of each object are listed before
    /// anything is acknowledged, and more than one is a fork. Two more requests a batch. Only for a
    /// replica: a primary needs a store that enforces the condition.
    #[must_use]
    pub const fn detect_forks(mut self) -> Self {
        self.settings.detect_forks = true;
        self
    }

    /// Accepts credentials that may delete, which are refused otherwise.
    #[must_use]
    pub const fn allow_delete_right(mut self) -> Self {
        self.settings.allow_delete_right = true;
        self
    }

    /// How long the first record of a batch waits for company: 100 ms by default. Each batch costs a
    /// request.
    #[must_use]
    pub const fn linger(mut self, linger: Duration) -> Self {
        self.settings.linger = linger;
        self
    }

    /// The most bytes in a batch: 1 MiB by default, 8 MiB at most.
    #[must_use]
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.settings.batch_bytes = bytes.clamp(1, BATCH_LIMIT);
        self
    }

    /// The shortest time between two checkpoints that the log publishes by itself: 60 s by default,
    /// because each stays locked as long as the records.
    #[must_use]
    pub const fn checkpoint_rest(mut self, rest: Duration) -> Self {
        self.settings.checkpoint_rest = rest;
        self
    }

    /// The URL without its settings.
    #[must_use]
    pub fn url(&self) -> String {
        self.location.url()
    }

    fn shared(&self) -> Option<&Arc<Shared>> {
        match &self.state {
            State::Closed => None,
            State::Empty(shared) => Some(shared),
            State::Open(open) => Some(open.writer.shared()),
        }
    }

    fn writer(&mut self) -> Result<&mut Writer, BackendError> {
        match &mut self.state {
            State::Open(open) => Ok(&mut open.writer),
            State::Closed | State::Empty(_) => {
                Err(BackendError::Misconfigured { detail: format!("{}: the log is not open", self.location.url()) })
            }
        }
    }

    fn misconfigured(&self, what: impl fmt::Display) -> BackendError {
        BackendError::Misconfigured { detail: format!("{}: {what}", self.location.url()) }
    }

    fn opened(&mut self, shared: Arc<Shared>, end: End, published: Option<u64>) {
        let synchronizer = Some(S3Synchronizer::new(Arc::clone(&shared), published));
        self.state = State::Open(Box::new(Open { writer: Writer::new(shared, end), synchronizer }));
    }
}

impl Backend for S3 {
    fn name(&self) -> &'static str {
        "s3"
    }

    /// The log in its bucket, and the version of an object in it, which no other store has.
    fn place(&self) -> Option<String> {
        self.shared().map(|shared| shared.place.clone())
    }

    fn capabilities(&self) -> Capabilities {
        let (class, detects) = match self.shared() {
            Some(shared) => (shared.durability(), shared.making.detects),
            None => {
                let mode = self.settings.mode.unwrap_or(LockMode::Compliance);
                (durability(mode), self.settings.detect_forks)
            }
        };
        let fencing = if detects { Fencing::Detected } else { Fencing::Enforced };
        Capabilities::new(class, class, fencing).remote().checkpoint_rest(self.settings.checkpoint_rest)
    }

    fn batching(&self) -> Batching {
        Batching::lingering(self.settings.linger).bytes(self.settings.batch_bytes)
    }

    fn open(&mut self, deadline: Instant) -> Result<Opened, BackendError> {
        contract::in_time(deadline, OPENING)?;
        self.state = State::Closed;
        self.settings.check().map_err(|error| self.misconfigured(error))?;
        let runtime = SharedRuntime::start().map_err(|error| BackendError::unavailable(OPENING, error))?;
        let store = Store::new(&self.location, &self.settings).map_err(|what| self.misconfigured(what))?;
        let store = Arc::new(store);
        let opening = Opening { store: &store, settings: &self.settings, deadline };
        let found = runtime.block_on(async {
            let source = self.settings.credentials();
            let credentials = tokio::time::timeout_at(deadline.into(), source.load()).await;
            let credentials = credentials.unwrap_or_else(|_| Err(format!("{source} could not be read in time")));
            credentials.map_err(|what| self.misconfigured(what))?;
            let checked = opening.check().await?;
            Ok::<_, BackendError>((checked, opening.log().await?))
        });
        let (Checked { making, bucket, probe }, found) =
            found.map_err(|error| BackendError::unavailable(OPENING, error))??;
        let shared = Arc::new(Shared {
            runtime: Arc::new(runtime),
            store,
            place: format!("{}, probe {probe}", self.location.url()),
            making,
            bucket,
            delete_right_accepted: self.settings.allow_delete_right,
            size: AtomicU64::new(0),
            newest: AtomicU64::new(NO_OBJECT),
        });
        match found {
            None => {
                self.state = State::Empty(shared);
                Ok(Opened::empty())
            }
            Some(found) => {
                self.opened(shared, found.end, found.published);
                Ok(found.opened)
            }
        }
    }

    fn create(&mut self, verifier_key: &str, deadline: Instant) -> Result<(), BackendError> {
        contract::in_time(deadline, CREATING)?;
        let shared = match &self.state {
            State::Closed => return Err(self.misconfigured("the log is not open")),
            State::Open(open) => {
                let found = Some(open.writer.known());
                return Err(BackendError::Conflict { found, detail: format!("{} holds a log already", self.url()) });
            }
            State::Empty(shared) => Arc::clone(shared),
        };
        let key = VerifierKey::parse(verifier_key)
            .map_err(|error| self.misconfigured(format!("the verifier key of a new log: {error}")))?;
        let text = format!("{key}\n");
        let name = shared.store.layout.verifier_key();
        let made = shared.run(CREATING, shared.store.make(&name, text.as_bytes(), shared.making, deadline))?;
        match made.map_err(|fault| fault.writing(CREATING))? {
            Made::Ours => {
                self.opened(shared, End::EMPTY, None);
                Ok(())
            }
            Made::Others(_) | Made::Forked => Err(BackendError::Conflict {
                found: None,
                detail: format!("{}: another writer has just created a log there", self.url()),
            }),
        }
    }

    fn head(&mut self, deadline: Instant) -> Result<Head, BackendError> {
        self.writer()?.head(deadline)
    }

    fn append(&mut self, expected: Head, batch: &Batch<'_>, deadline: Instant) -> Result<Durability, BackendError> {
        self.writer()?.append(expected, batch, deadline)
    }

    fn read(&mut self, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
        self.writer()?.read(range, deadline)
    }

    fn reader(&mut self) -> Result<Box<dyn Reader>, BackendError> {
        let shared = Arc::clone(self.writer()?.shared());
        Ok(Box::new(LineReader::new(shared)))
    }

    fn synchronizer(&mut self) -> Result<Box<dyn Synchronizer>, BackendError> {
        let taken = match &mut self.state {
            State::Open(open) => open.synchronizer.take(),
            State::Closed | State::Empty(_) => None,
        };
        match taken {
            Some(synchronizer) => Ok(Box::new(synchronizer)),
            None => Err(self.misconfigured("the log is not open, or its synchronizer has been taken")),
        }
    }
}

/// Shows where the log is and how it is set; no secrets are among the settings.
impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3")
            .field("url", &self.location.url())
            .field("settings", &self.settings)
            .field("open", &matches!(self.state, State::Open(_)))
            .finish()
    }
}
