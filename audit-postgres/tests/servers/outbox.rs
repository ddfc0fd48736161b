use std::collections::BTreeSet;
use std::time::Duration;

use audit_core::backend::{Capabilities, Durability, Fencing};
use audit_core::log::Replica;
use audit_core::record::Record;
use audit_core::verify::{LogReader as _, Verifier};
use audit_core::{Actor, AuditLog, File, Memory, Policy};
use audit_postgres::{Outbox, OutboxEvent, OutboxRelay, RelayError, RelaySettings, tokio_postgres};
use real_servers::{Postgres as Server, wait_until};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

use crate::fixture::Place;
use crate::whole_log::{close, key, open};

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

pub(crate) async fn connect(place: &Place) -> Client {
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(place.port).user(place.role("writer")).password(Server::PASSWORD).dbname("postgres");
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

pub(crate) fn outbox(place: &Place) -> Outbox {
    Outbox::from_url(&place.url("writer", "log"), &place.options()).unwrap()
}

pub(crate) async fn relay(place: &Place, log: &AuditLog) -> Result<OutboxRelay, RelayError> {
    let settings = RelaySettings::default().interval(Duration::from_millis(20)).batch(16);
    OutboxRelay::start(log, &place.url("writer", "log"), &place.options(), settings).await
}

pub(crate) fn waiting(place: &Place) -> u64 {
    place.superuser("SELECT count(*) FROM SCHEMA.outbox").parse().unwrap()
}

/// The resources of all recorded refunds, in the log's order.
pub(crate) fn refunds(place: &Place) -> Vec<String> {
    let said =
        place.superuser("SELECT resource FROM SCHEMA.lines WHERE action = 'refund' AND kind = 'event' ORDER BY seq");
    said.lines().map(str::to_owned).collect()
}

#[test]
fn what_is_committed_is_recorded_once_and_what_is_rolled_back_never() {
    let (place, runtime) = (Place::shared(), runtime());
    let log = open(&place, "log", &key());
    let outbox = outbox(&place);
    place.superuser(&format!(
        "CREATE TABLE SCHEMA_refunds (id integer); GRANT ALL ON SCHEMA_refunds TO {}",
        place.role("writer")
    ));
    let id = runtime.block_on(async {
        let relay = relay(&place, &log).await.unwrap();
        let mut client = connect(&place).await;
        let mut first = None;
        for number in 0..6 {
            let transaction = client.transaction().await.unwrap();
            transaction
                .execute(&format!("INSERT INTO {}_refunds VALUES ($1)", place.schema), &[&number])
                .await
                .unwrap();
            let event = OutboxEvent::action("refund")
                .resource(format!("refunds/{number}"))
                .actor(&Actor::service_account("settler").issuer("k8s").verified())
                .trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
                .attribute("amount", 12_i64)
                .attribute("note", "hostile \" \\ \u{1f600}");
            let id = outbox.put(&transaction, &event).await.unwrap();
            first.get_or_insert(id);
            if number % 2 == 0 { transaction.commit().await.unwrap() } else { transaction.rollback().await.unwrap() }
        }
        assert!(wait_until(Duration::from_secs(20), || waiting(&place) == 0 && relay.status().recorded == 3));
        assert!(relay.close(Duration::from_secs(20)));
        first.unwrap()
    });
    assert_eq!(refunds(&place), ["refunds/0", "refunds/2", "refunds/4"]);
    close(&log);

    let line = place.superuser(&format!("SELECT line FROM SCHEMA.lines WHERE id = '{id}'"));
    let record = Record::parse(line.as_bytes()).unwrap();
    assert_eq!(record.text("trace").unwrap(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    assert_eq!(record.member("actor").unwrap().member("id").unwrap().text().unwrap(), "settler");
    assert_eq!(record.member("actor").unwrap().member("verified").unwrap().boolean(), Some(true));
    assert_eq!(record.member("attrs").unwrap().member("amount").unwrap().number(), Some(12));
    assert_eq!(record.member("attrs").unwrap().member("note").unwrap().text().unwrap(), "hostile \" \\ \u{1f600}");
    let verdict = Verifier::new().run(&place.reader("log"));
    assert_eq!(verdict.judgement().to_string(), "intact", "{:#?}", verdict.findings);
}

#[test]
fn many_transactions_at_once_are_each_recorded_once_while_relays_come_and_go() {
    let (place, runtime) = (Place::shared(), runtime());
    let log = open(&place, "log", &key());
    let outbox = outbox(&place);
    runtime.block_on(async {
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let (outbox, client) = (outbox.clone(), connect(&place));
                async move {
                    let mut client = client.await;
                    for number in 0..50 {
                        let transaction = client.transaction().await.unwrap();
                        let event = OutboxEvent::action("refund").resource(format!("{task}/{number}"));
                        outbox.put(&transaction, &event).await.unwrap();
                        transaction.commit().await.unwrap();
                    }
                }
            })
            .collect();
        let coming_and_going = async {
            while refunds(&place).len() < 400 {
                // Dropped in the middle of whatever it does.
                match relay(&place, &log).await {
                    Ok(relay) => {
                        tokio::time::sleep(Duration::from_millis(60)).await;
                        drop(relay);
                    }
                    Err(RelayError::AlreadyRelayed) => tokio::time::sleep(Duration::from_millis(5)).await,
                    Err(other) => panic!("{other}"),
                }
            }
        };
        tokio::join!(join_all(tasks), coming_and_going);
    });
    let recorded = refunds(&place);
    let distinct: BTreeSet<&String> = recorded.iter().collect();
    assert_eq!((recorded.len(), distinct.len(), waiting(&place)), (400, 400, 0));
    close(&log);
}

/// Runs all of them together on one task.
async fn join_all(futures: Vec<impl Future<Output = ()>>) {
    let mut futures: Vec<_> = futures.into_iter().map(|future| Some(Box::pin(future))).collect();
    std::future::poll_fn(|cx| {
        for slot in &mut futures {
            if slot.as_mut().is_some_and(|future| future.as_mut().poll(cx).is_ready()) {
                *slot = None;
            }
        }
        if futures.iter().all(Option::is_none) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[test]
fn events_that_miss_their_deadline_are_not_recorded_twice() {
    let (place, runtime) = (Place::shared(), runtime());
    let policy = "[[rule]]\nname = \"hasty\"\nactions = [\"refund\"]\ndurability = \"synced\"\ndeadline = \"100ms\"\n";
    let policy = Policy::from_toml(policy).unwrap();
    let log = AuditLog::builder("postgres.example/one")
        .key(key())
        .policy(policy)
        .backend(place.writer("log"))
        .open()
        .unwrap();
    let outbox = outbox(&place);
    runtime.block_on(async {
        let client = connect(&place).await;
        let relay = relay(&place, &log).await.unwrap();
        for round in 0..10_u8 {
            // The head row is locked: what is on its way waits, and its caller does not.
            let admin = place.server.clone();
            let time = 0.2 + f64::from(round) * 0.03;
            let lock = format!("BEGIN; SELECT FROM {}.heads FOR UPDATE; SELECT pg_sleep({time}); COMMIT", place.schema);
            let held = tokio::task::spawn_blocking(move || admin.psql(&lock).unwrap());
            tokio::time::sleep(Duration::from_millis(40)).await;
            for number in 0..10 {
                let event = OutboxEvent::action("refund").resource(format!("{round}/{number}"));
                outbox.put(&client, &event).await.unwrap();
            }
            held.await.unwrap();
        }
        let settled = || waiting(&place) == 0;
        assert!(wait_until(Duration::from_secs(60), settled), "{:?}", relay.status());
    });
    let recorded = refunds(&place);
    let distinct: BTreeSet<&String> = recorded.iter().collect();
    assert_eq!((recorded.len(), distinct.len()), (100, 100));
    assert!(log.coverage().refused > 0, "no event missed its deadline: {:?}", log.coverage());
    close(&log);
}

#[test]
fn a_process_that_dies_leaves_each_event_in_one_place() {
    let mut place = Place::own(&[]);
    let runtime = runtime();
    let key = key();
    let log = open(&place, "log", &key);
    let outbox = outbox(&place);
    runtime.block_on(async {
        let client = connect(&place).await;
        for number in 0..200 {
            outbox.put(&client, &OutboxEvent::action("refund").resource(number.to_string())).await.unwrap();
        }
        let relay = relay(&place, &log).await.unwrap();
        assert!(wait_until(Duration::from_secs(20), || relay.status().recorded > 0));
        // The server is gone in the middle of it, and comes back.
        let server = std::sync::Arc::get_mut(&mut place.server).unwrap();
        server.kill();
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.restart().unwrap();
        assert!(wait_until(Duration::from_secs(60), || waiting(&place) == 0), "{:?}", relay.status());
    });
    let recorded = refunds(&place);
    let distinct: BTreeSet<&String> = recorded.iter().collect();
    assert_eq!((recorded.len(), distinct.len()), (200, 200));
    close(&log);
}

#[test]
fn what_the_policy_excludes_leaves_the_outbox_unrecorded() {
    let (place, runtime) = (Place::shared(), runtime());
    let policy = Policy::from_toml("[[rule]]\nname = \"noise\"\nactions = [\"noise\"]\nlevel = \"none\"\n").unwrap();
    let log = AuditLog::builder("postgres.example/one")
        .key(key())
        .policy(policy)
        .backend(place.writer("log"))
        .open()
        .unwrap();
    runtime.block_on(async {
        let client = connect(&place).await;
        outbox(&place).put(&client, &OutboxEvent::action("noise")).await.unwrap();
        outbox(&place).put(&client, &OutboxEvent::action("refund").resource("1")).await.unwrap();
        let relay = relay(&place, &log).await.unwrap();
        assert!(wait_until(Duration::from_secs(20), || waiting(&place) == 0 && relay.status().excluded == 1));
    });
    assert_eq!(refunds(&place), ["1"]);
    assert_eq!(log.coverage().excluded, 1);
    close(&log);
}

#[test]
fn a_relay_is_refused_where_the_log_keeps_its_lines_elsewhere() {
    let (place, runtime) = (Place::shared(), runtime());
    drop(place.created("log"));
    let memory =
        Memory::with_capabilities(Capabilities::new(Durability::Synced, Durability::Synced, Fencing::Enforced));
    let elsewhere = AuditLog::builder("postgres.example/one").key(key()).backend(memory).open().unwrap();
    let refused = runtime.block_on(relay(&place, &elsewhere));
    assert!(matches!(refused, Err(RelayError::NotPrimary { .. })), "{refused:?}");
}

#[test]
fn a_relay_is_refused_where_this_database_is_a_replica_that_has_everything() {
    let (place, runtime) = (Place::shared(), runtime());
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::builder("postgres.example/one")
        .key(key())
        .backend(File::new(folder.path()))
        .replica(Replica::new(place.writer("log")))
        .open()
        .unwrap();
    let filled = || {
        let replica = log.health().replicas.remove(0);
        replica.compared && replica.lag_records == 0 && replica.records > 0
    };
    assert!(wait_until(Duration::from_secs(20), filled), "{:?}", log.health());
    runtime.block_on(log.checkpoint(Duration::from_secs(20))).unwrap();
    assert!(
        wait_until(Duration::from_secs(20), || place.superuser("SELECT count(*) > 0 FROM SCHEMA.checkpoints") == "t")
    );
    let refused = runtime.block_on(relay(&place, &log));
    assert!(matches!(&refused, Err(RelayError::NotPrimary { detail }) if detail.contains("file://")), "{refused:?}");
    close(&log);
}

#[test]
fn the_primary_under_another_name_is_no_replica() {
    let place = Place::shared();
    let again = place.url("writer", "log").replace("127.0.0.1", "localhost");
    let again = audit_postgres::Postgres::from_url(&again, &place.options()).unwrap();
    let key = key();
    close(&open(&place, "log", &key));
    let refused = AuditLog::builder("postgres.example/one")
        .key(key)
        .backend(place.writer("log"))
        .replica(Replica::new(again))
        .open()
        .unwrap_err();
    assert!(refused.to_string().contains("is the primary itself"), "{refused}");
}

#[test]
fn a_log_has_one_relay_at_a_time() {
    let (place, runtime) = (Place::shared(), runtime());
    let log = open(&place, "log", &key());
    runtime.block_on(async {
        let first = relay(&place, &log).await.unwrap();
        assert!(matches!(relay(&place, &log).await, Err(RelayError::AlreadyRelayed)));
        assert!(first.close(Duration::from_secs(20)));
        let second = relay(&place, &log).await.unwrap();
        log.close(Duration::from_secs(20)).await.unwrap();
        outbox(&place).put(&connect(&place).await, &OutboxEvent::action("refund")).await.unwrap();
        assert!(wait_until(Duration::from_secs(20), || second.status().ended), "{:?}", second.status());
    });
    assert_eq!(waiting(&place), 1);
}

#[test]
fn callers_in_other_languages_put_events_with_sql() {
    let (place, runtime) = (Place::shared(), runtime());
    let log = open(&place, "log", &key());
    let event = r#"{"action":"refund","resource":"sql","actor":{"type":"user","id":"ada"},"attrs":{"a":1,"b":[true]}}"#;
    let id = place.attempt("writer", &format!("SELECT SCHEMA.put('log', '{event}')")).unwrap();
    assert_eq!(id.get(14..15), Some("7"), "{id} is a UUID of version 7");
    for (wrong, said) in [
        (r#"{"resource":"x"}"#, "action"),
        (r#"{"action":"x","sequence":1}"#, "no member"),
        ("[]", "JSON object"),
        ("not json", "invalid input syntax"),
    ] {
        let error = place.attempt("writer", &format!("SELECT SCHEMA.put('log', '{wrong}')")).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
    assert!(
        place.attempt("writer", "SELECT SCHEMA.put('other', '{\"action\":\"x\"}')").unwrap_err().contains("no log")
    );
    let long = "SELECT SCHEMA.put('log', json_build_object('action', repeat('x', 70000))::text)";
    assert!(place.attempt("writer", long).unwrap_err().contains("at most 61440 bytes"));
    // What only an owner can put there is recorded all the same, by its action where it has one.
    for junk in ["junk", r#"{"action":"refund","sequence":1}"#] {
        place.superuser(&format!(
            "INSERT INTO SCHEMA.outbox (id, log, time, event) VALUES (gen_random_uuid(), 'log', now(), '{junk}')"
        ));
    }
    runtime.block_on(async {
        let relay = relay(&place, &log).await.unwrap();
        assert!(wait_until(Duration::from_secs(20), || waiting(&place) == 0), "{:?}", relay.status());
    });
    let line = place.superuser(&format!("SELECT line FROM SCHEMA.lines WHERE id = '{id}'"));
    assert!(line.contains(r#""resource":"sql""#) && line.contains(r#""id":"ada""#), "{line}");
    assert_eq!(place.superuser("SELECT count(*) FROM SCHEMA.lines WHERE action = 'outbox.unreadable'"), "1");
    assert_eq!(
        place.superuser("SELECT count(*) FROM SCHEMA.lines WHERE action = 'refund' AND line LIKE '%unreadable%'"),
        "1"
    );
    assert!(place.reader("log").size().unwrap() >= 4);
    close(&log);
}
