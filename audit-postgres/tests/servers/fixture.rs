//! A server that tests share, and a schema with its roles for each of them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use audit_core::backend::Backend as _;
use audit_core::conformance::VERIFIER_KEY;
use audit_postgres::{Postgres, PostgresReader, Role, grants};
use real_servers::Postgres as Server;
use tempfile::TempDir;

/// A schema that was installed from what `grants` prints, with one login for each role.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) server: Arc<Server>,
    pub(crate) schema: String,
    folder: TempDir,
    /// Where to connect to, if not to the server itself.
    pub(crate) port: u16,
}

impl Place {
    /// In the server that tests share while any of them runs.
    pub(crate) fn shared() -> Self {
        static SERVER: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut shared = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
        let server = shared.upgrade().unwrap_or_else(|| Arc::new(Server::start().unwrap()));
        *shared = Arc::downgrade(&server);
        Self::on(server)
    }

    /// In a server of its own, for tests that stop it.
    pub(crate) fn own(settings: &[(&str, &str)]) -> Self {
        Self::on(Arc::new(Server::with_settings(settings).unwrap()))
    }

    fn on(server: Arc<Server>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let schema = format!("log{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), format!("{}\n", Server::PASSWORD)).unwrap();
        let place = Self { port: server.port(), server, schema, folder };
        for (role, login) in [(Role::Administrator, "admin"), (Role::Writer, "writer"), (Role::Reader, "reader")] {
            let url = format!("postgres://{}@127.0.0.1/postgres", place.role(login));
            let printed = grants(role, &url, &[("schema".to_owned(), place.schema.clone())]).unwrap();
            place.server.psql(&printed).unwrap();
            place.server.login(&place.role(login)).unwrap();
        }
        place
    }

    /// The login `writer`, `reader` or `admin`.
    pub(crate) fn role(&self, login: &str) -> String {
        format!("{}_the_{login}", self.schema)
    }

    pub(crate) fn password_file(&self) -> PathBuf {
        self.folder.path().join("password")
    }

    pub(crate) fn url(&self, login: &str, log: &str) -> String {
        format!("postgres://{}@127.0.0.1:{}/postgres/{log}", self.role(login), self.port)
    }

    pub(crate) fn options(&self) -> Vec<(String, String)> {
        let password = self.password_file().display().to_string();
        vec![("schema".to_owned(), self.schema.clone()), ("password_file".to_owned(), password)]
    }

    /// A writer that is not open.
    pub(crate) fn writer(&self, log: &str) -> Postgres {
        Postgres::from_url(&self.url("writer", log), &self.options()).unwrap()
    }

    /// A writer of a log that it has just made.
    pub(crate) fn created(&self, log: &str) -> Postgres {
        let mut writer = self.writer(log);
        writer.open(soon()).unwrap();
        writer.create(VERIFIER_KEY, soon()).unwrap();
        writer
    }

    pub(crate) fn reader(&self, log: &str) -> PostgresReader {
        PostgresReader::from_url(&self.url("reader", log), &self.options()).unwrap()
    }

    /// SQL as the superuser, with `SCHEMA` for the schema.
    pub(crate) fn superuser(&self, sql: &str) -> String {
        self.server.psql(&sql.replace("SCHEMA", &self.schema)).unwrap()
    }

    /// SQL as one of the logins; the error is what `psql` says.
    pub(crate) fn attempt(&self, login: &str, sql: &str) -> Result<String, String> {
        let sql = sql.replace("SCHEMA", &self.schema);
        self.server.psql_as(&self.role(login), "postgres", &sql).map_err(|error| error.to_string())
    }
}

/// The deadline of a call that is expected to succeed.
pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}
