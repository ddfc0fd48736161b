//! PostgreSQL with the tables, functions and roles that `audit grants postgres` prints.

use std::path::Path;

use audit_postgres::{Role, grants};
use real_servers::{Failure, Postgres};

use crate::purpose::Purpose;
use crate::store::{Front, Store, configuration, secret};

/// The server, and its usual port in front of it.
#[derive(Debug)]
pub(crate) struct KeptPostgres {
    pub(crate) store: Store,
    _front: Front,
    server: Postgres,
}

/// Starts it, and writes `postgres.toml`.
pub(crate) fn start(folder: &Path, purpose: Purpose) -> Result<KeptPostgres, Failure> {
    let server = Postgres::start()?;
    let front = purpose.front(PORT, server.port())?;
    server.create_database(DATABASE)?;
    for (role, user) in [(Role::Administrator, "administrator"), (Role::Writer, "writer"), (Role::Reader, "reader")] {
        let url = format!("postgres://{user}@127.0.0.1:{}/{DATABASE}", front.port);
        server.psql_as("postgres", DATABASE, &grants(role, &url, &[])?)?;
        server.login(user)?;
    }
    let password = secret(folder, "postgres.password", Postgres::PASSWORD)?;
    let store = Store {
        server: "PostgreSQL; users `writer`, `reader`, `administrator` and the superuser `postgres` have one password",
        url: format!("postgres://writer@127.0.0.1:{}/{DATABASE}/payments", front.port),
        settings: vec![("tls", "disable".into()), ("password_file", password.display().to_string())],
    };
    configuration(folder, "postgres.toml", &[&store])?;
    Ok(KeptPostgres { store, _front: front, server })
}

impl KeptPostgres {
    /// The server's own port.
    pub(crate) const fn port(&self) -> u16 {
        self.server.port()
    }
}

const DATABASE: &str = "audit";
const PORT: u16 = 15_432;
