//! Starting and stopping the servers of the `examples` crate.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::command::{self, Result, cargo};

/// The profile that programs are built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    Dev,
    Release,
}

/// Builds programs of one package, and says in which folder they are.
pub(crate) fn build(package: &str, programs: &[&str], profile: Profile) -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--quiet"]);
    match profile {
        // The features that the tests are built with: nothing is compiled for a second time.
        Profile::Dev => command.args(["--workspace", "--all-features"]),
        Profile::Release => command.args(["--release", "--package", package]),
    };
    for program in programs {
        command.args(["--bin", program]);
    }
    command::run(&mut command)?;
    let folder = match profile {
        Profile::Dev => "debug",
        Profile::Release => "release",
    };
    Ok(command::target_directory()?.join(folder))
}

/// A running server; killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts `program` on a free port and waits until it listens. What it says on standard error
    /// is appended to `errors`.
    pub(crate) fn start(
        program: &Path,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
        errors: &Path,
    ) -> Result<Self> {
        let mut child = Self::spawn(program, arguments, errors)?;
        let stdout = child.stdout.take().ok_or("the server has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let Some(address) = line.trim().strip_prefix("listening on http://") else {
            let _ = child.kill();
            let status = child.wait()?;
            let reason = std::fs::read_to_string(errors).unwrap_or_default();
            let name = program.display();
            return Err(format!("{name} does not listen ({status}): {}", reason.trim()).into());
        };
        let address = address.parse()?;
        Ok(Self { child, address })
    }

    /// Starts `program` without waiting for it.
    pub(crate) fn spawn(
        program: &Path,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
        errors: &Path,
    ) -> Result<Child> {
        let errors = File::options().create(true).append(true).open(errors)?;
        let child = Command::new(program)
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        Ok(child)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: the process gets no say.
    pub(crate) fn kill(mut self) -> Result {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, and the wait for the end.
    pub(crate) fn terminate(mut self) -> Result<ExitStatus> {
        let id = i32::try_from(self.id()).ok().and_then(Pid::from_raw);
        let id = id.ok_or("the server has no process id")?;
        kill_process(id, Signal::TERM)?;
        Ok(self.child.wait()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
