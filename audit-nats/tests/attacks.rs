//! What somebody with an administrator's rights can do to a stream, and who notices.

mod support;

use std::time::Duration;

use audit_core::Key;
use audit_core::backend::{Backend as _, BackendError, Concern, Head, Synchronizer};
use audit_core::conformance::Sample;
use audit_core::record::Frame;
use audit_core::verify::{Class, Finding, FindingKind, Lines, LogReader as _, Verdict, Verifier};
use real_servers::NatsSetup;
use support::admin::Admin;
use support::{ORIGIN, PATIENCE, Place, Result, debian, soon, write_log};

fn verify(place: &Place, log: &str) -> Result<Verdict> {
    Ok(Verifier::new().run(&place.reader(log)?))
}

/// The findings that weigh most, of one kind.
fn tampering(verdict: &Verdict, kind: FindingKind) -> Vec<&Finding> {
    verdict.findings.iter().filter(|it| it.class == Class::Tamper && it.kind == kind).collect()
}

/// What the open log is told about the stream.
fn concerns(synchronizer: &mut dyn Synchronizer) -> Result<Vec<Concern>> {
    Ok(synchronizer.inspect(soon())?)
}

fn names(concerns: &[Concern]) -> Vec<&str> {
    concerns.iter().map(|it| it.setting.as_str()).collect()
}

#[test]
fn a_log_that_nobody_touched_is_intact() -> Result {
    let servers = debian()?;
    let place = Place::create(&servers.addresses(), 1)?;
    let key = Key::generate(ORIGIN)?;
    for _ in 0..2 {
        write_log(place.log("payments/prod-1")?, &key, 200)?;
        let verdict = verify(&place, "payments/prod-1")?;
        assert_eq!(verdict.exit_code(), 0, "{}", verdict.to_json());
        assert!(verdict.records > 400 && verdict.signed == verdict.records, "{}", verdict.to_json());
    }
    let opened = place.log("payments/prod-1")?.open(soon())?;
    assert!(opened.signed_range.is_some() && opened.recovery.is_none(), "{opened:?}");
    Ok(())
}

#[test]
fn max_age_that_is_set_later_is_a_concern_and_what_expired_is_named() -> Result {
    let servers = debian()?;
    let place = Place::create(&servers.addresses(), 1)?;
    write_log(place.log("log")?, &Key::generate(ORIGIN)?, 50)?;
    let mut backend = place.log("log")?;
    let head = backend.open(soon())?.head;
    let mut synchronizer = backend.synchronizer()?;
    assert_eq!(concerns(synchronizer.as_mut())?, []);

    let admin = Admin::connect(&servers.addresses())?;
    admin.update(
        &place.stream,
        &[("max_age", 1_000_000_000_u64.into()), ("duplicate_window", 1_000_000_000_u64.into())],
    )?;
    let found = concerns(synchronizer.as_mut())?;
    assert!(names(&found).contains(&"max_age") && names(&found).contains(&"duplicate_window"), "{found:?}");

    let mut fronts = std::collections::BTreeSet::new();
    let expired = real_servers::wait_until(PATIENCE, || {
        let found = synchronizer.inspect(soon()).unwrap_or_default();
        fronts.extend(found.into_iter().map(|it| it.setting).filter(|it| it.starts_with("first_seq ")));
        !fronts.is_empty()
    });
    assert!(expired, "nothing expired");
    // What expires later is another concern: a log tells each once.
    admin.must(&format!("{}.other.lines", place.prefix), "expires later")?;
    let further = real_servers::wait_until(PATIENCE, || {
        let found = synchronizer.inspect(soon()).unwrap_or_default();
        fronts.extend(found.into_iter().map(|it| it.setting).filter(|it| it.starts_with("first_seq ")));
        fronts.len() > 1
    });
    assert!(further, "{fronts:?}");
    // When all of it is gone, nothing is appended as if the log began anew.
    let emptied = real_servers::wait_until(PATIENCE, || {
        admin.must(&format!("$JS.API.STREAM.INFO.{}", place.stream), "").is_ok_and(|it| it.contains("\"messages\":0"))
    });
    assert!(emptied, "not everything expired");
    let sample = Sample::after(head).lines(1, "after");
    let appended = backend.append(head, &sample.batch(), soon());
    assert!(matches!(appended, Err(BackendError::Tampered { .. })), "{appended:?}");
    let reopened = place.log("log")?.open(soon());
    let named = matches!(&reopened, Err(BackendError::Misconfigured { detail }) if detail.contains("`max_age`"));
    assert!(named, "{reopened:?}");
    Ok(())
}

