//! The axum example as a process, with its log wherever a configuration file says.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use audit_core::{Key, VerifierKey};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The folder with the example, built as it is now.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = std::env::current_exe().unwrap();
    // The test is in `deps` beside it.
    let folder = test.parent().and_then(Path::parent).unwrap().to_owned();
    if let Some(cargo) = std::env::var_os("CARGO") {
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--package", "examples", "--bin", "axum"]);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success(), "the example does not build");
    }
    folder
});

/// A running service; killed when dropped.
#[derive(Debug)]
pub(crate) struct Service {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Service {
    /// Starts the service with `config`, in which `FOLDER` stands for a folder of its own, and with one
    /// rule for all calls.
    pub(crate) fn start(config: &str, rule: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), config, rule)
    }

    fn start_in(folder: TempDir, config: &str, rule: &str) -> Self {
        let place = |name: &str| folder.path().join(name);
        let config = config.replace("FOLDER", &folder.path().display().to_string());
        fs::write(place("audit.toml"), config).unwrap();
        fs::write(place("policy.toml"), format!("[[rule]]\nname = \"all\"\n{rule}\n")).unwrap();
        let errors = File::options().create(true).append(true).open(place("stderr")).unwrap();
        let mut child = Command::new(FOLDER.join("axum"))
            .args(["--listen", "127.0.0.1:0", "--config"])
            .arg(place("audit.toml"))
            .arg("--policy")
            .arg(place("policy.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(address) = line.trim().strip_prefix("listening on http://") else {
            panic!("the service does not listen: {}", fs::read_to_string(place("stderr")).unwrap());
        };
        Self { child, address: address.parse().unwrap(), folder }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The key that checks the log.
    pub(crate) fn verifier_key(&self) -> VerifierKey {
        Key::from_file(self.place("audit.toml.key")).unwrap().verifier().clone()
    }

    pub(crate) fn handler_runs(&self) -> u64 {
        fs::metadata(self.place("audit.toml.handled")).map_or(0, |file| file.len())
    }

    /// How much memory it holds, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Stops it in order. The log has to be closed with everything written and signed.
    pub(crate) fn stop(&mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "the service does not stop");
            std::thread::sleep(Duration::from_millis(10));
        };
        assert!(status.success(), "the service ended with {status}: {}", self.said());
    }

    /// What it said on standard error.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.place("stderr")).unwrap_or_default()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // One that has ended need not be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the service said: {}", self.said());
        }
    }
}
