//! moto: an S3 server that enforces conditional writes, and lets locks be changed.

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::{Failure, Process, free_port, python_program};

/// How long it may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running moto server; everything it holds is in its memory.
///
/// It takes any credentials, and asks no policies.
#[derive(Debug)]
pub struct Moto {
    port: u16,
    process: Process,
    folder: TempDir,
}

impl Moto {
    /// Starts a server on a free port.
    ///
    /// # Errors
    ///
    /// When it is not installed, or does not answer.
    pub fn start() -> Result<Self, Failure> {
        Self::with_pages_of(1_000)
    }

    /// Starts a server whose listings have at most `keys` keys on a page, where a client does not ask
    /// for more: so that a test need not fill a bucket to see a second page.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub fn with_pages_of(keys: usize) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let port = free_port()?;
        let arguments = ["-c", SERVER, "-H", "127.0.0.1", "-p", &port.to_string()].map(str::to_owned);
        let log = folder.path().join(LOG);
        python_program("moto_server", "moto")?;
        let python = python_program("python", "moto")?;
        let process = Process::start(&python, &arguments, &environment(folder.path(), keys), &log)?;
        process.wait_until_ready(PATIENCE, || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(Self { port, process, folder })
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The URL.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many requests it has answered.
    ///
    /// # Errors
    ///
    /// When its log cannot be read.
    pub fn requests(&self) -> Result<usize, Failure> {
        let said = std::fs::read(self.folder.path().join(LOG))?;
        Ok(String::from_utf8_lossy(&said).lines().filter(|line| line.contains(" HTTP/1.1\"")).count())
    }

    /// The process, to be stopped where it stands, or ended.
    pub const fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// Nothing is written outside of its folder.
fn environment(folder: &Path, keys: usize) -> [(&'static str, String); 3] {
    [
        ("TMPDIR", folder.display().to_string()),
        ("PYTHONDONTWRITEBYTECODE", "1".into()),
        ("MOTO_S3_DEFAULT_MAX_KEYS", keys.to_string()),
    ]
}

/// The program.
const SERVER: &str = include_str!("moto.py");

/// What it prints.
const LOG: &str = "moto.log";