#[test]
fn a_front_that_expired_is_told_by_the_verifier_with_the_numbers_of_the_records() -> Result {
    let servers = debian()?;
    let place = Place::create(&servers.addresses(), 1)?;
    let key = Key::generate(ORIGIN)?;
    write_log(place.log("log")?, &key, 20)?;
    let old = place.log("log")?.open(soon())?.head.size;
    // Old enough to expire, while what comes now has as long to live.
    std::thread::sleep(Duration::from_secs(5));
    write_log(place.log("log")?, &key, 20)?;
    let all = place.log("log")?.open(soon())?.head.size;
    let admin = Admin::connect(&servers.addresses())?;
    let five_seconds = 5_000_000_000_u64;
    admin.update(&place.stream, &[("max_age", five_seconds.into()), ("duplicate_window", five_seconds.into())])?;
    let expired = real_servers::wait_until(PATIENCE, || {
        place
            .reader("log")
            .and_then(|it| Ok(it.inspect()?))
            .is_ok_and(|it| it.iter().any(|it| it.detail.contains("`first_seq`")))
    });
    assert!(expired, "nothing expired");
    admin.update(&place.stream, &[("max_age", 0.into())])?;

    let verdict = verify(&place, "log")?;
    assert_eq!(verdict.exit_code(), 1, "{}", verdict.to_json());
    let hidden = tampering(&verdict, FindingKind::Hidden);
    assert!(hidden.iter().any(|it| it.detail.contains("`first_seq`")), "{}", verdict.to_json());
    let missing = tampering(&verdict, FindingKind::Missing);
    let gone = all - verdict.records;
    assert!(gone > 0 && gone <= old, "{gone} of {old}: {}", verdict.to_json());
    let named = missing.iter().any(|it| it.seq == Some(0) && it.to == Some(gone - 1));
    assert!(named, "{}", verdict.to_json());
    let reopened = place.log("log")?.open(soon());
    assert!(matches!(reopened, Err(BackendError::Tampered { .. })), "{reopened:?}");
    Ok(())
}

#[test]
fn a_stream_that_is_deleted_is_told_as_that_and_never_silently_begun_anew() -> Result {
    let servers = debian()?;
    let place = Place::create(&servers.addresses(), 1)?;
    let mut backend = place.created("log")?;
    let mut synchronizer = backend.synchronizer()?;
    let sample = Sample::after(Head::EMPTY).lines(3, "before");
    backend.append(Head::EMPTY, &sample.batch(), soon())?;

    let admin = Admin::connect(&servers.addresses())?;
    admin.must(&format!("$JS.API.STREAM.DELETE.{}", place.stream), "")?;
    let found = concerns(synchronizer.as_mut())?;
    assert_eq!(names(&found), ["stream"]);
    let more = Sample::after(sample.head()).lines(1, "after");
    let appended = backend.append(sample.head(), &more.batch(), soon());
    let told = matches!(&appended, Err(error @ BackendError::Unavailable { .. }) if error.to_string().contains("the stream is gone"));
    assert!(told, "{appended:?}");
    assert!(place.reader("log").is_err());

    // Made anew under the same name, it is not the same.
    place.new_stream()?.create(PATIENCE)?;
    let appended = backend.append(sample.head(), &more.batch(), soon());
    assert!(matches!(appended, Err(BackendError::Tampered { .. })), "{appended:?}");
    let found = concerns(synchronizer.as_mut())?;
    assert!(names(&found).contains(&"created"), "{found:?}");
    Ok(())
}

