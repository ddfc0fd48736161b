use std::sync::Arc;
use std::time::{Duration, Instant};

use audit_core::backend::{Backend as _, BackendError, Batch, Head};
use audit_core::conformance::Sample;
use audit_postgres::Postgres;
use real_servers::{Mode, Postgres as Server, Proxy, wait_until};

use crate::fixture::{Place, soon};

/// How much later than its deadline a call may return on a busy machine.
const GRACE: Duration = Duration::from_secs(2);

fn within(time: Duration) -> Instant {
    Instant::now() + time
}

/// A created log behind a wire that can be cut.
fn behind_proxy() -> (Place, Proxy, Postgres) {
    let mut place = Place::shared();
    let proxy = Proxy::start(place.port).unwrap();
    place.port = proxy.port();
    let writer = place.created("log");
    (place, proxy, writer)
}

/// Appends as a log does: the same batch again until there is an answer that lasts.
fn append_at_last(writer: &mut Postgres, expected: Head, batch: &Batch<'_>) {
    let until = soon();
    loop {
        match writer.append(expected, batch, within(Duration::from_secs(3))) {
            Ok(_) => return,
            Err(error) => assert!(error.is_retryable() && Instant::now() < until, "{error:?}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_was_acknowledged_outlives_a_server_that_is_killed_again_and_again() {
    let mut place = Place::own(&[]);
    let mut writer = place.created("log");
    let server = Arc::get_mut(&mut place.server).unwrap();
    let (mut all, mut head) = (Vec::new(), Head::EMPTY);
    std::thread::scope(|scope| {
        let killer = scope.spawn(move || {
            for _ in 0..4 {
                std::thread::sleep(Duration::from_millis(250));
                server.kill();
                server.restart().unwrap();
            }
        });
        let mut round = 0;
        while !killer.is_finished() {
            let sample = Sample::after(head).lines(1 + round % 40, &format!("round {round}"));
            append_at_last(&mut writer, head, &sample.batch());
            all.extend_from_slice(sample.bytes());
            head = sample.head();
            round += 1;
        }
    });
    assert!(head.size > 100, "{head:?}");
    let mut again = place.writer("log");
    assert_eq!(again.open(soon()).unwrap().head, head);
    let mut found = Vec::new();
    let mut next = 0;
    while next < head.size {
        let lines = again.read(next..head.size, soon()).unwrap();
        next += lines.iter().filter(|byte| **byte == b'\n').count() as u64;
        found.extend_from_slice(&lines);
    }
    assert!(found == all);
}

/// Holds the head row for a while, as another transaction would.
fn hold(server: &Server, schema: &str, seconds: f64) {
    let sql = format!("BEGIN; SELECT FROM {schema}.heads FOR UPDATE; SELECT pg_sleep({seconds}); COMMIT");
    // The server may be stopped meanwhile.
    let _ = server.psql(&sql);
}

#[test]
fn a_restart_in_the_middle_of_a_transaction_leaves_all_of_a_batch_or_nothing() {
    let mut place = Place::own(&[]);
    let mut writer = place.created("log");
    let sample = Sample::after(Head::EMPTY).lines(500, "in one transaction");
    let holder = {
        let (server, schema) = (Arc::clone(&place.server), place.schema.clone());
        std::thread::spawn(move || hold(&server, &schema, 5.0))
    };
    let waiting = || {
        place.superuser(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%.append(%' AND wait_event_type = 'Lock'",
        ) == "1"
    };
    let appended = std::thread::scope(|scope| {
        std::thread::sleep(Duration::from_millis(300));
        let appending = scope.spawn(|| writer.append(Head::EMPTY, &sample.batch(), soon()));
        assert!(wait_until(Duration::from_secs(10), waiting), "nothing waits for the head row");
        place.superuser("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename <> ''");
        appending.join().unwrap()
    });
    assert!(matches!(appended, Err(BackendError::Unknown { .. })), "{appended:?}");
    holder.join().unwrap();
    Arc::get_mut(&mut place.server).unwrap().restart().unwrap();
    assert_eq!(place.superuser("SELECT count(*) FROM SCHEMA.lines"), "0");
    append_at_last(&mut writer, Head::EMPTY, &sample.batch());
    assert_eq!(place.superuser("SELECT count(*) FROM SCHEMA.lines"), "500");
}

#[test]
fn a_server_that_accepts_and_never_answers_is_a_typed_error_by_the_deadline() {
    let (place, proxy, mut writer) = behind_proxy();
    let sample = Sample::after(Head::EMPTY).lines(3, "held");
    proxy.set(Mode::Hang);
    let started = Instant::now();
    let appended = writer.append(Head::EMPTY, &sample.batch(), within(Duration::from_millis(400)));
    assert!(matches!(appended, Err(BackendError::Unknown { .. })), "{appended:?}");
    let head = writer.head(within(Duration::from_millis(400)));
    assert!(matches!(head, Err(BackendError::Unavailable { .. })), "{head:?}");
    let opened = place.writer("log").open(within(Duration::from_millis(400)));
    assert!(matches!(opened, Err(BackendError::Unavailable { .. })), "{opened:?}");
    assert!(started.elapsed() < Duration::from_millis(1_200) + GRACE, "{:?}", started.elapsed());
    proxy.set(Mode::Pass);
    append_at_last(&mut writer, Head::EMPTY, &sample.batch());
    assert_eq!(writer.read(0..9, soon()).unwrap(), sample.bytes());
}

#[test]
fn a_batch_whose_acknowledgement_was_lost_is_recognised() {
    let (place, proxy, mut writer) = behind_proxy();
    let sample = Sample::after(Head::EMPTY).lines(3, "landed");
    writer.head(soon()).unwrap();
    proxy.set(Mode::HangAnswers);
    let appended = writer.append(Head::EMPTY, &sample.batch(), within(Duration::from_millis(500)));
    assert!(matches!(appended, Err(BackendError::Unknown { .. })), "{appended:?}");
    assert!(wait_until(Duration::from_secs(10), || place.superuser("SELECT count(*) FROM SCHEMA.lines") == "3"));
    proxy.set(Mode::Pass);
    append_at_last(&mut writer, Head::EMPTY, &sample.batch());
    assert_eq!(place.superuser("SELECT count(*) FROM SCHEMA.lines"), "3");
}

#[test]
fn sockets_that_are_cut_or_slow_cost_time_only() {
    let (_place, proxy, mut writer) = behind_proxy();
    let (mut head, mut all) = (Head::EMPTY, Vec::new());
    for round in 0..12 {
        match round % 4 {
            0 => proxy.cut(),
            1 => proxy.set(Mode::Slow(Duration::from_millis(30))),
            2 => proxy.set(Mode::Refuse),
            _ => proxy.set(Mode::Pass),
        }
        let sample = Sample::after(head).lines(5, &format!("round {round}"));
        if round % 4 == 2 {
            let refused = writer.append(head, &sample.batch(), within(Duration::from_secs(1)));
            assert!(
                matches!(refused, Err(BackendError::Unavailable { .. } | BackendError::Unknown { .. })),
                "{refused:?}"
            );
            proxy.set(Mode::Pass);
        }
        append_at_last(&mut writer, head, &sample.batch());
        head = sample.head();
        all.extend_from_slice(sample.bytes());
    }
    assert!(writer.read(0..99, soon()).unwrap() == all);
}

#[test]
fn a_statement_that_is_given_up_is_cancelled_and_its_connection_closed() {
    let place = Place::shared();
    let mut writer = place.created("log");
    let sample = Sample::after(Head::EMPTY).lines(3, "waits");
    std::thread::scope(|scope| {
        let holder = scope.spawn(|| hold(&place.server, &place.schema, 8.0));
        std::thread::sleep(Duration::from_millis(300));
        let appended = writer.append(Head::EMPTY, &sample.batch(), within(Duration::from_millis(300)));
        assert!(matches!(appended, Err(BackendError::Unknown { .. })), "{appended:?}");
        let count =
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%SCHEMA.append(%' AND pid <> pg_backend_pid()";
        assert!(wait_until(Duration::from_secs(5), || place.superuser(count) == "0"), "{}", place.superuser(count));
        assert!(!holder.is_finished(), "the row was let go too early to tell");
        holder.join().unwrap();
    });
    append_at_last(&mut writer, Head::EMPTY, &sample.batch());
}

#[test]
fn a_pool_opens_no_more_connections_than_it_may_and_callers_wait_by_the_clock() {
    let place = Place::shared();
    drop(place.created("log"));
    let mut options = place.options();
    options.push(("pool".to_owned(), "1".to_owned()));
    let mut writer = Postgres::from_url(&place.url("writer", "log"), &options).unwrap();
    writer.open(soon()).unwrap();
    let mut reader = writer.reader().unwrap();
    let sample = Sample::after(Head::EMPTY).lines(1, "has the connection");
    std::thread::scope(|scope| {
        scope.spawn(|| hold(&place.server, &place.schema, 1.5));
        std::thread::sleep(Duration::from_millis(300));
        let appending = scope.spawn(|| writer.append(Head::EMPTY, &sample.batch(), soon()));
        std::thread::sleep(Duration::from_millis(200));
        let read = reader.read(0..1, within(Duration::from_millis(200)));
        assert!(matches!(read, Err(BackendError::Unavailable { .. })), "{read:?}");
        let count = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'SCHEMA_the_writer'";
        assert_eq!(place.superuser(count), "1");
        appending.join().unwrap().unwrap();
    });
    assert_eq!(reader.read(0..1, soon()).unwrap(), sample.bytes());
}

fn standbys(place: &Place, names: &str) {
    place.superuser(&format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'"));
    place.superuser("SELECT pg_reload_conf()");
    assert!(wait_until(Duration::from_secs(10), || place.superuser("SHOW synchronous_standby_names") == names));
}

#[test]
fn a_commit_that_waits_for_a_standby_says_so_and_is_not_acknowledged_without_one() {
    let place = Place::own(&[]);
    let mut writer = place.created("log");
    assert_eq!(writer.capabilities().machines, 1);
    // The settings of a server with standbys, of which none is there.
    standbys(&place, "*");
    writer.open(soon()).unwrap();
    assert_eq!(writer.capabilities().machines, 2);
    let mut synchronizer = writer.synchronizer().unwrap();
    let sample = Sample::after(Head::EMPTY).lines(2, "waits for a standby");
    for _ in 0..2 {
        // The second time its lines are there, and still on one machine only.
        let appended = writer.append(Head::EMPTY, &sample.batch(), within(Duration::from_millis(400)));
        assert!(matches!(appended, Err(BackendError::Unknown { .. })), "{appended:?}");
    }
    assert_eq!(synchronizer.inspect(soon()).unwrap(), Vec::new());
    standbys(&place, "");
    assert_eq!(synchronizer.inspect(soon()).unwrap()[0].setting, "synchronous_standby_names");
    // Opened again it is a log on one machine, and says so.
    assert_eq!(writer.open(soon()).unwrap().head, sample.head());
    assert_eq!(writer.capabilities().machines, 1);
    append_at_last(&mut writer, Head::EMPTY, &sample.batch());
    assert_eq!(writer.read(0..9, soon()).unwrap(), sample.bytes());
}

#[test]
fn nothing_is_acknowledged_as_replicated_from_the_moment_that_commits_wait_for_no_standby() {
    let place = Place::own(&[]);
    let mut standby = place.server.standby().unwrap();
    standbys(&place, "*");
    let mut writer = place.created("log");
    assert_eq!(writer.capabilities().machines, 2);
    let first = Sample::after(Head::EMPTY).lines(2, "on two machines");
    writer.append(Head::EMPTY, &first.batch(), soon()).unwrap();
    standbys(&place, "");
    let second = Sample::after(first.head()).lines(2, "on one machine");
    for _ in 0..2 {
        let error = writer.append(first.head(), &second.batch(), soon()).unwrap_err();
        assert!(matches!(error, BackendError::Unknown { .. }), "{error:?}");
        assert!(error.to_string().contains("set synchronous_standby_names again"), "{error}");
    }
    // Repaired while the log waits: its lines are recognised, and by then on both.
    standbys(&place, "*");
    append_at_last(&mut writer, first.head(), &second.batch());
    assert_eq!(writer.head(soon()).unwrap(), second.head());
    standby.kill();
}

#[test]
fn a_server_that_is_stopped_where_it_stands_is_waited_for_by_the_clock() {
    let place = Place::own(&[]);
    let mut writer = place.created("log");
    place.server.process().unwrap().freeze();
    // The postmaster is frozen: what is connected goes on, new connections hang.
    let started = Instant::now();
    let opened = place.writer("log").open(within(Duration::from_millis(500)));
    assert!(matches!(opened, Err(BackendError::Unavailable { .. })), "{opened:?}");
    assert!(started.elapsed() < Duration::from_millis(500) + GRACE);
    place.server.process().unwrap().thaw();
    append_at_last(&mut writer, Head::EMPTY, &Sample::after(Head::EMPTY).lines(1, "thawed").batch());
}

#[test]
fn a_server_that_is_absent_is_unavailable() {
    let mut place = Place::own(&[]);
    Arc::get_mut(&mut place.server).unwrap().kill();
    let opened = place.writer("log").open(soon());
    assert!(matches!(&opened, Err(error @ BackendError::Unavailable { .. }) if error.is_retryable()), "{opened:?}");
}

#[test]
fn a_password_that_changes_while_running_is_named_and_can_be_repaired() {
    let (place, proxy, mut writer) = behind_proxy();
    let role = place.role("writer");
    place.superuser(&format!("ALTER ROLE {role} PASSWORD 'another'"));
    proxy.cut();
    let sample = Sample::after(Head::EMPTY).lines(1, "repaired");
    let said = |writer: &mut Postgres| match writer.append(Head::EMPTY, &sample.batch(), soon()) {
        Err(error @ BackendError::Unavailable { .. }) => error.to_string(),
        other => format!("{other:?}"),
    };
    // The first call may still meet the connection that was cut.
    let named = wait_until(Duration::from_secs(10), || said(&mut writer).contains("password authentication failed"));
    assert!(named, "{}", said(&mut writer));
    place.superuser(&format!("ALTER ROLE {role} PASSWORD '{}'", Server::PASSWORD));
    append_at_last(&mut writer, Head::EMPTY, &sample.batch());
}

#[test]
fn rights_that_are_taken_away_while_running_are_named() {
    let place = Place::shared();
    let mut writer = place.created("log");
    place.superuser("REVOKE EXECUTE ON FUNCTION SCHEMA.append FROM SCHEMA_writer");
    let error = writer.append(Head::EMPTY, &Sample::after(Head::EMPTY).lines(1, "x").batch(), soon()).unwrap_err();
    assert!(matches!(error, BackendError::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("permission denied for function append"), "{error}");
}

#[test]
fn an_index_that_refuses_a_line_is_named_with_what_to_do() {
    let place = Place::shared();
    let mut writer = place.created("log");
    place.superuser("CREATE INDEX too_wide ON SCHEMA.lines (line)");
    let noise: String = (0..400).map(|_| format!("{:x}", fastrand::u64(..))).collect();
    let sample = Sample::after(Head::EMPTY).lines(1, &noise);
    let error = writer.append(Head::EMPTY, &sample.batch(), soon()).unwrap_err();
    assert!(matches!(error, BackendError::Unavailable { .. }), "{error:?}");
    let said = error.to_string();
    assert!(said.contains("too_wide") && said.contains("left(resource, 200)"), "{said}");
    place.superuser("DROP INDEX SCHEMA.too_wide");
    append_at_last(&mut writer, Head::EMPTY, &sample.batch());
}

#[test]
fn a_log_whose_head_row_vanishes_stops() {
    let place = Place::shared();
    let mut writer = place.created("log");
    place.superuser("ALTER TABLE SCHEMA.heads DISABLE TRIGGER ALL; DELETE FROM SCHEMA.heads");
    let error = writer.append(Head::EMPTY, &Sample::after(Head::EMPTY).lines(1, "x").batch(), soon()).unwrap_err();
    assert!(matches!(error, BackendError::Tampered { .. }), "{error:?}");
}

#[test]
fn an_open_store_is_dropped_inside_of_a_runtime_without_blocking_it() {
    let place = Place::shared();
    let mut writer = place.created("log");
    let reader = writer.reader().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async move {
        drop(writer);
        drop(reader);
    });
}
