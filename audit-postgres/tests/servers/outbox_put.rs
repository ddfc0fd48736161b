//! Who may put what into an outbox, and how often.

use std::time::Duration;

use audit_core::{AuditLog, Policy};
use audit_postgres::OutboxEvent;
use real_servers::{Postgres as Server, wait_until};

use crate::fixture::Place;
use crate::outbox::{connect, outbox, refunds, relay, runtime, waiting};
use crate::whole_log::{close, key, open};

const X: &str = "0193580e-5f1a-7aaa-bbbb-0123456789ab";

/// A login besides the writer's, with some rights.
fn login(place: &Place, name: &str, rights: &str) -> String {
    let role = format!("{}_{name}", place.schema);
    place.superuser(&format!("CREATE ROLE {role} LOGIN PASSWORD '{}'", Server::PASSWORD));
    place.superuser(&rights.replace("ROLE", &role));
    role
}

fn call(place: &Place, role: &str, sql: &str) -> Result<String, String> {
    let sql = sql.replace("SCHEMA", &place.schema);
    place.server.psql_as(role, "postgres", &sql).map_err(|error| error.to_string())
}

fn put(place: &Place, id: &str, resource: &str) -> Result<String, String> {
    let event = format!(r#"{{"action":"refund","resource":"{resource}"}}"#);
    place.attempt("writer", &format!("SELECT SCHEMA.put('log', '{event}', '{id}')"))
}

#[test]
fn the_writer_of_another_log_puts_nothing_into_this_one_and_sees_none_of_it() {
    let place = Place::shared();
    drop(place.created("log"));
    let other = login(&place, "other", "GRANT SCHEMA_writer TO ROLE");
    put(&place, X, "mine").unwrap();
    for (attack, said) in [
        (
            r#"SELECT SCHEMA.put('log', '{"action":"refund","actor":{"type":"user","id":"ada","verified":true}}')"#,
            "may not put",
        ),
        ("SELECT * FROM SCHEMA.outbox", "permission denied"),
        ("SELECT * FROM SCHEMA.outbox_ids", "permission denied"),
        ("SELECT * FROM SCHEMA.pending('log', '{}', 9)", "belongs to the role"),
        ("SELECT SCHEMA.discard('log', '{0193580e-5f1a-7aaa-bbbb-0123456789ab}')", "belongs to the role"),
        ("SELECT SCHEMA.allow_put('log', session_user)", "belongs to the role"),
        ("SELECT SCHEMA.wait_for_appends('log')", "belongs to the role"),
    ] {
        let refused = call(&place, &other, attack).unwrap_err();
        assert!(refused.contains(said), "{attack}: {refused}");
    }
    assert_eq!(waiting(&place), 1);
}

#[test]
fn the_writer_of_a_log_says_which_applications_may_put() {
    let place = Place::shared();
    drop(place.created("log"));
    let rights = "GRANT USAGE ON schema SCHEMA TO ROLE; GRANT EXECUTE ON FUNCTION SCHEMA.put TO ROLE";
    let application = login(&place, "shop", &rights.replace("schema SCHEMA", &format!("schema {}", place.schema)));
    let put = r#"SELECT SCHEMA.put('log', '{"action":"refund"}')"#;
    let refused = call(&place, &application, put).unwrap_err();
    assert!(refused.contains("may not put") && refused.contains("allow_put"), "{refused}");
    for _ in 0..2 {
        place.attempt("writer", &format!("SELECT SCHEMA.allow_put('log', '{application}')")).unwrap();
    }
    call(&place, &application, put).unwrap();
    assert!(call(&place, &application, "SELECT * FROM SCHEMA.outbox").is_err());
    place.attempt("writer", &format!("SELECT SCHEMA.allow_put('log', '{application}', false)")).unwrap();
    assert!(call(&place, &application, put).unwrap_err().contains("may not put"));
    let unknown = place.attempt("writer", "SELECT SCHEMA.allow_put('log', 'nobody_has_this_name')");
    assert!(unknown.unwrap_err().contains("there is no role"));
    assert_eq!(waiting(&place), 1);
}

#[test]
fn an_event_that_is_put_again_is_recorded_once_and_does_not_end_the_relay() {
    let (place, runtime) = (Place::shared(), runtime());
    let log = open(&place, "log", &key());
    runtime.block_on(async {
        let relay = relay(&place, &log).await.unwrap();
        for round in 0..4 {
            // The answer to the first commit was lost, say.
            assert_eq!(put(&place, X, "once").unwrap(), X);
            outbox(&place)
                .put(&connect(&place).await, &OutboxEvent::action("refund").resource(round.to_string()))
                .await
                .unwrap();
            let recorded = || waiting(&place) == 0 && refunds(&place).contains(&round.to_string());
            assert!(wait_until(Duration::from_secs(20), recorded), "{:?}", relay.status());
        }
        assert!(!relay.status().ended && relay.status().last_error.is_none(), "{:?}", relay.status());
    });
    assert_eq!(refunds(&place).iter().filter(|it| *it == "once").count(), 1);
    let another = put(&place, X, "twice").unwrap_err();
    assert!(another.contains("another event was put with the identifier"), "{another}");
    close(&log);
}

#[test]
fn an_event_is_put_again_after_a_roll_back_even_of_a_transaction_that_still_runs() {
    let place = Place::shared();
    drop(place.created("log"));
    let event = r#"{"action":"refund","resource":"again"}"#;
    let rolled_back = format!("BEGIN; SELECT SCHEMA.put('log', '{event}', '{X}'); SELECT pg_sleep(1.5); ROLLBACK");
    std::thread::scope(|scope| {
        let first = scope.spawn(|| place.attempt("writer", &rolled_back).unwrap());
        let sleeps =
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'SCHEMA_the_writer' AND wait_event = 'PgSleep'";
        assert!(wait_until(Duration::from_secs(10), || place.superuser(sleeps) == "1"));
        assert_eq!(put(&place, X, "again").unwrap(), X);
        first.join().unwrap();
    });
    assert_eq!(waiting(&place), 1);
}

#[test]
fn an_event_that_the_relay_could_not_read_aborts_the_transaction() {
    let place = Place::shared();
    drop(place.created("log"));
    let deep = format!(r#"{{"action":"x","attrs":{{"a":{}1{}}}}}"#, "[".repeat(40), "]".repeat(40));
    for (wrong, said) in [
        (r#"{"action":"x","resource":5}"#, "resource"),
        (r#"{"action":"x","trace":[]}"#, "trace"),
        (r#"{"action":"x","action":"y"}"#, "given twice"),
        (r#"{"action":"x","attrs":{"a":1,"a":2}}"#, "given twice"),
        (r#"{"action":"x","attrs":null}"#, "attrs"),
        (r#"{"action":"x","attrs":{"a":1e999}}"#, "out of range"),
        (r#"{"action":"x","attrs":{"a":[{"b":1e999}]}}"#, "out of range"),
        (deep.as_str(), "nested"),
        (r#"{"action":"x","actor":"ada"}"#, "an actor is a JSON object"),
        (r#"{"action":"x","actor":{"id":"ada"}}"#, "\"type\""),
        (r#"{"action":"x","actor":{"type":"user","name":"ada"}}"#, "no member \"name\""),
        (r#"{"action":"x","actor":{"type":"user","verified":"yes"}}"#, "verified"),
        (r#"{"action":"x","actor":{"type":"user","on_behalf_of":{}}}"#, "on_behalf_of"),
        (r#"{"action":"x","actor":{"type":"user","on_behalf_of":[{"type":"user"}]}}"#, "\"id\""),
    ] {
        let refused = place.attempt("writer", &format!("SELECT SCHEMA.put('log', '{wrong}')")).unwrap_err();
        assert!(refused.contains(said), "{wrong}: {refused}");
    }
    for moment in ["infinity", "-infinity", "1969-12-31 00:00:00+00"] {
        let sql = format!(r#"SELECT SCHEMA.put('log', '{{"action":"x"}}', NULL, '{moment}')"#);
        assert!(place.attempt("writer", &sql).unwrap_err().contains("between 1970 and 9999"));
    }
    assert_eq!(waiting(&place), 0);
}

#[test]
fn every_event_that_can_be_put_can_be_read() {
    let (place, runtime) = (Place::shared(), runtime());
    let log = open(&place, "log", &key());
    for right in [
        r#"{"action":"refund"}"#,
        r#"{"action":"refund","resource":null,"trace":null,"actor":null,"attrs":{}}"#,
        r#"{"action":"refund","actor":{"type":"user","id":null,"verified":false,"on_behalf_of":[]}}"#,
        r#"{"action":"refund","actor":{"type":"service_account","id":"s","issuer":"k8s","auth":"mtls","credential":"c",
            "verified":true,"reason":"r","on_behalf_of":[{"type":"user","id":"ada","issuer":null}]},
            "attrs":{"n":123456789012345678901234567890,"f":-1.5e300,"x":null,"o":{"a":[1,[2,{"b":"\u00e9"}]]},"t":true}}"#,
    ] {
        place.attempt("writer", &format!("SELECT SCHEMA.put('log', '{right}')")).unwrap();
    }
    runtime.block_on(async {
        let relay = relay(&place, &log).await.unwrap();
        assert!(wait_until(Duration::from_secs(20), || waiting(&place) == 0), "{:?}", relay.status());
    });
    let read = "SELECT count(*), count(*) FILTER (WHERE line LIKE '%outbox.unreadable%') FROM SCHEMA.lines WHERE action = 'refund'";
    assert_eq!(place.superuser(read), "4|0");
    close(&log);
}

#[test]
fn a_relay_under_a_rule_that_allows_losses_ends_with_the_log() {
    let (place, runtime) = (Place::shared(), runtime());
    let policy = "[[rule]]\nname = \"lossy\"\nactions = [\"refund\"]\non_failure = \"allow\"\n";
    let log = AuditLog::builder("postgres.example/one")
        .key(key())
        .policy(Policy::from_toml(policy).unwrap())
        .backend(place.writer("log"))
        .open()
        .unwrap();
    runtime.block_on(async {
        let relay = relay(&place, &log).await.unwrap();
        log.close(Duration::from_secs(20)).await.unwrap();
        outbox(&place).put(&connect(&place).await, &OutboxEvent::action("refund")).await.unwrap();
        assert!(wait_until(Duration::from_secs(20), || relay.status().ended), "{:?}", relay.status());
        assert!(relay.status().last_error.is_some_and(|said| said.contains("closed")));
    });
    assert_eq!(waiting(&place), 1);
}