#[test]
fn every_setting_that_changes_is_a_concern_under_its_own_name() -> Result {
    let servers = debian()?;
    let place = Place::create(&servers.addresses(), 1)?;
    let mut backend = place.created("log")?;
    let mut synchronizer = backend.synchronizer()?;
    let admin = Admin::connect(&servers.addresses())?;
    admin.update(&place.stream, &[("max_bytes", 1_000_000_000_u64.into())])?;
    assert_eq!(names(&concerns(synchronizer.as_mut())?), ["max_bytes"]);
    admin.update(&place.stream, &[("discard", "old".into())])?;
    let found = concerns(synchronizer.as_mut())?;
    assert!(names(&found).contains(&"discard") && names(&found).contains(&"max_bytes"), "{found:?}");
    admin.update(&place.stream, &[("discard", "new".into()), ("max_bytes", (-1).into())])?;
    assert_eq!(concerns(synchronizer.as_mut())?, []);
    Ok(())
}

#[test]
fn messages_that_were_deleted_inside_are_hidden_and_named() -> Result {
    // Where `deny_delete` was not set from the start, deleting works; then only the verifier notices.
    let servers = NatsSetup::newest()?.start()?;
    let place = Place::of(&servers.addresses());
    let settings = place.new_stream()?.to_json().replace("\"deny_delete\": true", "\"deny_delete\": false");
    support::admin::make_stream(&servers, &place.stream, &settings)?;
    let admin = Admin::connect(&servers.addresses())?;
    // Published by hand: no log would be opened in such a stream.
    let sample = Sample::after(Head::EMPTY).lines(9, "by hand");
    admin.must(&format!("{}.log.key", place.prefix), audit_core::conformance::VERIFIER_KEY)?;
    for at in 0..9 {
        admin.must(&format!("{}.log.lines", place.prefix), &String::from_utf8_lossy(sample.nth(at)))?;
    }
    admin.must(&format!("$JS.API.STREAM.MSG.DELETE.{}", place.stream), "{\"seq\":5}")?;

    let verdict = verify(&place, "log")?;
    let hidden = tampering(&verdict, FindingKind::Hidden);
    assert!(hidden.iter().any(|it| it.detail.contains("deleted: 5")), "{}", verdict.to_json());
    assert!(tampering(&verdict, FindingKind::Missing).iter().any(|it| it.seq == Some(3)), "{}", verdict.to_json());
    let unsafe_setting = verdict.findings.iter().find(|it| it.detail.contains("`deny_delete`"));
    assert_eq!(unsafe_setting.map(|it| it.class), Some(Class::Warning), "{}", verdict.to_json());
    Ok(())
}

#[test]
fn what_was_published_beside_the_log_is_found() -> Result {
    let servers = debian()?;
    let place = Place::create(&servers.addresses(), 1)?;
    write_log(place.log("log")?, &Key::generate(ORIGIN)?, 3)?;
    let admin = Admin::connect(&servers.addresses())?;
    admin.must(&format!("{}.log.key", place.prefix), "another+00+AA==")?;
    admin.must(&format!("{}.log.elsewhere", place.prefix), "what is this")?;
    let findings = place.reader("log")?.inspect()?;
    assert!(findings.iter().any(|it| it.kind == FindingKind::WrongKey && it.class == Class::Tamper), "{findings:?}");
    assert!(findings.iter().any(|it| it.detail.contains("elsewhere")), "{findings:?}");
    Ok(())
}

