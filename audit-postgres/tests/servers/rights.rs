use audit_core::backend::{Backend as _, Head};
use audit_core::conformance::Sample;

use crate::fixture::{Place, soon};

#[test]
fn the_writer_can_do_nothing_but_append_and_read() {
    let place = Place::shared();
    let mut writer = place.created("log");
    let sample = Sample::after(Head::EMPTY).lines(3, "there");
    writer.append(Head::EMPTY, &sample.batch(), soon()).unwrap();

    for attack in [
        "UPDATE SCHEMA.lines SET line = 'x'",
        "DELETE FROM SCHEMA.lines",
        "TRUNCATE SCHEMA.lines",
        "INSERT INTO SCHEMA.lines (log, seq, line) VALUES ('log', 3, 'x')",
        "MERGE INTO SCHEMA.lines USING (SELECT 1) AS one ON true WHEN MATCHED THEN DELETE",
        "ALTER TABLE SCHEMA.lines DISABLE TRIGGER ALL",
        "ALTER TABLE SCHEMA.lines DISABLE TRIGGER lines_only_grow",
        "ALTER TABLE SCHEMA.lines SET UNLOGGED",
        "DROP TRIGGER lines_only_grow ON SCHEMA.lines",
        "DROP TABLE SCHEMA.lines",
        "DROP SCHEMA SCHEMA CASCADE",
        "CREATE TABLE SCHEMA.mine (x integer)",
        "CREATE TRIGGER mine BEFORE INSERT ON SCHEMA.lines FOR EACH ROW EXECUTE FUNCTION SCHEMA.refuse_change()",
        "CREATE RULE mine AS ON INSERT TO SCHEMA.lines DO INSTEAD NOTHING",
        "UPDATE SCHEMA.heads SET next_seq = 0",
        "DELETE FROM SCHEMA.heads",
        "INSERT INTO SCHEMA.heads (log, verifier_key, writer) VALUES ('other', 'key', 'postgres')",
        "UPDATE SCHEMA.checkpoints SET note = 'x'",
        "DELETE FROM SCHEMA.checkpoints",
        "INSERT INTO SCHEMA.checkpoints (log, size, note, peaks) VALUES ('log', 1, 'x', '')",
        "INSERT INTO SCHEMA.outbox (id, log, time, event) VALUES (gen_random_uuid(), 'log', now(), '{}')",
        "DELETE FROM SCHEMA.outbox",
        "SET ROLE SCHEMA_owner",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION SCHEMA.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "SELECT SCHEMA.commit_durably()",
        "GRANT SCHEMA_owner TO CURRENT_USER",
    ] {
        let attack = attack.replace("SCHEMA SCHEMA", &format!("SCHEMA {}", place.schema));
        let attack = attack.replace("SCHEMA_owner", &format!("{}_owner", place.schema));
        for login in ["writer", "reader"] {
            let refused = place.attempt(login, &attack.replace("DROP SCHEMA ", "DROP schema ")).unwrap_err();
            let known = ["permission denied", "must be owner", "must have admin option"];
            assert!(known.iter().any(|words| refused.contains(words)), "{login}, {attack}: {refused}");
        }
    }
    assert_eq!(writer.read(0..9, soon()).unwrap(), sample.bytes());
}

#[test]
fn the_reader_can_read_and_not_append() {
    let place = Place::shared();
    drop(place.created("log"));
    assert_eq!(place.attempt("reader", "SELECT count(*) FROM SCHEMA.lines").unwrap(), "0");
    for call in [
        "create_log('x', 'y')",
        "put('log', '{\"action\":\"x\"}')",
        "publish('log', 0, 'x', '')",
        "discard('log', '{}')",
    ] {
        let refused = place.attempt("reader", &format!("SELECT SCHEMA.{call}")).unwrap_err();
        assert!(refused.contains("permission denied for function"), "{refused}");
    }
    assert!(place.attempt("reader", "SELECT * FROM SCHEMA.outbox").unwrap_err().contains("permission denied"));
}

#[test]
fn the_owner_meets_triggers_that_fire_always() {
    let place = Place::shared();
    let mut writer = place.created("log");
    let sample = Sample::after(Head::EMPTY).lines(3, "there");
    writer.append(Head::EMPTY, &sample.batch(), soon()).unwrap();
    for attack in [
        "UPDATE SCHEMA.lines SET line = 'x'",
        "DELETE FROM SCHEMA.lines",
        "TRUNCATE SCHEMA.lines",
        "DELETE FROM SCHEMA.checkpoints",
        "UPDATE SCHEMA.heads SET next_seq = 1",
        "DELETE FROM SCHEMA.heads",
    ] {
        let refused = place.attempt("admin", attack).unwrap_err();
        assert!(refused.contains("only grows") || refused.contains("only moves forward"), "{attack}: {refused}");
    }
    let replica =
        place.server.psql(&format!("SET session_replication_role = replica; DELETE FROM {}.lines", place.schema));
    assert!(replica.unwrap_err().to_string().contains("only grows"));
}

#[test]
fn an_append_without_lines_or_with_others_than_it_numbers_is_refused_and_leaves_the_outbox_alone() {
    let place = Place::shared();
    drop(place.created("log"));
    let id = place.attempt("writer", r#"SELECT SCHEMA.put('log', '{"action":"refund"}')"#).unwrap();
    for lines in ["'{}'", "NULL", "'[5:6]={a,b}'", "'[0:1]={a,b}'", "'{{a,b},{c,d}}'", "'[-5:-5]={a}'"] {
        let append = format!(
            "SELECT SCHEMA.append('log', 0, decode(repeat('00', 32), 'hex'), decode(repeat('01', 32), 'hex'), {lines},
               null, '{{event,event}}', '{{{id},{id}}}', null, null, null, null, null, null, null)"
        );
        let refused = place.attempt("writer", &append).unwrap_err();
        assert!(refused.contains("an array of one dimension"), "{lines}: {refused}");
    }
    // Not even its own: an event that no line records stays.
    let other =
        "SELECT SCHEMA.append('log', 0, decode(repeat('00', 32), 'hex'), decode(repeat('01', 32), 'hex'), '{a}',
               null, '{intent}', '{ID}', null, null, null, null, null, null, null)";
    place.attempt("writer", &other.replace("ID", &id)).unwrap();
    assert_eq!(place.superuser("SELECT count(*) FROM SCHEMA.outbox"), "1");
    assert_eq!(place.superuser("SELECT count(*), max(seq) FROM SCHEMA.lines"), "1|0");
}
