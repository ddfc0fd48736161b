use std::time::{Duration, Instant};

use audit_core::backend::{Backend as _, BackendError, Head};
use audit_core::conformance::{Sample, VERIFIER_KEY};
use audit_postgres::{Postgres, Role, SCHEMA_VERSION, grants, install};
use real_servers::{Postgres as Server, wait_until};

use crate::fixture::{Place, soon};

/// What `open` refuses the log with.
fn refusal(place: &Place, login: &str) -> String {
    let mut writer = Postgres::from_url(&place.url(login, "log"), &place.options()).unwrap();
    match writer.open(soon()) {
        Err(BackendError::Misconfigured { detail }) => detail,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[track_caller]
fn is_refused(place: &Place, words: &[&str]) {
    let said = refusal(place, "writer");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}

#[test]
fn a_superuser_is_refused() {
    let place = Place::shared();
    place.superuser(&format!("ALTER ROLE {} SUPERUSER", place.role("writer")));
    is_refused(&place, &["superuser", "connect as a role that is none"]);
}

#[test]
fn the_owner_is_refused() {
    let place = Place::shared();
    let said = refusal(&place, "admin");
    assert!(said.contains("owns the schema") && said.contains("may disable its triggers"), "{said}");
}

#[test]
fn a_role_that_may_become_the_owner_without_inheriting_its_rights_is_refused() {
    let place = Place::shared();
    let writer = place.role("writer");
    place.superuser(&format!(
        "CREATE ROLE SCHEMA_between NOINHERIT; GRANT SCHEMA_owner TO SCHEMA_between; GRANT SCHEMA_between TO {writer}"
    ));
    is_refused(&place, &["member of its owner"]);
}

#[test]
fn a_role_without_the_rights_of_a_writer_is_told_what_to_grant() {
    let place = Place::shared();
    place.superuser(&format!("REVOKE SCHEMA_writer FROM {}", place.role("writer")));
    is_refused(&place, &["permission denied for schema", "`audit grants postgres` prints"]);
    let said = refusal(&place, "reader");
    assert!(said.contains("no right to execute"), "{said}");
}

#[test]
fn a_role_that_may_make_itself_a_member_of_others_is_refused() {
    let place = Place::shared();
    place.superuser(&format!("ALTER ROLE {} CREATEROLE", place.role("writer")));
    is_refused(&place, &["NOCREATEROLE"]);
}

#[test]
fn every_right_to_change_rows_is_refused_by_its_name() {
    for right in ["INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "UPDATE (line)"] {
        let place = Place::shared();
        place.superuser(&format!("GRANT {right} ON SCHEMA.lines TO {}", place.role("writer")));
        let word = right.split(' ').next().unwrap().to_lowercase();
        is_refused(&place, &[&format!("the right to {word} on {}.lines", place.schema), "revoke it"]);
    }
}

#[test]
fn the_right_to_create_in_the_schema_is_refused() {
    let place = Place::shared();
    place.superuser(&format!("GRANT CREATE ON schema {} TO {}", place.schema, place.role("writer")));
    is_refused(&place, &["revoke CREATE"]);
}

#[test]
fn a_schema_of_another_owner_is_refused() {
    let place = Place::shared();
    place.superuser("CREATE ROLE SCHEMA_thief");
    place.superuser(&format!("ALTER schema {0} OWNER TO {0}_thief", place.schema));
    is_refused(&place, &["another owner than its tables", "ALTER SCHEMA"]);
}

#[test]
fn a_schema_of_somebody_else_is_not_adopted() {
    let place = Place::shared();
    place.superuser("CREATE ROLE SCHEMA_squatter; CREATE schema SCHEMA_taken AUTHORIZATION SCHEMA_squatter");
    let taken = format!("{}_taken", place.schema);
    let printed = grants(Role::Administrator, "postgres://x@h/d", &[("schema".to_owned(), taken)]).unwrap();
    let refused = place.server.psql(&printed).unwrap_err().to_string();
    assert!(refused.contains("belongs to somebody else"), "{refused}");
}

#[test]
fn indexes_that_may_refuse_a_line_are_refused_and_others_are_not() {
    let place = Place::shared();
    for fine in [
        "brin (time)",
        "(actor_id, time) WHERE kind = 'intent'",
        "(md5(resource))",
        "(left(resource, 200))",
        "USING hash (resource)",
    ] {
        let index = if fine.starts_with("brin") { format!("USING {fine}") } else { fine.to_owned() };
        place.superuser(&format!("CREATE INDEX ON SCHEMA.lines {index}"));
    }
    place.writer("log").open(soon()).unwrap();
    for (change, word) in [
        ("CREATE INDEX wide ON SCHEMA.lines (resource)", "md5(resource)"),
        ("CREATE INDEX wide ON SCHEMA.lines (time) INCLUDE (resource)", "md5(resource)"),
        ("CREATE INDEX wide ON SCHEMA.lines (actor_id, action, trace)", "may refuse a line"),
        ("CREATE UNIQUE INDEX wide ON SCHEMA.lines (id, kind)", "is unique"),
    ] {
        place.superuser(change);
        is_refused(&place, &[word, "the index wide"]);
        place.superuser("DROP INDEX SCHEMA.wide");
    }
}

/// An append of one line, as a process leaves it behind that dies, and how it goes on.
fn left_behind(sample: &Sample, then: &str) -> String {
    let line = String::from_utf8(sample.bytes().strip_suffix(b"\n").unwrap().to_vec()).unwrap();
    let leaf = sample.head().leaf;
    let leaf: String = leaf.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "BEGIN; SELECT SCHEMA.append('log', 0, decode(repeat('00', 32), 'hex'), decode('{leaf}', 'hex'), ARRAY[$line${line}$line$],
           null, null, null, null, null, null, null, null, null, null);
         SELECT pg_sleep(2.5); {then}"
    )
}

