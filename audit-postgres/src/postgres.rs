use std::fmt;
use std::ops::Range;
use std::time::Instant;

use audit_core::backend::{
    Backend, BackendError, Batch, Capabilities, Durability, Fencing, Head, Opened, Reader, Synchronizer, contract,
};
use tokio_postgres::types::Type;

use crate::fault::{self, Effect};
use crate::inspection;
use crate::rows::Log;
use crate::server::Server;
use crate::settings::Settings;
use crate::synchronizer::PostgresSynchronizer;
use crate::url::UrlError;
use crate::{append, open};

/// A log in a table of PostgreSQL, to which one function appends.
///
/// A returned `append` is a commit that is on the server's disk ([`Durability::Synced`]), whatever
/// `synchronous_commit` is by default. Another writer is kept out by a row with the head, which is
/// compared and advanced in the transaction that appends.
///
/// Calls block until the server answers, at most until their deadline, and must not be made inside
/// of an async runtime: the log makes them on its own threads.
pub struct Postgres {
    settings: Settings,
    state: Option<Connected>,
}

/// A server that has been found fit.
#[derive(Debug)]
struct Connected {
    log: Log,
    /// Which log in which database it is.
    place: String,
    /// Whether a commit waits for another server.
    replicated: bool,
    exists: bool,
    synchronizer_taken: bool,
}

impl Postgres {
    /// The log that `url` names: `postgres://user@host:port/database/LOG`.
    ///
    /// Options have the names of the URL's own parameters; both together may name each once:
    ///
    /// | name | means | default |
    /// |---|---|---|
    /// | `schema` | where tables and functions are | `audit_log` |
    /// | `tls` | `require` or `disable` | `require`; `disable` on loopback addresses and Unix sockets |
    /// | `ca_file` | PEM file with the authorities of the server's certificate | the system's |
    /// | `password_file` | a file whose first line is the password | none |
    /// | `password_env` | an environment variable with the password | none |
    /// | `pool` | the most connections that are open, 1 to 64 | 4 |
    /// | `remote` | `true`: the server is on another machine | `false` on loopback addresses and Unix sockets |
    /// | `read_timeout` | seconds that a [`PostgresReader`](crate::PostgresReader) waits for an answer | 30 |
    ///
    /// Contacts nothing and reads no file: that is for [`open`](Backend::open).
    ///
    /// # Errors
    ///
    /// [`UrlError`] names the part or the option that is wrong; a password in the URL is refused.
    pub fn from_url(url: &str, options: &[(String, String)]) -> Result<Self, UrlError> {
        Ok(Self { settings: Settings::of_log(url, options)?, state: None })
    }

    fn connected(&mut self) -> Result<&mut Connected, BackendError> {
        match &mut self.state {
            Some(connected) => Ok(connected),
            None => Err(not_open(&self.settings)),
        }
    }

    fn log(&mut self) -> Result<&Log, BackendError> {
        match &self.state {
            Some(connected) if connected.exists => Ok(&connected.log),
            _ => Err(not_open(&self.settings)),
        }
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("log", &self.settings.location.log)
            .field("place", &self.settings.location.to_string())
            .field("open", &self.state.is_some())
            .finish()
    }
}

