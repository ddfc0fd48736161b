//! A server under test: a process, its log, and what is checked of every one of them.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use audit_core::backend::FileReader;
use audit_core::verify::{Judgement, Verifier};
use audit_core::{Key, VerifierKey};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::log_on_disk::{of_kind, records};
use crate::search::{Leak, Search, contains, files};
use crate::secrets::MARKER;
use crate::{Client, Framework, Secrets, programs};

/// How long anything may take that has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    framework: Framework,
    child: Child,
    address: SocketAddr,
    site: Site,
}

/// What a server leaves when it has ended, checked.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) records: Vec<Value>,
    pub(crate) handler_runs: u64,
    site: Site,
}

/// The folder of a log and of what belongs to it.
#[derive(Debug)]
struct Site(TempDir);

impl Site {
    fn place(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn log(&self) -> PathBuf {
        self.place("log")
    }

    /// A server on the log here.
    fn command(&self, framework: Framework) -> Command {
        let mut command = Command::new("sh");
        // A file that may not grow must fail to be written, and not end the process by SIGXFSZ.
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(programs::program(framework.program()));
        command.args(["--listen", "127.0.0.1:0", "--log"]).arg(self.log()).stdin(Stdio::null());
        command
    }

    fn handler_runs(&self) -> u64 {
        fs::metadata(self.place("log.handled")).map_or(0, |file| file.len())
    }
}

impl Server {
    /// A server on a new log, with the policy of the examples.
    pub(crate) fn start(framework: Framework) -> Self {
        Self::start_on(framework, Site(tempfile::tempdir().unwrap()), &[])
    }

    /// A server on a new log with that policy, and more arguments.
    pub(crate) fn with_policy(framework: Framework, policy: &str, arguments: &[&str]) -> Self {
        let site = Site(tempfile::tempdir().unwrap());
        let file = site.place("policy.toml");
        fs::write(&file, policy).unwrap();
        let mut all: Vec<&OsStr> = vec!["--policy".as_ref(), file.as_os_str()];
        all.extend(arguments.iter().map(OsStr::new));
        Self::start_on(framework, site, &all)
    }

    /// Writes another policy where the server was told to find it.
    pub(crate) fn replace_policy(&self, policy: &str) {
        let new = self.site.place("policy.toml.new");
        fs::write(&new, policy).unwrap();
        fs::rename(new, self.site.place("policy.toml")).unwrap();
    }

    /// What a server says that does not start with that policy.
    pub(crate) fn refusal(framework: Framework, policy: &str) -> String {
        let site = Site(tempfile::tempdir().unwrap());
        let file = site.place("policy.toml");
        fs::write(&file, policy).unwrap();
        let output = site.command(framework).arg("--policy").arg(file).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    }

    fn start_on(framework: Framework, site: Site, arguments: &[&OsStr]) -> Self {
        let errors = File::options().create(true).append(true).open(site.place("stderr")).unwrap();
        let mut command = site.command(framework);
        let mut child = command.args(arguments).stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        fs::write(site.place("stdout"), &line).unwrap();
        let Some(address) = line.trim().strip_prefix("listening on http://") else {
            panic!("{framework:?} does not listen: {}", fs::read_to_string(site.place("stderr")).unwrap());
        };
        let address = address.parse().unwrap();
        Self { framework, child, address, site }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// A client with its own connection.
    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.framework, self.address).await
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.site.log()
    }

    pub(crate) fn records(&self) -> Vec<Value> {
        records(&self.site.log())
    }

    pub(crate) fn records_of(&self, kind: &str) -> Vec<Value> {
        of_kind(&self.records(), kind).into_iter().cloned().collect()
    }

    pub(crate) fn handler_runs(&self) -> u64 {
        self.site.handler_runs()
    }

    /// Waits until so many handlers have started.
    pub(crate) async fn until_handled(&self, runs: u64) {
        until("handlers start", || self.handler_runs() >= runs).await;
    }

    /// Waits until so many outcomes are on disk.
    pub(crate) async fn until_outcomes(&self, count: usize) {
        until("outcomes are written", || self.records_of("outcome").len() >= count).await;
    }

    /// Asks it to stop, as a supervisor does.
    pub(crate) fn terminate(&self) {
        kill_process(self.id(), Signal::TERM).unwrap();
    }

    /// Stops it in order. Every intent has to have its outcome.
    pub(crate) async fn stop(self) -> Stopped {
        self.terminate();
        self.stopped().await
    }

    /// Stops it in order, where intents or outcomes had been lost before.
    pub(crate) async fn stop_after_losses(self) -> Stopped {
        self.terminate();
        self.ended().await
    }

    /// Waits until it has stopped by itself, in order. Every intent has to have its outcome.
    pub(crate) async fn stopped(self) -> Stopped {
        let stopped = self.ended().await;
        let (intents, outcomes) = (stopped.ids("intent"), stopped.ids("outcome"));
        assert_eq!(intents, outcomes, "every intent has one outcome");
        stopped
    }

