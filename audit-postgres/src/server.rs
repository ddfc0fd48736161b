//! One server: its connections, and calls that end by their deadline.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use audit_core::backend::{BackendError, contract};
use deadpool_postgres::{Client, Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use tokio::time::timeout_at;
use tokio_postgres::config::SslMode;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{CancelToken, Config, Error, NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::fault::{self, Effect};
use crate::runtime::Runtime;
use crate::settings::{Password, Settings};

/// Parameters of a statement with their types: without them the driver would prepare the statement
/// by a name, which a pooler in transaction mode does not keep for us.
pub(crate) type Parameters<'a> = &'a [(&'a (dyn ToSql + Sync), Type)];

/// A pool of connections and the runtime they live on. Clones share both.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    runtime: Runtime,
    pool: Pool,
    tls: Tls,
    /// Where the server is, for messages.
    pub(crate) place: String,
}

#[derive(Clone)]
enum Tls {
    Off,
    On(MakeRustlsConnect),
}

impl Server {
    /// Prepares the pool; connects to nothing yet. Reads the password, and starts a thread.
    pub(crate) fn new(settings: &Settings) -> Result<Self, BackendError> {
        let misconfigured = |detail: String| BackendError::Misconfigured { detail };
        let location = &settings.location;
        let mut config = Config::new();
        config
            .user(&location.user)
            .dbname(&location.database)
            .port(location.port)
            .application_name("audit-postgres")
            .connect_timeout(CONNECT)
            .keepalives_idle(KEEPALIVE)
            .ssl_mode(if settings.tls { SslMode::Require } else { SslMode::Disable });
        if location.host.starts_with('/') {
            config.host_path(&location.host);
        } else {
            config.host(&location.host);
        }
        if let Some(password) = read_password(&settings.password).map_err(misconfigured)? {
            config.password(password);
        }
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let (manager, tls) = if settings.tls {
            let tls = crate::tls::connector(settings.ca_file.as_deref()).map_err(misconfigured)?;
            (Manager::from_config(config, tls.clone(), recycling), Tls::On(tls))
        } else {
            (Manager::from_config(config, NoTls, recycling), Tls::Off)
        };
        let pool = Pool::builder(manager).max_size(settings.pool).build();
        let pool = pool.map_err(|error| misconfigured(format!("the pool of connections: {error}")))?;
        let runtime = Runtime::start().map_err(|error| BackendError::unavailable("starting a runtime", error))?;
        Ok(Self { runtime, pool, tls, place: location.to_string() })
    }

    /// Runs one statement, which is one transaction, and returns its rows.
    ///
    /// A statement that has no answer by `deadline` is cancelled on a best-effort basis, and its
    /// connection is closed, never used again.
    pub(crate) fn query(
        &self,
        doing: &'static str,
        effect: Effect,
        deadline: Instant,
        statement: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, BackendError> {
        contract::in_time(deadline, doing)?;
        let answer = self.runtime.block_on(self.query_async(doing, effect, deadline, statement, parameters));
        answer.map_err(|error| BackendError::unavailable(doing, error))?
    }

    /// As [`query`](Self::query), on the caller's own runtime.
    pub(crate) async fn query_async(
        &self,
        doing: &'static str,
        effect: Effect,
        deadline: Instant,
        statement: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, BackendError> {
        let client = self.connection(doing, deadline).await?;
        let query = client.query_typed(statement, parameters);
        match timeout_at(deadline.into(), query).await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => {
                if error.as_db_error().is_none() || client.is_closed() {
                    drop(Object::take(client));
                }
                Err(fault::failed(doing, effect, &error))
            }
            Err(_) => {
                self.give_up(client);
                Err(fault::late(doing, effect))
            }
        }
    }

    /// As [`query`](Self::query), for a statement that only reads.
    pub(crate) fn read(
        &self,
        doing: &'static str,
        deadline: Instant,
        statement: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, BackendError> {
        self.query(doing, Effect::None, deadline, statement, parameters)
    }

    /// Runs several statements in the simple protocol, as one script.
    pub(crate) fn script(&self, doing: &'static str, deadline: Instant, script: &str) -> Result<(), BackendError> {
        contract::in_time(deadline, doing)?;
        let run = async {
            let client = self.connection(doing, deadline).await?;
            match timeout_at(deadline.into(), client.batch_execute(script)).await {
                Ok(result) => {
                    // Whatever the script left behind in the session ends with it.
                    drop(Object::take(client));
                    result.map_err(|error| fault::failed(doing, Effect::Commits, &error))
                }
                Err(_) => {
                    self.give_up(client);
                    Err(fault::late(doing, Effect::Commits))
                }
            }
        };
        self.runtime.block_on(run).map_err(|error| BackendError::unavailable(doing, error))?
    }

    /// Says at once whether the server can be reached with these credentials, as an error of the
    /// configuration where it is one.
    pub(crate) fn greet(&self, deadline: Instant) -> Result<(), BackendError> {
        const DOING: &str = "connecting to PostgreSQL";
        contract::in_time(deadline, DOING)?;
        let greeted = self.runtime.block_on(async { timeout_at(deadline.into(), self.pool.get()).await });
        match greeted.map_err(|error| BackendError::unavailable(DOING, error))? {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(fault::while_opening(fault::not_connected(DOING, error), &self.place)),
            Err(_) => Err(fault::late(DOING, Effect::None)),
        }
    }

    /// The runtime that the connections live on.
    pub(crate) const fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    async fn connection(&self, doing: &'static str, deadline: Instant) -> Result<Client, BackendError> {
        match timeout_at(deadline.into(), self.pool.get()).await {
            Ok(Ok(client)) => Ok(client),
            Ok(Err(error)) => Err(fault::not_connected(doing, error)),
            Err(_) => Err(fault::late(doing, Effect::None)),
        }
    }

    /// Asks the server to stop what it does on a connection, and closes it.
    fn give_up(&self, client: Client) {
        let token = client.cancel_token();
        drop(Object::take(client));
        let tls = self.tls.clone();
        self.runtime.spawn(async move {
            // The transaction may have ended by itself, or the server may not answer: both are fine.
            let _ = tokio::time::timeout(CANCEL, cancel(token, tls)).await;
        });
    }
}

async fn cancel(token: CancelToken, tls: Tls) -> Result<(), Error> {
    match tls {
        Tls::Off => token.cancel_query(NoTls).await,
        Tls::On(tls) => token.cancel_query(tls).await,
    }
}

fn read_password(password: &Password) -> Result<Option<String>, String> {
    match password {
        Password::None => Ok(None),
        Password::File(path) => {
            let read = fs::read_to_string(path).and_then(|text| {
                let line = text.lines().next().filter(|line| !line.is_empty()).map(str::to_owned);
                line.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "its first line is empty"))
            });
            read.map(Some).map_err(|error| format!("password_file {}: {error}", path.display()))
        }
        Password::Variable(name) => match std::env::var(name) {
            Ok(value) if !value.is_empty() => Ok(Some(value)),
            _ => Err(format!("password_env {name}: the variable is not set, or empty")),
        },
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Off => "Off",
            Self::On(_) => "On",
        })
    }
}

/// How long one attempt to connect may take, whatever the deadline.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a connection is idle before the operating system asks whether the other end is there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// How long the request to cancel a statement may take.
const CANCEL: Duration = Duration::from_secs(5);