#[test]
fn lines_of_somebody_else_at_the_end_are_not_chained_to() -> Result {
    let servers = debian()?;
    let place = Place::create(&servers.addresses(), 1)?;
    let mut backend = place.created("log")?;
    let sample = Sample::after(Head::EMPTY).lines(3, "ours");
    backend.append(Head::EMPTY, &sample.batch(), soon())?;
    let admin = Admin::connect(&servers.addresses())?;
    admin.must(&format!("{}.log.lines", place.prefix), "not a line\n")?;

    let more = Sample::after(sample.head()).lines(1, "more");
    let appended = backend.append(sample.head(), &more.batch(), soon());
    assert!(matches!(appended, Err(BackendError::Conflict { .. })), "{appended:?}");
    let reopened = place.log("log")?.open(soon());
    assert!(matches!(reopened, Err(BackendError::Tampered { .. })), "{reopened:?}");
    Ok(())
}

#[test]
fn a_log_is_found_below_its_fleet_and_its_stream() -> Result {
    let servers = debian()?;
    let place = Place::create(&servers.addresses(), 1)?;
    for log in ["payments/prod-1", "payments/prod-2", "ledger"] {
        place.created(log)?;
    }
    let list = |log: &str| audit_nats::logs(&place.url(log), &place.options);
    let urls = |logs: &[&str]| logs.iter().map(|log| place.url(log)).collect::<Vec<_>>();
    assert_eq!(list("")?, urls(&["ledger", "payments/prod-1", "payments/prod-2"]));
    assert_eq!(list("payments")?, urls(&["payments/prod-1", "payments/prod-2"]));
    assert_eq!(list("ledger")?, urls(&["ledger"]));
    assert_eq!(list("nobody")?, Vec::<String>::new());
    let elsewhere = audit_nats::logs(&format!("{}/NOWHERE", place.servers), &[]);
    assert!(elsewhere.is_err());
    Ok(())
}

#[test]
fn of_many_checkpoints_those_are_read_that_are_spread_over_the_log() -> Result {
    let servers = debian()?;
    let place = Place::create(&servers.addresses(), 1)?;
    let mut backend = place.created("log")?;
    let mut synchronizer = backend.synchronizer()?;
    let sample = Sample::after(Head::EMPTY).lines(300, "signed again and again");
    backend.append(Head::EMPTY, &sample.batch(), soon())?;
    for size in 1..=300 {
        synchronizer.publish(&sample.checkpoint(size), &sample.range(size), soon())?;
    }
    let kept = place.reader("log")?.kept_checkpoints()?;
    assert!((32..=64).contains(&kept.len()), "{}", kept.len());
    assert!(kept.windows(2).all(|pair| pair[0].1 != pair[1].1));
    Ok(())
}

#[test]
fn a_long_log_is_verified_in_seconds() -> Result {
    let servers = debian()?;
    let place = Place::create(&servers.addresses(), 1)?;
    let mut backend = place.created("log")?;
    let mut head = Head::EMPTY;
    // Messages of all sizes, and those of another log between them.
    let mut other = place.created("other")?;
    let mut other_head = Head::EMPTY;
    for round in 0..200 {
        let sample = Sample::after(head).lines(1 + (round * 37) % 400, "one of many");
        backend.append(head, &sample.batch(), soon())?;
        head = sample.head();
        let beside = Sample::after(other_head).lines(1, "beside");
        other.append(other_head, &beside.batch(), soon())?;
        other_head = beside.head();
    }
    let reader = place.reader("log")?;
    assert_eq!(reader.size()?, head.size);
    let started = std::time::Instant::now();
    let verdict = Verifier::new().run(&reader);
    assert_eq!(verdict.records, head.size, "{}", verdict.to_json());
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());

    // Any line is found, and those behind it follow.
    for from in [0, 1, 5_000, head.size - 1, head.size] {
        let mut lines = Lines::new(reader.lines(from)?);
        let first = lines.next_line()?.map(|line| Frame::parse(line).map(|frame| frame.seq)).transpose()?;
        assert_eq!(first, (from < head.size).then_some(from));
    }
    Ok(())
}
