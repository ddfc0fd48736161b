//! What is started is stopped, whatever becomes of whoever started it.
#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use real_servers::{Process, wait_until};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

const PATIENCE: Duration = Duration::from_secs(10);

/// A shell that says `ready`, and counts to a hundred thousand in the file `count`.
const COUNTING: &str = r#"echo ready
n=0
while [ $n -lt 100000 ]; do n=$((n + 1)); echo $n > "$0"; sleep 0.01; done
"#;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn log(&self) -> PathBuf {
        self.0.path().join("log")
    }

    fn count(&self) -> PathBuf {
        self.0.path().join("count")
    }

    fn start(&self, script: &str) -> Process {
        let arguments = ["-c".to_owned(), script.to_owned(), self.count().display().to_string()];
        Process::start(Path::new("/bin/sh"), &arguments, &[("GREETING", "hello".into())], &self.log()).unwrap()
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn counting(&self) -> Process {
        let server = self.start(COUNTING);
        server.wait_until_ready(PATIENCE, || self.said().contains("ready")).unwrap();
        server
    }

    /// Whether the count goes on.
    fn goes_on(&self) -> bool {
        let read = || std::fs::read_to_string(self.count()).unwrap_or_default();
        let before = read();
        wait_until(Duration::from_millis(500), || !read().is_empty() && read() != before)
    }
}

fn exists(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A zombie that nobody asks about: the process that adopted it may take its time.
    stat.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim_start().starts_with('Z'))
}

/// The program `hold` with a server that sleeps, and the id of that server.
fn held(place: &Place) -> (Child, i32) {
    use std::os::unix::process::CommandExt as _;
    // Whoever runs the tests in the background may have us ignore signals, and our children with us.
    let mut hold = Command::new("env");
    hold.args(["--default-signal=HUP,INT,QUIT,TERM", env!("CARGO_BIN_EXE_hold")]);
    hold.arg(place.log()).args(["/bin/sleep", "1000"]).stdout(Stdio::piped()).process_group(0);
    let mut hold = hold.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(hold.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let server = line.trim().parse().unwrap();
    assert!(exists(server));
    (hold, server)
}

fn id(child: &Child) -> Pid {
    Pid::from_child(child)
}

#[test]
fn a_server_dies_with_its_parent_that_is_killed() {
    let (mut hold, server) = held(&Place::new());
    hold.kill().unwrap();
    hold.wait().unwrap();
    assert!(wait_until(PATIENCE, || !exists(server)), "process {server} is an orphan");
}

#[test]
fn a_server_dies_with_its_parent_whose_whole_group_is_interrupted() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::KILL] {
        let (mut hold, server) = held(&Place::new());
        kill_process_group(id(&hold), signal).unwrap();
        hold.wait().unwrap();
        assert!(wait_until(PATIENCE, || !exists(server)), "process {server} is an orphan after {signal:?}");
    }
}

#[test]
fn a_server_that_is_stopped_dies_with_its_parent_too() {
    let (mut hold, server) = held(&Place::new());
    kill_process(Pid::from_raw(server).unwrap(), Signal::STOP).unwrap();
    hold.kill().unwrap();
    hold.wait().unwrap();
    assert!(wait_until(PATIENCE, || !exists(server)), "process {server} is an orphan");
}

#[test]
fn a_server_that_is_dropped_is_gone() {
    let place = Place::new();
    let server = place.counting();
    let pid = server.id();
    assert!(server.is_running() && exists(pid));
    drop(server);
    assert!(!exists(pid));
}

#[test]
fn a_server_that_is_frozen_stands_still_until_it_is_thawed() {
    let place = Place::new();
    let server = place.counting();
    assert!(place.goes_on());
    server.freeze();
    // A write that had begun may still appear.
    place.goes_on();
    assert!(!place.goes_on());
    assert!(server.is_running());
    server.thaw();
    assert!(place.goes_on());
}

#[test]
fn a_server_that_is_asked_to_end_may_do_so_in_order() {
    let place = Place::new();
    let mut server = place.start("trap 'echo in order; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
    server.wait_until_ready(PATIENCE, || place.said().contains("ready")).unwrap();
    server.terminate(PATIENCE);
    assert!(!server.is_running());
    assert_eq!(server.last_words(), "ready\nin order");
}

#[test]
fn a_server_that_does_not_end_when_asked_is_killed() {
    let place = Place::new();
    let mut server = place.start("trap '' TERM; echo ready; while :; do sleep 0.01; done");
    server.wait_until_ready(PATIENCE, || place.said().contains("ready")).unwrap();
    let patience = Duration::from_millis(300);
    let asked = Instant::now();
    server.terminate(patience);
    assert!(!server.is_running());
    assert!(asked.elapsed() >= patience);
}

#[test]
fn a_server_that_is_killed_gets_no_say() {
    let place = Place::new();
    let mut server = place.start("trap 'echo in order; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
    server.wait_until_ready(PATIENCE, || place.said().contains("ready")).unwrap();
    server.kill();
    assert!(!server.is_running());
    assert_eq!(server.last_words(), "ready");
}

#[test]
fn a_server_that_ends_before_it_is_ready_is_told_with_its_last_words() {
    let place = Place::new();
    let server = place.start("echo \"$GREETING: the port is taken\" >&2; exit 1");
    let error = server.wait_until_ready(PATIENCE, || false).unwrap_err().to_string();
    assert!(error.contains("ended") && error.contains("hello: the port is taken"), "{error}");
}

#[test]
fn a_server_that_is_never_ready_is_told_in_time() {
    let place = Place::new();
    let server = place.counting();
    let error = server.wait_until_ready(Duration::from_millis(100), || false).unwrap_err().to_string();
    assert!(error.contains("is not ready"), "{error}");
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let place = Place::new();
    let program = place.0.path().join("no-such-server");
    let server = Process::start(&program, &[], &[], &place.log()).unwrap();
    let error = server.wait_until_ready(PATIENCE, || false).unwrap_err().to_string();
    assert!(error.contains("no-such-server") && error.contains("not found"), "{error}");
}
