//! One server as a process, and the guardian that outlives us for long enough to end it.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::Failure;

/// Starts the program that follows, says its id, and kills it when its own standard input ends:
/// that is when whoever started the guardian is gone, in whatever way.
const GUARDIAN: &str = r#"exec 3<&0
"$@" </dev/null 3<&- >&4 2>&4 &
server=$!
echo $server
exec >/dev/null 4>&-
cat <&3 >/dev/null
kill -9 $server 2>/dev/null
wait $server 2>/dev/null
"#;

/// How long a process may take to be gone after SIGKILL.
const GONE: Duration = Duration::from_secs(10);

/// A running server.
#[derive(Debug)]
pub struct Process {
    name: String,
    pid: Pid,
    guardian: Child,
    /// Closed to let the guardian end the server.
    alive: Option<ChildStdin>,
    log: PathBuf,
}

impl Process {
    /// Starts `program` with `arguments` and `environment`. What it prints goes to the end of `log`.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(
        program: &Path,
        arguments: &[String],
        environment: &[(&str, String)],
        log: &Path,
    ) -> Result<Self, Failure> {
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let said = File::options().create(true).append(true).open(log)?;
        // The shell opens descriptor 4 by its name, so that no descriptor has to be inherited.
        drop(said);
        let script = format!("exec 4>>\"$0\"\n{GUARDIAN}");
        let mut guardian = Command::new("sh")
            .args(["-c", &script])
            .arg(log)
            .arg(program)
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (*name, value.as_str())))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start {name}: {error}"))?;
        let mut first = String::new();
        if let Some(stdout) = guardian.stdout.take() {
            BufReader::new(stdout).read_line(&mut first)?;
        }
        let pid = first.trim().parse().ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| format!("{name} was not started"))?;
        let alive = guardian.stdin.take();
        Ok(Self { name, pid, guardian, alive, log: log.to_owned() })
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Whether it runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        test_kill_process(self.pid).is_ok() && !is_zombie(self.id())
    }

    /// Ends it with SIGKILL, at once, and waits until it is gone.
    pub fn kill(&mut self) {
        self.end(Signal::KILL, GONE);
    }

    /// Asks it to end with SIGTERM, and kills it if it has not after `patience`.
    pub fn terminate(&mut self, patience: Duration) {
        self.end(Signal::TERM, patience);
        self.end(Signal::KILL, GONE);
    }

    /// Stops it where it stands with SIGSTOP: its sockets accept, and nobody answers.
    pub fn freeze(&self) {
        // One that is gone need not be stopped.
        let _ = kill_process(self.pid, Signal::STOP);
    }

    /// Lets it go on after [`freeze`](Self::freeze).
    pub fn thaw(&self) {
        let _ = kill_process(self.pid, Signal::CONT);
    }

    /// Waits until `ready` says so; fails when the process ends before, or after `patience`.
    ///
    /// # Errors
    ///
    /// Says what the server printed last.
    pub fn wait_until_ready(&self, patience: Duration, mut ready: impl FnMut() -> bool) -> Result<(), Failure> {
        let until = Instant::now() + patience;
        while !ready() {
            if !self.is_running() || Instant::now() >= until {
                let state = if self.is_running() { "is not ready" } else { "ended" };
                return Err(format!("{} {state}; it said last:\n{}", self.name, self.last_words()).into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The last lines of what it printed.
    #[must_use]
    pub fn last_words(&self) -> String {
        let said = std::fs::read(&self.log).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.lines().collect();
        lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
    }

    fn end(&mut self, signal: Signal, patience: Duration) {
        if kill_process(self.pid, signal).is_ok() {
            wait_until(patience, || !self.is_running());
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.thaw();
        self.kill();
        drop(self.alive.take());
        let _ = self.guardian.wait();
    }
}

/// Whether a process has ended and nobody has asked how.
fn is_zombie(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
}

/// Looks again and again until `done` says so; false when it has not after `patience`.
pub fn wait_until(patience: Duration, mut done: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + patience;
    while !done() {
        if Instant::now() >= until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

/// A port of the loopback address that nobody listens on now.
///
/// # Errors
///
/// When there is none.
pub fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
