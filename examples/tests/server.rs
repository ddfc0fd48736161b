//! The axum server as a process: how it starts, what it records, how it stops.

#![expect(clippy::unwrap_used, reason = "also in the functions that all tests here call")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(log: &Path) -> Self {
        let mut child = command(log).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
        Self { child, address }
    }

    /// Sends a request and reads until the server closes the connection.
    fn call(&self, method: &str, path: &str) -> String {
        call(&self.address, method, path)
    }

    fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }

    fn wait(self) -> Output {
        self.child.wait_with_output().unwrap()
    }
}

fn call(address: &str, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn command(log: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_axum"));
    command.args(["--listen", "127.0.0.1:0", "--log"]).arg(log);
    command
}

fn records(log: &Path) -> Vec<Value> {
    let segments = fs::read_dir(log.join("segments")).unwrap();
    let mut paths: Vec<_> = segments.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let text: String = paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_kind<'a>(records: &'a [Value], kind: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record["kind"] == kind).collect()
}

#[test]
fn calls_are_recorded_and_probes_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let server = Server::start(&log);
    assert!(server.call("POST", "/v1/refunds/42").starts_with("HTTP/1.1 201"));
    assert!(server.call("GET", "/nowhere").starts_with("HTTP/1.1 404"));
    assert!(server.call("GET", "/healthz").starts_with("HTTP/1.1 200"));
    assert!(server.call("GET", "/readyz").starts_with("HTTP/1.1 200"));
    server.signal(Signal::TERM);
    assert!(server.wait().status.success());

    let records = records(&log);
    let intents = of_kind(&records, "intent");
    let outcomes = of_kind(&records, "outcome");
    assert_eq!((intents.len(), outcomes.len()), (2, 2));
    assert_eq!(intents[0]["action"], "POST /v1/refunds/{id}");
    assert_eq!(intents[0]["resource"], "/v1/refunds/42");
    // What the handler said of its activity lands in the outcome.
    assert_eq!((&outcomes[0]["resource"], &outcomes[0]["status"]), (&"42".into(), &201.into()));
    assert_eq!(fs::metadata(folder.path().join("log.handled")).unwrap().len(), 1);
}

#[test]
fn it_makes_a_key_for_its_owner_only_and_says_so_once() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut said = Vec::new();
    for _ in 0..2 {
        let server = Server::start(&log);
        server.signal(Signal::INT);
        said.push(String::from_utf8(server.wait().stderr).unwrap());
    }
    assert!(said[0].contains("log.key (0600)"), "{}", said[0]);
    assert!(!said[1].contains("log.key"), "{}", said[1]);
    let mode = fs::metadata(folder.path().join("log.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn sigterm_lets_a_call_in_flight_end_and_closes_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let server = Server::start(&log);
    let address = server.address.clone();
    let slow = thread::spawn(move || call(&address, "GET", "/v1/slow?ms=700"));
    // The handler has started once its run is counted.
    while fs::metadata(folder.path().join("log.handled")).unwrap().len() == 0 {
        thread::sleep(Duration::from_millis(5));
    }
    server.signal(Signal::TERM);
    assert!(slow.join().unwrap().starts_with("HTTP/1.1 200"));
    assert!(server.wait().status.success());

    let records = records(&log);
    assert_eq!(of_kind(&records, "outcome")[0]["result"], "success");
    assert_eq!(records.last().unwrap()["kind"], "log.closed");
}

#[test]
fn a_second_server_on_the_same_log_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let first = Server::start(&log);
    let second = command(&log).output().unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8(second.stderr).unwrap();
    let holder = first.child.id().to_string();
    assert!(said.contains(&holder), "does not name the process {holder}: {said}");
    first.signal(Signal::TERM);
    first.wait();
}

#[test]
fn a_key_that_others_may_read_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let server = Server::start(&log);
    server.signal(Signal::TERM);
    server.wait();
    let key = folder.path().join("log.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = command(&log).output().unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8(refused.stderr).unwrap().contains("chmod 600"));
}

#[test]
fn after_a_kill_the_log_goes_on_and_handler_runs_do_not_exceed_intents() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut server = Server::start(&log);
    for id in 0..20 {
        server.call("POST", &format!("/v1/refunds/{id}"));
    }
    server.child.kill().unwrap();
    server.wait();

    let server = Server::start(&log);
    assert!(server.call("POST", "/v1/refunds/20").starts_with("HTTP/1.1 201"));
    server.signal(Signal::TERM);
    assert!(server.wait().status.success());
    let records = records(&log);
    let intents = of_kind(&records, "intent").len() as u64;
    assert_eq!(intents, 21);
    assert!(fs::metadata(folder.path().join("log.handled")).unwrap().len() <= intents);
    assert_eq!(of_kind(&records, "log.recovered").len(), 1);
}
