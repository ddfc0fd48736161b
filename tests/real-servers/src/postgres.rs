//! PostgreSQL, and the little pieces of its set-up that differ from test to test.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use rustix::process::{Pid, Signal, getuid, kill_process, test_kill_process};
use tempfile::TempDir;

use crate::{Failure, Process, free_port};

/// A server with a data directory of its own, on a loopback port, with `fsync` on. Passwords are
/// checked with SCRAM; the superuser is `postgres` with the password [`Postgres::PASSWORD`].
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    port: u16,
    settings: Vec<(String, String)>,
    process: Option<Process>,
}

impl Postgres {
    /// The password of the superuser, and of every role that [`login`](Self::login) makes.
    pub const PASSWORD: &'static str = "correct horse battery staple";

    /// Makes a data directory and starts a server on it.
    ///
    /// # Errors
    ///
    /// When PostgreSQL is not installed or does not start; says what it printed last.
    pub fn start() -> Result<Self, Failure> {
        Self::with_settings(&[])
    }

    /// As [`start`](Self::start), with further settings, as in `postgresql.conf`.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn with_settings(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("postgres-").tempdir()?;
        // The server's user has to get through, and owns what is inside.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut server = Self { folder, port: free_port()?, settings, process: None };
        let password = server.write("password", Self::PASSWORD)?;
        let made = Command::new(unprivileged()?)
            .args(privileges())
            .arg(programs()?.join("initdb"))
            .args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "-N", "-D"])
            .arg(server.folder.path().join("home/data"))
            .arg(format!("--pwfile={}", password.display()))
            .output()?;
        succeeded("initdb", &made)?;
        server.restart()?;
        Ok(server)
    }

    /// The loopback port it listens on; the same after a restart.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Writes a file that only the server's user may read, and says where it is.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write(&self, name: &str, content: &str) -> Result<PathBuf, Failure> {
        let home = self.folder.path().join("home");
        fs::create_dir_all(&home)?;
        let path = home.join(name);
        fs::write(&path, content)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        give_away(&home)?;
        give_away(&path)?;
        Ok(path)
    }

    /// Changes a setting; it holds from the next [`restart`](Self::restart) on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Kills the server and every process of it with SIGKILL: as a power cut would, but for the disk.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // One that stands still has no more children.
            process.freeze();
            let children: Vec<Pid> = children_of(process.id()).into_iter().filter_map(Pid::from_raw).collect();
            process.kill();
            for child in &children {
                // One that went with its parent is what is wanted.
                let _ = kill_process(*child, Signal::KILL);
            }
            crate::wait_until(PATIENCE, || children.iter().all(|child| test_kill_process(*child).is_err()));
        }
    }

    /// Stops the server in order, cutting off its clients: `pg_ctl stop -m fast`.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            if let Some(pid) = Pid::from_raw(process.id()) {
                let _ = kill_process(pid, Signal::INT);
                crate::wait_until(PATIENCE, || !process.is_running());
            }
            process.kill();
        }
    }

    /// Starts the server again, after having stopped it in order if it runs.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn restart(&mut self) -> Result<(), Failure> {
        self.stop();
        let programs = programs()?;
        let mut arguments: Vec<String> = privileges();
        arguments.push(programs.join("postgres").display().to_string());
        arguments.extend(["-D".to_owned(), self.folder.path().join("home/data").display().to_string()]);
        let own = [
            ("port", self.port.to_string()),
            ("listen_addresses", "127.0.0.1".to_owned()),
            ("unix_socket_directories", String::new()),
            ("shared_buffers", "64MB".to_owned()),
            ("max_connections", "60".to_owned()),
        ];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
        for (name, value) in own.chain(self.settings.iter().cloned()) {
            arguments.extend(["-c".to_owned(), format!("{name}={value}")]);
        }
        let process = Process::start(&unprivileged()?, &arguments, &[], &self.folder.path().join("log"))?;
        let (ready, port) = (programs.join("pg_isready"), self.port.to_string());
        process.wait_until_ready(PATIENCE, || {
            let asked = Command::new(&ready).args(["-q", "-h", "127.0.0.1", "-p", &port]).status();
            asked.is_ok_and(|status| status.success())
        })?;
        self.process = Some(process);
        Ok(())
    }

    /// The process, while it runs: to freeze it, or to look at its id.
    #[must_use]
    pub const fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    /// Runs SQL as the superuser in the database `postgres` and returns what it prints, without
    /// headers, columns separated by `|`.
    ///
    /// # Errors
    ///
    /// What `psql` says.
    pub fn psql(&self, sql: &str) -> Result<String, Failure> {
        self.psql_as("postgres", "postgres", sql)
    }

    /// Runs SQL as some role in some database: see [`psql`](Self::psql). All of it has to succeed.
    ///
    /// # Errors
    ///
    /// What `psql` says.
    pub fn psql_as(&self, role: &str, database: &str, sql: &str) -> Result<String, Failure> {
        let ran = Command::new(programs()?.join("psql"))
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", role, "-d", database])
            .args(["-p", &self.port.to_string(), "-c", sql])
            .env("PGPASSWORD", Self::PASSWORD)
            .output()?;
        succeeded("psql", &ran)?;
        Ok(String::from_utf8_lossy(&ran.stdout).trim_end().to_owned())
    }

    /// Gives a role the right and the password to log in; makes it if there is none.
    ///
    /// # Errors
    ///
    /// What `psql` says.
    pub fn login(&self, role: &str) -> Result<(), Failure> {
        let password = Self::PASSWORD;
        if self.psql(&format!("SELECT count(*) FROM pg_roles WHERE rolname = '{role}'"))? == "0" {
            self.psql(&format!("CREATE ROLE \"{role}\""))?;
        }
        self.psql(&format!("ALTER ROLE \"{role}\" LOGIN PASSWORD '{password}'")).map(drop)
    }

    /// Starts a program that takes the server's write-ahead log and says what is on its disk, as a
    /// standby would: commits wait for it where `synchronous_standby_names` is `*`.
    ///
    /// # Errors
    ///
    /// When it does not start, or is not connected within a minute.
    pub fn standby(&self) -> Result<Process, Failure> {
        let home = self.folder.path().join("home");
        let pass_file = self.write("pgpass", &format!("*:*:*:*:{}", Self::PASSWORD))?;
        let folder = home.join("received");
        fs::create_dir_all(&folder)?;
        give_away(&folder)?;
        let mut arguments = privileges();
        arguments.push(programs()?.join("pg_receivewal").display().to_string());
        arguments.extend(["-h", "127.0.0.1", "-U", "postgres", "--synchronous", "-D"].map(str::to_owned));
        arguments.extend([folder.display().to_string(), "-p".to_owned(), self.port.to_string()]);
        let environment = [("PGPASSFILE", pass_file.display().to_string())];
        let process = Process::start(&unprivileged()?, &arguments, &environment, &self.folder.path().join("standby"))?;
        process.wait_until_ready(PATIENCE, || {
            self.psql("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")
                .is_ok_and(|said| said == "1")
        })?;
        Ok(process)
    }

    /// Makes an empty database.
    ///
    /// # Errors
    ///
    /// What `psql` says.
    pub fn create_database(&self, name: &str) -> Result<(), Failure> {
        self.psql(&format!("CREATE DATABASE \"{name}\"")).map(drop)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The newest folder of Debian's with the server's programs, or else those in the path.
fn programs() -> Result<PathBuf, Failure> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let bin = entry.path().join("bin");
            Some((entry.file_name().to_str()?.parse().ok()?, bin)).filter(|(_, bin)| bin.join("postgres").is_file())
        })
        .collect();
    found.sort();
    match found.pop() {
        Some((_, bin)) => Ok(bin),
        None => {
            let server = crate::program("postgres", "postgresql")?;
            Ok(server.parent().map(Path::to_owned).unwrap_or_default())
        }
    }
}