#[test]
fn what_an_earlier_process_left_on_its_way_is_waited_for_by_the_clock() {
    for (then, lands) in [("COMMIT", true), ("ROLLBACK", false)] {
        let place = Place::shared();
        drop(place.created("log"));
        let sample = Sample::after(Head::EMPTY).lines(1, "on its way");
        std::thread::scope(|scope| {
            let earlier = scope.spawn(|| place.attempt("writer", &left_behind(&sample, then)).unwrap());
            let sleeps =
                "SELECT count(*) FROM pg_stat_activity WHERE usename = 'SCHEMA_the_writer' AND wait_event = 'PgSleep'";
            assert!(wait_until(Duration::from_secs(10), || place.superuser(sleeps) == "1"));
            let early = place.writer("log").open(Instant::now() + Duration::from_millis(700));
            assert!(matches!(early, Err(BackendError::Unavailable { .. })), "{early:?}");
            let head = place.writer("log").open(soon()).unwrap().head;
            assert_eq!(head, if lands { sample.head() } else { Head::EMPTY });
            earlier.join().unwrap();
        });
    }
}

#[test]
fn triggers_that_are_missing_disabled_or_foreign_are_refused() {
    for (change, word) in [
        ("ALTER TABLE SCHEMA.lines DISABLE TRIGGER lines_only_grow", "ENABLE ALWAYS TRIGGER lines_only_grow"),
        ("ALTER TABLE SCHEMA.lines ENABLE TRIGGER lines_only_grow", "does not fire always"),
        ("DROP TRIGGER heads_move_forward ON SCHEMA.heads", "heads_move_forward on"),
        (
            "CREATE TRIGGER sneaky BEFORE INSERT ON SCHEMA.lines FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "none of this log's",
        ),
        (
            "CREATE OR REPLACE TRIGGER lines_only_grow BEFORE UPDATE ON SCHEMA.lines FOR EACH STATEMENT EXECUTE FUNCTION SCHEMA.refuse_change();
             ALTER TABLE SCHEMA.lines ENABLE ALWAYS TRIGGER lines_only_grow",
            "not the one that was installed",
        ),
    ] {
        let place = Place::shared();
        place.superuser(change);
        is_refused(&place, &[word]);
    }
}

#[test]
fn functions_with_another_body_or_owner_are_refused() {
    for (change, word) in [
        (
            "CREATE OR REPLACE FUNCTION SCHEMA.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "refuse_change is not the one",
        ),
        ("ALTER FUNCTION SCHEMA.append OWNER TO postgres", "append is not owned by the owner of the tables"),
        ("ALTER FUNCTION SCHEMA.append SECURITY INVOKER", "append is not the one"),
        ("ALTER FUNCTION SCHEMA.append RESET search_path", "append is not the one"),
        ("DROP FUNCTION SCHEMA.discard", "not exactly one function"),
    ] {
        let place = Place::shared();
        place.superuser(change);
        is_refused(&place, &[word]);
    }
}

#[test]
fn tables_that_a_crash_empties_or_rules_that_rewrite_are_refused() {
    for (change, word) in [
        ("ALTER TABLE SCHEMA.lines SET UNLOGGED", "SET LOGGED"),
        ("CREATE RULE nothing AS ON INSERT TO SCHEMA.lines DO INSTEAD NOTHING", "rules or row security"),
        ("ALTER TABLE SCHEMA.lines ENABLE ROW LEVEL SECURITY", "rules or row security"),
    ] {
        let place = Place::shared();
        place.superuser(change);
        is_refused(&place, &[word]);
    }
}

#[test]
fn commits_that_do_not_wait_for_the_disk_are_refused() {
    let place = Place::shared();
    place.superuser(&format!("ALTER ROLE {} SET synchronous_commit = off", place.role("writer")));
    is_refused(&place, &["synchronous_commit = off", "set it to on"]);
}

#[test]
fn a_server_without_fsync_or_full_pages_is_refused() {
    let place = Place::own(&[("fsync", "off"), ("full_page_writes", "off")]);
    is_refused(&place, &["fsync = off", "full_page_writes = off"]);
}

