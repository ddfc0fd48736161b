//! A pooler in transaction mode in front of PostgreSQL.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use tempfile::TempDir;

use crate::postgres::{give_away, privileges, unprivileged};
use crate::{Failure, Postgres, Process, free_port};

/// PgBouncer on a loopback port: each transaction may run on another of a few server connections.
#[derive(Debug)]
pub struct PgBouncer {
    port: u16,
    process: Process,
    _folder: TempDir,
}

impl PgBouncer {
    /// Starts a pooler in front of `server` that lets `roles` in, whose password is
    /// [`Postgres::PASSWORD`].
    ///
    /// # Errors
    ///
    /// When PgBouncer is not installed or does not start; says what it printed last.
    pub fn start(server: &Postgres, roles: &[&str]) -> Result<Self, Failure> {
        let pooler = crate::program("pgbouncer", "pgbouncer")?;
        let folder = tempfile::Builder::new().prefix("pgbouncer-").tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let port = free_port()?;
        let users: String = roles.iter().map(|role| format!("\"{role}\" \"{}\"\n", Postgres::PASSWORD)).collect();
        let config = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\npool_mode = transaction\n\
             default_pool_size = 3\nserver_check_delay = 0\n",
            server.port(),
            folder.path().join("users").display(),
        );
        for (name, content) in [("users", &users), ("config", &config)] {
            let path = folder.path().join(name);
            fs::write(&path, content)?;
            give_away(&path)?;
        }
        let mut arguments = privileges();
        arguments.push(pooler.display().to_string());
        arguments.push(folder.path().join("config").display().to_string());
        let process = Process::start(&unprivileged()?, &arguments, &[], &folder.path().join("log"))?;
        process
            .wait_until_ready(Duration::from_secs(20), || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(Self { port, process, _folder: folder })
    }

    /// The port to connect to.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The process, to freeze it.
    #[must_use]
    pub const fn process(&self) -> &Process {
        &self.process
    }
}