/// PostgreSQL refuses to run as root. The program that gives up privileges replaces itself, so that
/// no other process stands between us and the server.
pub(crate) fn unprivileged() -> Result<PathBuf, Failure> {
    if getuid().is_root() { crate::program("setpriv", "util-linux") } else { crate::program("env", "coreutils") }
}

pub(crate) fn privileges() -> Vec<String> {
    if !getuid().is_root() {
        return Vec::new();
    }
    [&format!("--reuid={USER}"), &format!("--regid={USER}"), "--init-groups"].map(str::to_owned).to_vec()
}

/// Makes the server's user the owner of `path`.
pub(crate) fn give_away(path: &Path) -> Result<(), Failure> {
    if !getuid().is_root() {
        return Ok(());
    }
    let id = |flag: &str| -> Result<u32, Failure> {
        let said = Command::new("id").args([flag, USER]).output()?;
        Ok(String::from_utf8_lossy(&said.stdout).trim().parse()?)
    };
    let missing = |error| format!("there is no user {USER} (package postgresql): {error}");
    let (user, group) = (id("-u").map_err(missing)?, id("-g").map_err(missing)?);
    Ok(chown(path, Some(user), Some(group))?)
}

fn children_of(parent: i32) -> Vec<i32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        if after_name.split_whitespace().nth(1).and_then(|ppid| ppid.parse().ok()) == Some(parent) {
            found.push(pid);
        }
    }
    found
}

fn succeeded(program: &str, output: &Output) -> Result<(), Failure> {
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()).into())
}

/// Whose rights the server has when the tests run as root.
const USER: &str = "postgres";

/// How long the server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(60);
