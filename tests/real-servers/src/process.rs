//! One server as a process, and the guardian that outlives us for long enough to end it.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Failure;

/// Starts the program that follows, says its id, and kills it when its own standard input ends:
/// that is when whoever started the guardian is gone, in whatever way. Nothing else ends it.
const GUARDIAN: &str = r#"exec 3<&0
"$@" </dev/null 3<&- >&4 2>&4 &
server=$!
trap '' HUP INT QUIT TERM
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
    /// When it started, in ticks since boot: another process may get its id when it is gone.
    started: Option<u64>,
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
            // What is typed at the terminal ends us, and the guardian then ends the server.
            .process_group(0)
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
        let started = Stat::of(pid).map(|stat| stat.started);
        Ok(Self { name, pid, started, guardian, alive, log: log.to_owned() })
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Whether it runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        Stat::of(self.pid).is_some_and(|stat| Some(stat.started) == self.started && !stat.has_ended())
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

    /// Stops it where it stands with SIGSTOP: its sockets accept, and nobody answers. Processes that
    /// it started go on.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on after [`freeze`](Self::freeze).
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
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
        if self.signal(signal) {
            wait_until(patience, || !self.is_running());
        }
    }

    /// Whether there was somebody to send it to.
    fn signal(&self, signal: Signal) -> bool {
        self.is_running() && kill_process(self.pid, signal).is_ok()
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

/// What the kernel says about a process (`proc_pid_stat(5)`).
struct Stat {
    state: char,
    threads: u32,
    started: u64,
}

impl Stat {
    /// `None` when there is no such process.
    fn of(pid: Pid) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
        // The name comes before, in brackets, and may hold anything.
        let mut fields = stat.rsplit(')').next()?.split_whitespace();
        let state = fields.next()?.chars().next()?;
        let threads = fields.nth(16)?.parse().ok()?;
        let started = fields.nth(1)?.parse().ok()?;
        Some(Self { state, threads, started })
    }

    /// Whether it has ended in full and nobody has asked how. Its first thread may end long before
    /// those that hold the ports.
    fn has_ended(&self) -> bool {
        self.state == 'X' || (self.state == 'Z' && self.threads <= 1)
    }
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
