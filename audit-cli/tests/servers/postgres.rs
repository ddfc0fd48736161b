//! PostgreSQL, with the roles that `audit grants postgres` prints.

use std::sync::OnceLock;

use real_servers::{Postgres, free_port};

use crate::place::{Place, fleet_key, fresh, granted, write_log};
use crate::story;

fn server() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(|| {
        let server = Postgres::start().expect("PostgreSQL starts");
        server.create_database("audit").expect("a database");
        for role in ["administrator", "writer", "reader"] {
            let url = format!("postgres://{role}@127.0.0.1:{}/audit", server.port());
            server.psql_as("postgres", "audit", &granted("postgres", role, &url)).expect("applied as printed");
            server.login(role).expect("a password");
        }
        server
    })
}

/// A fleet of its own for one test.
fn place() -> Place {
    let server = server();
    let password = server.write(&fresh("password"), Postgres::PASSWORD).expect("written");
    let fleet = fresh("fleet");
    let url = |user: &str| format!("postgres://{user}@127.0.0.1:{}/audit/{fleet}", server.port());
    Place {
        writer: url("writer"),
        reader: url("reader"),
        query: format!("?tls=disable&password_file={}", password.display()),
    }
}

#[test]
fn a_log_in_postgresql_is_verified_read_and_proved_by_url() {
    story::one_log(&place());
}

#[test]
fn logs_in_postgresql_are_a_fleet() {
    story::a_fleet(&place());
}

#[test]
fn a_replica_in_postgresql_is_compared_with_its_primary() {
    story::a_replica(&place());
}

#[test]
fn a_log_in_postgresql_is_followed() {
    story::a_log_that_is_followed(&place());
}

#[test]
fn a_row_that_a_superuser_changed_is_tampering() {
    let place = place();
    write_log(&fleet_key().0, place.backend("edited"));
    let fleet = place.writer.rsplit('/').next().expect("a name").to_owned();
    let sql = format!(
        "SET session_replication_role = replica; ALTER TABLE audit_log.lines DISABLE TRIGGER ALL; \
         UPDATE audit_log.lines SET line = replace(line, '/v1/refunds/3', '/v1/refunds/4') \
         WHERE log = '{fleet}/edited' AND line LIKE '%/v1/refunds/3%'; \
         ALTER TABLE audit_log.lines ENABLE TRIGGER ALL; ALTER TABLE audit_log.lines ENABLE ALWAYS TRIGGER lines_only_grow"
    );
    server().psql_as("postgres", "audit", &sql).expect("a superuser may");
    story::tampered(&place, "edited", &["edited"]);
}

#[test]
fn a_postgresql_that_does_not_answer_leaves_the_question_open() {
    let url = |port: u16| format!("postgres://reader@127.0.0.1:{port}/audit/log?tls=disable&read_timeout=3");
    story::unreachable(&url(free_port().expect("a port")));
    story::hung(url);
}
