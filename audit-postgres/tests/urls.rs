//! What URLs and options say, and what is wrong with them.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::time::{Duration, Instant};

use audit_core::backend::{Backend as _, BackendError};
use audit_postgres::{Outbox, Postgres, PostgresReader, Role, SCHEMA_VERSION, grants, logs, migrations};

const URL: &str = "postgres://payments@db.example/audit/payments/prod-1";

fn options(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The key that the error names.
fn refused(url: &str, pairs: &[(&str, &str)]) -> String {
    Postgres::from_url(url, &options(pairs)).unwrap_err().key
}

#[test]
fn urls_in_all_shapes_are_understood() {
    for url in [
        URL,
        "postgresql://payments@db.example:5433/audit/LOG",
        "postgres://a%40b@[::1]:5432/audit/one/two/three",
        "postgres://a@%2Frun%2Fpostgresql/audit/LOG",
        "postgres://a@db/audit/LOG?schema=other&pool=64&tls=disable",
    ] {
        Postgres::from_url(url, &[]).unwrap();
        Outbox::from_url(url, &[]).unwrap();
    }
}

#[test]
fn the_part_that_is_wrong_is_named() {
    for (url, key) in [
        ("http://a@db/audit/LOG", "url"),
        ("postgres://a@db/audit/LOG#x", "url"),
        ("postgres://db/audit/LOG", "user"),
        ("postgres://@db/audit/LOG", "user"),
        ("postgres://a:secret@db/audit/LOG", "password"),
        ("postgres://a@/audit/LOG", "host"),
        ("postgres://a@db:99999/audit/LOG", "port"),
        ("postgres://a@db", "database"),
        ("postgres://a@db/audit", "log"),
        ("postgres://a@db/audit/one//two", "log"),
        ("postgres://a@db/audit/%zz", "log"),
        ("postgres://a@db/audit/%00", "log"),
        ("postgres://a@db/audit/%ff", "log"),
        ("postgres://a%0ADROP%20TABLE%20x;--@db/audit/LOG", "user"),
        ("postgres://a%0d@db/audit/LOG", "user"),
        ("postgres://a@db%0a/audit/LOG", "host"),
        ("postgres://a@db/audit%1b/LOG", "database"),
        ("postgres://a@db/audit/LOG%0a", "log"),
    ] {
        assert_eq!(refused(url, &[]), key, "{url}");
    }
    let long = format!("postgres://a@db/audit/{}", "x".repeat(256));
    assert_eq!(refused(&long, &[]), "log");
    assert!(Postgres::from_url(&long[..long.len() - 1], &[]).is_ok());
}

#[test]
fn the_option_that_is_wrong_is_named() {
    for (name, value) in [
        ("colour", "red"),
        ("schema", "Upper"),
        ("schema", "pg_catalog"),
        ("schema", "x; DROP TABLE y"),
        ("schema", "1st"),
        ("tls", "prefer"),
        ("pool", "0"),
        ("pool", "65"),
        ("pool", "many"),
        ("remote", "maybe"),
        ("read_timeout", "0"),
        ("read_timeout", "3601"),
        ("password", "secret"),
        ("password_file", ""),
        ("password_env", ""),
    ] {
        assert_eq!(refused(URL, &[(name, value)]), name, "{name}={value}");
    }
    let schema = "s".repeat(49);
    assert_eq!(refused(URL, &[("schema", &schema)]), "schema");
    assert_eq!(refused(&format!("{URL}?pool=2"), &[("pool", "3")]), "pool");
    assert_eq!(refused(URL, &[("password_file", "/x"), ("password_env", "Y")]), "password_file");
    assert_eq!(refused(URL, &[("tls", "disable"), ("ca_file", "/x")]), "ca_file");
}

#[test]
fn no_secret_is_shown() {
    let error = Postgres::from_url("postgres://a:hunter2@db/audit/LOG", &[]).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    let writer = Postgres::from_url(URL, &options(&[("password_env", "HUNTER")])).unwrap();
    assert!(!format!("{writer:?}").contains("HUNTER"));
}

#[test]
fn a_server_that_is_not_there_is_a_typed_error_by_the_deadline() {
    let password = options(&[("password_env", "NOBODY_HAS_SET_THIS")]);
    let soon = || Instant::now() + Duration::from_secs(5);
    let missing = Postgres::from_url("postgres://a@127.0.0.1:1/audit/LOG", &password).unwrap().open(soon());
    assert!(matches!(&missing, Err(BackendError::Misconfigured { detail }) if detail.contains("password_env")));
    let absent = Postgres::from_url("postgres://a@127.0.0.1:1/audit/LOG", &[]).unwrap().open(soon());
    assert!(matches!(absent, Err(BackendError::Unavailable { .. })), "{absent:?}");
    assert!(PostgresReader::from_url("postgres://a@127.0.0.1:1/audit/LOG", &[]).is_err());
    assert!(logs("postgres://a@127.0.0.1:1/audit", &[]).is_err());
    let late = Postgres::from_url(URL, &[]).unwrap().open(Instant::now());
    assert!(matches!(late, Err(BackendError::Unavailable { .. })), "{late:?}");
}

#[test]
fn a_store_that_is_not_open_says_so() {
    let mut closed = Postgres::from_url(URL, &[]).unwrap();
    let soon = Instant::now() + Duration::from_secs(5);
    assert!(matches!(closed.head(soon), Err(BackendError::Misconfigured { .. })));
    assert!(matches!(closed.read(0..1, soon), Err(BackendError::Misconfigured { .. })));
    assert!(closed.reader().is_err() && closed.synchronizer().is_err());
}

#[test]
fn only_a_server_elsewhere_counts_as_another_machine() {
    let remote =
        |url: &str, pairs: &[(&str, &str)]| Postgres::from_url(url, &options(pairs)).unwrap().capabilities().remote;
    assert!(remote(URL, &[]));
    assert!(!remote(URL, &[("remote", "false")]));
    for local in ["127.0.0.1", "localhost", "[::1]", "%2Frun%2Fpostgresql"] {
        let url = format!("postgres://a@{local}/audit/LOG");
        assert!(!remote(&url, &[]) && remote(&url, &[("remote", "true")]), "{url}");
    }
}

#[test]
fn grants_are_for_the_user_in_the_url_whatever_its_name() {
    let sql = grants(Role::Writer, "postgres://we%22ird%27@db/audit", &[]).unwrap();
    assert!(sql.contains(r#"CREATE ROLE "we""ird'" LOGIN NOSUPERUSER"#), "{sql}");
    assert!(sql.contains(r#"rolname = 'we"ird'''"#), "{sql}");
    assert!(sql.contains("GRANT audit_log_writer TO"), "{sql}");
    assert!(grants(Role::Reader, "postgres://x$user$x@db/audit", &[]).is_err());
    assert!(grants(Role::Reader, "postgres://x%0AALTER%20ROLE%20x%20SUPERUSER;%20--@db/audit", &[]).is_err());
    let installed = &migrations("elsewhere").unwrap()[0];
    assert_eq!(installed.version, SCHEMA_VERSION);
    assert!(installed.sql.contains("CREATE TABLE elsewhere.lines") && !installed.sql.contains("{schema}"));
    let administrator = grants(Role::Administrator, "postgres://x@db/audit?schema=elsewhere", &[]).unwrap();
    assert!(administrator.contains(&installed.sql));
}
