//! The rights that `grants` prints, applied as they are printed.

mod support;

use audit_core::Key;
use audit_core::backend::{Backend as _, BackendError, Head};
use audit_core::conformance::Sample;
use audit_core::verify::Verifier;
use audit_nats::{Nats, NatsReader, NewStream, Role, grants};
use real_servers::NatsSetup;
use support::admin::Admin;
use support::{ORIGIN, PATIENCE, Result, options, soon, write_log};

/// A server that knows a writer, a reader, an administrator and a writer of another log.
struct Guarded {
    servers: real_servers::Nats,
    url: String,
}

const USERS: &str = "accounts { AUDIT { jetstream: enabled, users: [
  { user: writer, password: writer, permissions: $audit_writer }
  { user: reader, password: reader, permissions: $audit_reader }
  { user: administrator, password: administrator, permissions: $audit_administrator }
] } }";

impl Guarded {
    fn start(setup: NatsSetup) -> Result<Self> {
        let url = "nats://unknown/AUDIT/payments/prod-1";
        let mut setup = setup;
        for role in [Role::Writer, Role::Reader, Role::Administrator] {
            setup = setup.configuration(&grants(role, url, &[])?);
        }
        let servers = setup.configuration(USERS).start()?;
        let guarded = Self { url: format!("nats://{}/AUDIT/payments/prod-1", servers.addresses()), servers };
        NewStream::from_url(&guarded.url, &guarded.as_user("administrator")?)?.create(PATIENCE)?;
        Ok(guarded)
    }

    fn as_user(&self, user: &str) -> Result<Vec<(String, String)>> {
        let file = self.servers.folder().join(user);
        std::fs::write(&file, user)?;
        Ok(options(&[("user", user), ("password_file", &file.display().to_string())]))
    }

    fn client(&self, user: &str) -> Result<Admin> {
        Admin::as_user(&self.servers.addresses(), user, user, &format!("_INBOX.audit-{user}.payments.prod-1"))
    }

    fn log(&self, user: &str) -> Result<Nats> {
        Ok(Nats::from_url(&self.url, &self.as_user(user)?)?)
    }
}

/// What would change or remove what is written, and a request that does it.
const ATTACKS: [(&str, &str); 9] = [
    ("$JS.API.STREAM.DELETE.AUDIT", ""),
    ("$JS.API.STREAM.PURGE.AUDIT", ""),
    ("$JS.API.STREAM.MSG.DELETE.AUDIT", "{\"seq\":1}"),
    ("$JS.API.STREAM.UPDATE.AUDIT", "{\"name\":\"AUDIT\",\"subjects\":[\"audit.>\"],\"max_age\":1000000000}"),
    ("$JS.API.STREAM.CREATE.OTHER", "{\"name\":\"OTHER\",\"subjects\":[\"other\"]}"),
    ("$JS.API.STREAM.RESTORE.AUDIT", "{}"),
    ("$JS.API.CONSUMER.CREATE.AUDIT", "{\"stream_name\":\"AUDIT\",\"config\":{\"deliver_subject\":\"x\"}}"),
    ("$JS.API.CONSUMER.DURABLE.CREATE.AUDIT.d", "{\"stream_name\":\"AUDIT\",\"config\":{\"durable_name\":\"d\"}}"),
    ("audit.other.lines", "lines of another log"),
];

fn refuses_everything_else(setup: NatsSetup) -> Result {
    let guarded = Guarded::start(setup)?;
    write_log(guarded.log("writer")?, &Key::generate(ORIGIN)?, 30)?;
    for user in ["writer", "reader"] {
        let client = guarded.client(user)?;
        for (subject, question) in ATTACKS {
            let answer = client.ask(subject, question);
            assert!(answer.is_err(), "{user} got an answer on {subject}: {answer:?}");
        }
    }
    let reader = guarded.client("reader")?;
    for kind in ["lines", "checkpoints", "key"] {
        let answer = reader.ask(&format!("audit.payments.prod-1.{kind}"), "from a reader");
        assert!(answer.is_err(), "the reader wrote {kind}: {answer:?}");
    }
    // The administrator makes streams, and writes in none.
    let answer = guarded.client("administrator")?.ask("audit.payments.prod-1.lines", "from an administrator");
    assert!(answer.is_err(), "the administrator wrote: {answer:?}");

    let verdict = Verifier::new().run(&NatsReader::from_url(&guarded.url, &guarded.as_user("reader")?)?);
    assert_eq!(verdict.exit_code(), 0, "{}", verdict.to_json());
    let listed = audit_nats::logs(&guarded.url, &guarded.as_user("reader")?)?;
    assert_eq!(listed, std::slice::from_ref(&guarded.url));
    Ok(())
}

#[test]
fn the_writer_writes_the_reader_verifies_and_neither_can_do_more() -> Result {
    refuses_everything_else(NatsSetup::debian()?)
}

#[test]
fn on_the_newest_server_neither_can_do_more_either() -> Result {
    refuses_everything_else(NatsSetup::newest()?)
}

#[test]
fn a_reader_that_tries_to_write_is_told_which_subject_is_refused() -> Result {
    let guarded = Guarded::start(NatsSetup::debian()?)?;
    write_log(guarded.log("writer")?, &Key::generate(ORIGIN)?, 1)?;
    let inbox = options(&[("inbox_prefix", "_INBOX.audit-reader.payments.prod-1")]);
    let reader = [guarded.as_user("reader")?, inbox].concat();
    let mut backend = Nats::from_url(&guarded.url, &reader)?;
    let opened = backend.open(soon())?;
    let sample = Sample::after(opened.head).lines(1, "of a reader");
    let started = std::time::Instant::now();
    let appended = backend.append(opened.head, &sample.batch(), soon());
    let said = match &appended {
        Err(error @ BackendError::Unavailable { .. }) => error.to_string(),
        other => panic!("expected a refusal, got {other:?}"),
    };
    assert!(said.contains("Permissions Violation") && said.contains("audit.payments.prod-1.lines"), "{said}");
    assert!(started.elapsed() < std::time::Duration::from_secs(2), "it is not waited for");
    Ok(())
}

#[test]
fn the_rights_of_a_fleet_are_enough_for_each_of_its_logs() -> Result {
    let mut setup = NatsSetup::debian()?;
    for role in [Role::Writer, Role::Reader, Role::Administrator] {
        setup = setup.configuration(&grants(role, "nats://unknown/AUDIT", &[])?);
    }
    let servers = setup.configuration(USERS).start()?;
    let url = format!("nats://{}/AUDIT", servers.addresses());
    let guarded = Guarded { url: format!("{url}/payments/prod-2"), servers };
    NewStream::from_url(&url, &guarded.as_user("administrator")?)?.create(PATIENCE)?;
    let mut backend = guarded.log("writer")?;
    backend.open(soon())?;
    backend.create(audit_core::conformance::VERIFIER_KEY, soon())?;
    let sample = Sample::after(Head::EMPTY).lines(2, "of a fleet");
    backend.append(Head::EMPTY, &sample.batch(), soon())?;
    assert_eq!(audit_nats::logs(&url, &guarded.as_user("reader")?)?, [guarded.url]);
    Ok(())
}
