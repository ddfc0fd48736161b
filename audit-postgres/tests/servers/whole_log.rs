use std::time::Duration;

use audit_core::verify::Verifier;
use audit_core::{Actor, AuditLog, Event, Key, Outcome, OutcomeResult};
use real_servers::PgBouncer;

use crate::fixture::Place;

const ORIGIN: &str = "postgres.example/one";

pub(crate) fn key() -> Key {
    Key::generate(ORIGIN).unwrap()
}

pub(crate) fn open(place: &Place, log: &str, key: &Key) -> AuditLog {
    AuditLog::builder(ORIGIN).key(key.clone()).backend(place.writer(log)).open().unwrap()
}

pub(crate) fn close(log: &AuditLog) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(log.close(Duration::from_secs(20))).unwrap().records
}

fn work(log: &AuditLog, calls: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..calls)
            .map(|number| {
                let log = log.clone();
                tokio::spawn(async move {
                    let actor = Actor::service_account("set\0tler \u{1f600}");
                    let event = Event::action("ledger.rotate").resource(format!("ledger/{number}\n'; --")).actor(actor);
                    let activity = log.begin(&event).await.unwrap();
                    activity.finish(Outcome::new(OutcomeResult::Success));
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

#[test]
fn a_log_with_postgres_as_its_primary_verifies_through_a_pooler_too() {
    let mut place = Place::shared();
    let (writer, reader) = (place.role("writer"), place.role("reader"));
    let pooler = PgBouncer::start(&place.server, &[&writer, &reader]).unwrap();
    place.port = pooler.port();
    let key = key();
    for round in 1..=3 {
        let log = open(&place, "payments/one", &key);
        work(&log, 200);
        let records = close(&log);
        let verdict = Verifier::new().key(log.verifier_key().clone()).run(&place.reader("payments/one"));
        assert_eq!(verdict.judgement().to_string(), "intact", "{:#?}", verdict.findings);
        assert_eq!(verdict.records, records);
        assert!(records >= round * 400);
    }
}

#[test]
fn columns_can_be_asked_in_sql() {
    let place = Place::shared();
    let log = open(&place, "log", &key());
    work(&log, 10);
    close(&log);
    let count = "SELECT count(*) FROM SCHEMA.lines WHERE log = 'log' AND kind = 'intent' AND action = 'ledger.rotate'
                 AND actor_type = 'service_account' AND time > now() - interval '1 hour' AND id IS NOT NULL";
    assert_eq!(place.attempt("reader", count).unwrap(), "10");
    let actors = "SELECT DISTINCT actor_id FROM SCHEMA.lines WHERE actor_id IS NOT NULL";
    assert_eq!(place.attempt("reader", actors).unwrap(), "set\u{fffd}tler \u{1f600}");
    let results = "SELECT count(*) FROM SCHEMA.lines WHERE kind = 'outcome' AND result = 'success'";
    assert_eq!(place.attempt("reader", results).unwrap(), "10");
}

#[test]
fn of_two_writers_that_race_one_wins_and_the_chain_holds() {
    let place = Place::shared();
    let key = key();
    close(&open(&place, "log", &key));
    let first = open(&place, "log", &key);
    let second = open(&place, "log", &key);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let count = |log: AuditLog| async move {
        let mut recorded = 0;
        for number in 0..100 {
            let event = Event::action("race").resource(number.to_string());
            recorded += u64::from(log.record(&event).await.is_ok_and(|receipt| receipt.is_some()));
        }
        recorded
    };
    let (one, two) = runtime.block_on(async {
        let (one, two) = (tokio::spawn(count(first.clone())), tokio::spawn(count(second.clone())));
        (one.await.unwrap(), two.await.unwrap())
    });
    assert!((one == 100) != (two == 100), "{one} and {two} records");
    close(if one == 100 { &first } else { &second });
    let verdict = Verifier::new().run(&place.reader("log"));
    assert_eq!(verdict.judgement().to_string(), "intact", "{:#?}", verdict.findings);
    let raced = "SELECT count(*) FROM SCHEMA.lines WHERE action = 'race'";
    assert_eq!(place.superuser(raced).parse::<u64>().unwrap(), one + two);
}