#[test]
fn a_role_whose_transactions_are_read_only_is_refused() {
    let place = Place::shared();
    place.superuser(&format!("ALTER ROLE {} SET default_transaction_read_only = on", place.role("writer")));
    is_refused(&place, &["default_transaction_read_only"]);
}

#[test]
fn a_database_without_the_schema_or_with_another_version_is_refused() {
    let place = Place::shared();
    place.superuser("INSERT INTO SCHEMA.schema_version (version) VALUES (7)");
    is_refused(&place, &["version 7", "newer release"]);
    let mut elsewhere = place.options();
    elsewhere[0].1 = "not_installed".to_owned();
    let mut writer = Postgres::from_url(&place.url("writer", "log"), &elsewhere).unwrap();
    let said = writer.open(soon()).unwrap_err().to_string();
    assert!(said.contains("there is no schema not_installed"), "{said}");
}

#[test]
fn what_goes_wrong_while_a_log_is_open_becomes_a_concern() {
    let place = Place::shared();
    let mut writer = place.created("log");
    let mut synchronizer = writer.synchronizer().unwrap();
    assert_eq!(synchronizer.inspect(soon()).unwrap(), Vec::new());
    place.superuser(&format!(
        "ALTER TABLE SCHEMA.lines DISABLE TRIGGER lines_only_grow; GRANT DELETE ON SCHEMA.checkpoints TO {}",
        place.role("writer")
    ));
    let found: Vec<String> = synchronizer.inspect(soon()).unwrap().into_iter().map(|it| it.setting).collect();
    assert_eq!(found, ["checkpoints.delete", "lines_only_grow"]);
}

#[test]
fn wrong_credentials_and_places_are_named() {
    let place = Place::shared();
    let wrong = place.password_file().with_file_name("wrong");
    std::fs::write(&wrong, "not the password\n").unwrap();
    let mut options = place.options();
    options[1].1 = wrong.display().to_string();
    let mut writer = Postgres::from_url(&place.url("writer", "log"), &options).unwrap();
    let error = writer.open(soon()).unwrap_err();
    assert!(matches!(error, BackendError::Misconfigured { .. }), "{error:?}");
    assert!(error.to_string().contains("password authentication failed"), "{error}");
    assert!(!error.to_string().contains("not the password"), "{error}");

    let url = place.url("writer", "log").replace("/postgres/", "/no_such_database/");
    let error = Postgres::from_url(&url, &place.options()).unwrap().open(soon()).unwrap_err();
    assert!(error.to_string().contains("check the database in the URL"), "{error}");
}

#[test]
fn a_log_belongs_to_the_role_that_created_it() {
    let place = Place::shared();
    drop(place.created("log"));
    let other = format!("{}_other", place.schema);
    place.superuser(&format!("CREATE ROLE {other} LOGIN PASSWORD '{}' IN ROLE SCHEMA_writer", Server::PASSWORD));
    let url = place.url("writer", "log").replace(&place.role("writer"), &other);
    let mut intruder = Postgres::from_url(&url, &place.options()).unwrap();
    let error = intruder.open(soon()).unwrap_err();
    assert!(
        matches!(&error, BackendError::Misconfigured { detail } if detail.contains("belongs to the role")),
        "{error}"
    );
    let appended = place.server.psql_as(
        &other,
        "postgres",
        &format!(
            "SELECT {}.append('log', 0, decode(repeat('00', 32), 'hex'), decode(repeat('01', 32), 'hex'), ARRAY['x'],
             null, null, null, null, null, null, null, null, null, null)",
            place.schema
        ),
    );
    assert!(appended.unwrap_err().to_string().contains("belongs to the role"));
}

#[test]
fn a_role_that_is_no_superuser_installs_the_same_schema_once() {
    let place = Place::shared();
    let (installer, database) = (format!("{}_installer", place.schema), format!("{}_elsewhere", place.schema));
    place.superuser(&format!("CREATE ROLE {installer} LOGIN CREATEROLE PASSWORD '{}'", Server::PASSWORD));
    place.server.create_database(&database).unwrap();
    place.superuser(&format!("GRANT CREATE ON DATABASE {database} TO {installer}"));
    let url = format!("postgres://{installer}@127.0.0.1:{}/{database}", place.port);
    let mut options = place.options();
    options[0].1 = format!("{}_more", place.schema);
    for _ in 0..2 {
        assert_eq!(install(&url, &options, Duration::from_secs(30)).unwrap(), SCHEMA_VERSION);
    }

    let writer = place.role("writer");
    place.superuser(&format!("GRANT {}_writer TO {writer}", options[0].1));
    let url = format!("postgres://{writer}@127.0.0.1:{}/{database}/log", place.port);
    let mut writer = Postgres::from_url(&url, &options).unwrap();
    writer.open(soon()).unwrap();
    writer.create(VERIFIER_KEY, soon()).unwrap();
}