    async fn ended(mut self) -> Stopped {
        let mut status = None;
        until("the server stops", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        assert!(status.unwrap().success(), "{:?} ended with {status:?}", self.framework);
        let stopped = self.into_stopped();
        assert_eq!(stopped.records.last().unwrap()["kind"], "log.closed");
        stopped
    }

    /// SIGKILL: it gets no say.
    pub(crate) fn kill(mut self) -> Stopped {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.into_stopped()
    }

    fn into_stopped(mut self) -> Stopped {
        // The folder goes on; the process has ended.
        let site = std::mem::replace(&mut self.site, Site(tempfile::tempdir().unwrap()));
        let stopped = Stopped { records: records(&site.log()), handler_runs: site.handler_runs(), site };
        stopped.check();
        stopped
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!(
                "{:?} said: {}",
                self.framework,
                fs::read_to_string(self.site.place("stderr")).unwrap_or_default()
            );
        }
    }
}

impl Stopped {
    /// Starts a server on the log that another has left.
    pub(crate) fn start(self, framework: Framework) -> Server {
        Server::start_on(framework, self.site, &[])
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.site.log()
    }

    pub(crate) fn of_kind(&self, kind: &str) -> Vec<&Value> {
        of_kind(&self.records, kind)
    }

    /// The one intent and its one outcome, where there was one call.
    pub(crate) fn pair(&self) -> (&Value, &Value) {
        let (intents, outcomes) = (self.of_kind("intent"), self.of_kind("outcome"));
        assert_eq!((intents.len(), outcomes.len()), (1, 1), "{:#?}", self.records);
        (intents[0], outcomes[0])
    }

    /// An intent with that action, the first or the last, and its outcome.
    pub(crate) fn pair_of(&self, action: &str, first: bool) -> (&Value, &Value) {
        let mut intents = self.of_kind("intent");
        intents.retain(|intent| intent["action"] == action);
        let intent = if first { intents.first() } else { intents.last() };
        let intent = *intent.unwrap_or_else(|| panic!("no intent of {action}: {:#?}", self.records));
        let outcomes = self.of_kind("outcome");
        (intent, outcomes.into_iter().find(|outcome| outcome["id"] == intent["id"]).unwrap())
    }

    /// How many records of that kind the log says it has lost, of calls that went ahead or did not.
    pub(crate) fn lost(&self, kind: &str, ran: bool) -> u64 {
        let gaps = self.of_kind("gap").into_iter().filter(|gap| gap["lost"] == kind);
        gaps.map(|gap| {
            let went_ahead = gap["ran"].as_u64().unwrap_or(0);
            if ran { went_ahead } else { gap["count"].as_u64().unwrap() - went_ahead }
        })
        .sum()
    }

    fn ids(&self, kind: &str) -> Vec<String> {
        let mut ids: Vec<_> = self.of_kind(kind).iter().map(|record| record["id"].to_string()).collect();
        ids.sort();
        ids
    }

    /// What holds of every log, however its server ended.
    fn check(&self) {
        let lost = self.lost("intent", true);
        let intents = self.of_kind("intent").len() as u64;
        assert!(self.handler_runs <= intents + lost, "{} handler runs, {intents} intents", self.handler_runs);

        let reader = FileReader::open(self.site.log()).unwrap();
        let verdict = Verifier::new().key(verifier_key(&self.site.place("log.key"))).run(&reader);
        assert_eq!(verdict.judgement(), Judgement::Intact, "{verdict:?}");

        let leaks = Search::for_all(Secrets::get()).below(self.site.0.path());
        // Rust's own panic message, on standard error, is the program's and not the log's.
        let unexpected = leaks.iter().filter(|leak| !is_panic_message(leak.way, &leak.file));
        let unexpected: Vec<_> = unexpected.map(Leak::to_string).collect();
        assert!(unexpected.is_empty(), "{unexpected:#?}");
        if intents > 0 {
            let marked =
                files(&self.site.log()).iter().any(|file| contains(&fs::read(file).unwrap(), MARKER.as_bytes()));
            assert!(marked, "what may be recorded is not");
        }
    }

    /// Whether a panic's message, secret and all, reached the standard error of the process.
    pub(crate) fn said_the_panic_message(&self) -> bool {
        let leaks = Search::for_all(Secrets::get()).below(self.site.0.path());
        leaks.iter().any(|leak| is_panic_message(leak.way, &leak.file))
    }
}

fn is_panic_message(way: &str, file: &Path) -> bool {
    way == "panic message" && file.ends_with("stderr")
}

fn verifier_key(file: &Path) -> VerifierKey {
    Key::from_file(file).unwrap().verifier().clone()
}

/// Looks again and again, and gives up after [`PATIENCE`].
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