impl Backend for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn place(&self) -> Option<String> {
        self.state.as_ref().map(|connected| connected.place.clone())
    }

    fn capabilities(&self) -> Capabilities {
        let mut found = Capabilities::new(Durability::Synced, Durability::Synced, Fencing::Enforced)
            .checkpoint_rest(CHECKPOINT_REST);
        if self.state.as_ref().is_some_and(|connected| connected.replicated) {
            found = found.on_machines(2);
        }
        if self.settings.remote { found.remote() } else { found }
    }

    fn open(&mut self, deadline: Instant) -> Result<Opened, BackendError> {
        contract::in_time(deadline, "opening the log")?;
        self.state = None;
        let server = Server::new(&self.settings)?;
        server.greet(deadline)?;
        let found = inspection::inspect(&server, &self.settings.schema, deadline)
            .map_err(|error| fault::while_opening(error, &server.place))?;
        if !found.concerns.is_empty() {
            let concerns: Vec<String> = found.concerns.iter().map(|concern| concern.detail.clone()).collect();
            return Err(BackendError::Misconfigured { detail: format!("{}: {}", server.place, concerns.join("; ")) });
        }
        let log = Log { server, schema: self.settings.schema.clone(), name: self.settings.location.log.clone() };
        let opened = open::open(&log, deadline).map_err(|error| fault::while_opening(error, &log.server.place))?;
        let place = log.place(deadline).map_err(|error| fault::while_opening(error, &log.server.place))?;
        let (replicated, exists) = (found.replicated, opened.is_some());
        self.state = Some(Connected { log, place, replicated, exists, synchronizer_taken: false });
        Ok(opened.unwrap_or_else(Opened::empty))
    }

    fn create(&mut self, verifier_key: &str, deadline: Instant) -> Result<(), BackendError> {
        contract::in_time(deadline, "creating the log")?;
        let connected = self.connected()?;
        let log = &connected.log;
        let statement = format!("SELECT {}.create_log($1, $2)", log.schema);
        let parameters =
            [(&log.name as &(dyn tokio_postgres::types::ToSql + Sync), Type::TEXT), (&verifier_key, Type::TEXT)];
        let rows = log.server.query("creating the log", Effect::Commits, deadline, &statement, &parameters)?;
        let created = rows.first().and_then(|row| row.try_get(0).ok()).unwrap_or(false);
        let there = if created { None } else { Some(log.head(deadline)?) };
        connected.exists = true;
        match there {
            None => Ok(()),
            Some(head) => Err(BackendError::Conflict {
                found: Some(head),
                detail: format!("there is a log {} already", self.settings.location.log),
            }),
        }
    }

    fn head(&mut self, deadline: Instant) -> Result<Head, BackendError> {
        contract::in_time(deadline, "looking for the end of the log")?;
        self.log()?.head(deadline)
    }

    fn append(&mut self, expected: Head, batch: &Batch<'_>, deadline: Instant) -> Result<Durability, BackendError> {
        contract::in_time(deadline, "appending to the log")?;
        append::append(self.log()?, expected, batch, deadline)?;
        let connected = self.connected()?;
        if connected.replicated {
            append::still_replicated(&connected.log, deadline)?;
        }
        Ok(Durability::Synced)
    }

    fn read(&mut self, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
        contract::in_time(deadline, "reading the log")?;
        read(self.log()?, &range, deadline)
    }

    fn reader(&mut self) -> Result<Box<dyn Reader>, BackendError> {
        Ok(Box::new(RowReader(self.log()?.clone())))
    }

    fn synchronizer(&mut self) -> Result<Box<dyn Synchronizer>, BackendError> {
        let log = self.log()?.clone();
        let connected = self.connected()?;
        if std::mem::replace(&mut connected.synchronizer_taken, true) {
            return Err(BackendError::Misconfigured {
                detail: format!("the synchronizer of the log {} has been taken", log.name),
            });
        }
        Ok(Box::new(PostgresSynchronizer::new(log, connected.replicated)))
    }
}

/// Lines for another thread.
#[derive(Debug)]
struct RowReader(Log);

impl Reader for RowReader {
    fn read(&mut self, range: Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
        contract::in_time(deadline, "reading the log")?;
        read(&self.0, &range, deadline)
    }
}

/// Lines from `range.start` on; a hole in front of the end is no end.
fn read(log: &Log, range: &Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
    let bytes = log.lines(range, deadline)?;
    if bytes.is_empty() && !range.is_empty() && range.start < log.head(deadline)?.size {
        let again = log.lines(range, deadline)?;
        if again.is_empty() {
            return Err(BackendError::Tampered {
                seq: Some(range.start),
                detail: format!("line {} of the log {} is gone", range.start, log.name),
            });
        }
        return Ok(again);
    }
    Ok(bytes)
}

fn not_open(settings: &Settings) -> BackendError {
    BackendError::Misconfigured { detail: format!("the log {} is not open", settings.location.log) }
}

/// Every checkpoint is a row that stays, and a commit.
const CHECKPOINT_REST: std::time::Duration = std::time::Duration::from_secs(1);
