//! Where logs are on a server, and how they get there.

use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use audit_core::backend::Backend;
use audit_core::{AuditLog, Event, Key, Outcome, OutcomeResult};
use serde_json::Value;

pub(crate) const ORIGIN: &str = "payments.example.com/prod-1";

/// A fleet on a server: URLs for its writer and for whoever reads it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// All of the URL before the name of a log.
    pub(crate) writer: String,
    pub(crate) reader: String,
    /// The query of both, its question mark included.
    pub(crate) query: String,
}

impl Place {
    pub(crate) fn written(&self, log: &str) -> String {
        format!("{}/{log}{}", self.writer, self.query)
    }

    pub(crate) fn read(&self, log: &str) -> String {
        format!("{}/{log}{}", self.reader, self.query)
    }

    /// The URL under which all logs of the fleet lie.
    pub(crate) fn fleet(&self) -> String {
        format!("{}{}", self.reader, self.query)
    }

    pub(crate) fn backend(&self, log: &str) -> Box<dyn Backend> {
        let url = self.written(log);
        audit_backends::open(&url, &[]).unwrap_or_else(|error| panic!("{url}: {error}"))
    }
}

/// A name that no other test of this run uses.
pub(crate) fn fresh(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{what}{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The key of the fleet, and its verifier key as the command line takes it.
pub(crate) fn fleet_key() -> (Key, String) {
    let key = Key::generate(ORIGIN).expect("a key");
    let vkey = key.verifier().to_string();
    (key, vkey)
}

/// A service's log while it is open.
pub(crate) struct Service {
    pub(crate) log: AuditLog,
    runtime: tokio::runtime::Runtime,
}

impl Service {
    pub(crate) fn open(key: &Key, backend: Box<dyn Backend>) -> Self {
        let log = AuditLog::builder(ORIGIN).key(key.clone()).boxed_backend(backend).open();
        Self::of(log.unwrap_or_else(|error| panic!("the log does not open: {error}")))
    }

    pub(crate) fn of(log: AuditLog) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { log, runtime }
    }

    /// Calls of a service account, each with its intent and outcome.
    pub(crate) fn calls(&self, from: usize, count: usize) {
        self.runtime.block_on(async {
            for call in from..from + count {
                let resource = format!("/v1/refunds/{call}");
                let event = Event::action("POST /v1/refunds/{id}").resource(&resource);
                let activity = self.log.begin(&event).await.expect("the intent is recorded");
                activity.finish(Outcome::new(OutcomeResult::Success));
            }
        });
    }

    pub(crate) fn close(self) {
        let closed = self.runtime.block_on(self.log.close(Duration::from_secs(30)));
        closed.unwrap_or_else(|error| panic!("the log does not close: {error}"));
    }
}

/// A closed log of ten calls.
pub(crate) fn write_log(key: &Key, backend: Box<dyn Backend>) {
    let service = Service::open(key, backend);
    service.calls(0, 10);
    service.close();
}

pub(crate) fn audit(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_audit")).args(arguments).output().expect("the program")
}

pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The exit code, and what was printed as JSON.
pub(crate) fn judged(arguments: &[&str]) -> (i32, Value) {
    let output = audit(arguments);
    let verdict = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)));
    (output.status.code().expect("no signal"), verdict)
}

/// What `audit grants` prints.
pub(crate) fn granted(store: &str, role: &str, url: &str) -> String {
    let output = audit(&["grants", store, "--role", role, url]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(output.stderr.is_empty(), "{}", said(&output));
    String::from_utf8(output.stdout).expect("text")
}
