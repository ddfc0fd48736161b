//! Servers that are absent, hang, are slow or vanish: a typed error by the deadline, and no line twice.

use std::time::{Duration, Instant};

use audit_core::backend::{Backend, BackendError, Head};
use audit_core::conformance::Sample;
use audit_core::verify::{Class, Finding, LogReader as _, ReadError};
use audit_s3::{S3, S3Reader};
use real_servers::{Mode, Proxy, free_port};

use crate::fixture::{Scene, ceph, moto, soon, within};

/// How much later than its deadline a call may return on a busy machine.
const GRACE: Duration = Duration::from_millis(1_500);

/// A log on moto, reached through a wire.
fn wired() -> (Scene, Proxy, S3) {
    let scene = Scene::on_moto();
    let proxy = Proxy::start(moto().port()).expect("the wire is there");
    let scene = scene.with("endpoint", &format!("http://127.0.0.1:{}", proxy.port()));
    let writer = scene.created();
    (scene, proxy, writer)
}

#[track_caller]
fn in_time<T>(milliseconds: u64, call: impl FnOnce(Instant) -> T) -> T {
    let deadline = within(milliseconds);
    let result = call(deadline);
    assert!(Instant::now() < deadline + GRACE, "the call returned too late");
    result
}

#[test]
fn an_absent_server_is_unavailable_at_once() {
    let port = free_port().expect("a port");
    let scene = Scene::on_moto().with("endpoint", &format!("http://127.0.0.1:{port}"));
    let started = Instant::now();
    let opened = scene.writer().open(soon());
    assert!(started.elapsed() < Duration::from_secs(5));
    match opened {
        Err(error @ BackendError::Unavailable { .. }) => {
            assert!(error.to_string().contains("no connection to the store"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    let read = S3Reader::from_url(&scene.url(), &scene.options);
    assert!(matches!(read, Err(ReadError::Unavailable { .. })), "{read:?}");
}

#[test]
fn a_server_that_never_answers_costs_no_more_than_the_deadline() {
    let (scene, proxy, mut writer) = wired();
    proxy.set(Mode::Hang);
    let sample = Sample::after(Head::EMPTY).lines(2, "held");
    let appended = in_time(400, |deadline| writer.append(Head::EMPTY, &sample.batch(), deadline));
    assert!(matches!(appended, Err(BackendError::Unknown { .. })), "{appended:?}");
    let head = in_time(400, |deadline| writer.head(deadline));
    assert!(matches!(head, Err(BackendError::Unavailable { .. })), "{head:?}");
    let opened = in_time(400, |deadline| scene.writer().open(deadline));
    assert!(matches!(opened, Err(BackendError::Unavailable { .. })), "{opened:?}");
    let scene = scene.with("read_timeout_ms", "400");
    let read = in_time(400, |_| S3Reader::from_url(&scene.url(), &scene.options));
    assert!(matches!(read, Err(ReadError::Unavailable { .. })), "{read:?}");
    proxy.set(Mode::Pass);
    writer.append(Head::EMPTY, &sample.batch(), soon()).expect("it goes on");
}

#[test]
fn a_lost_answer_is_unknown_and_the_same_batch_is_recognised() {
    for on_ceph in [false, true] {
        let (scene, port) = if on_ceph { (Scene::on_ceph(), ceph().port()) } else { (Scene::on_moto(), moto().port()) };
        let proxy = Proxy::start(port).expect("the wire is there");
        let wired = format!("http://127.0.0.1:{}", proxy.port());
        // Where forks are detected, a look comes before the write, and its answer has to come.
        let scene = scene.with("endpoint", &wired);
        let mut writer = scene.created();
        let first = Sample::after(Head::EMPTY).lines(2, "heard of");
        writer.append(Head::EMPTY, &first.batch(), soon()).expect("it is appended");
        let lost = Sample::after(first.head()).lines(3, "not heard of");
        proxy.set(Mode::HangAnswers);
        let appended = in_time(700, |deadline| writer.append(first.head(), &lost.batch(), deadline));
        assert!(matches!(appended, Err(BackendError::Unknown { .. })), "{appended:?}");
        proxy.set(Mode::Pass);
        writer.append(first.head(), &lost.batch(), soon()).expect("the same batch is taken");
        assert_eq!(scene.bucket.versions(&scene.lines_key(2)).len(), 1);
        let other = Sample::after(first.head()).lines(3, "something else");
        let refused = writer.append(first.head(), &other.batch(), soon());
        assert!(matches!(refused, Err(BackendError::Conflict { .. })), "{refused:?}");
        assert_eq!(scene.reader().size().expect("it has a size"), 5);
    }
}

#[test]
fn a_connection_that_is_cut_is_unknown_and_the_same_batch_is_taken() {
    for on_ceph in [false, true] {
        let (scene, port) = if on_ceph { (Scene::on_ceph(), ceph().port()) } else { (Scene::on_moto(), moto().port()) };
        let proxy = Proxy::start(port).expect("the wire is there");
        let scene = scene.with("endpoint", &format!("http://127.0.0.1:{}", proxy.port()));
        let mut writer = scene.created();
        let mut head = Head::EMPTY;
        let mut cuts = 0;
        for round in 0..14 {
            let sample = Sample::after(head).lines(2, &format!("round {round}"));
            proxy.set(Mode::Slow(Duration::from_millis(30)));
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::thread::sleep(Duration::from_millis(15 * round));
                    proxy.cut();
                });
                if let Err(error) = writer.append(head, &sample.batch(), soon()) {
                    cuts += 1;
                    let typed = matches!(error, BackendError::Unknown { .. } | BackendError::Unavailable { .. });
                    assert!(typed, "{error:?}");
                }
            });
            proxy.set(Mode::Pass);
            // As the log does: the same batch, until there is an answer.
            let until = soon();
            while let Err(error) = writer.append(head, &sample.batch(), soon()) {
                assert!(error.is_retryable() && Instant::now() < until, "{error}");
            }
            head = sample.head();
        }
        assert!(cuts > 0, "no cut was felt");
        let reader = scene.reader();
        assert_eq!(reader.size().expect("it has a size"), 28);
        let findings = reader.inspect().expect("it is inspected");
        // Where nothing keeps it out, an attempt that lands late is there a second time, and no fork.
        let harmless = |finding: &Finding| on_ceph && finding.class == Class::Info;
        assert!(findings.iter().all(harmless), "{findings:?}");
    }
}

#[test]
fn a_server_that_refuses_connections_leaves_nothing_unknown() {
    let (_scene, proxy, mut writer) = wired();
    let port = proxy.port();
    drop(proxy);
    let sample = Sample::after(Head::EMPTY).lines(1, "not sent");
    // A connection that was kept may still break once.
    let mut appended = writer.append(Head::EMPTY, &sample.batch(), soon());
    if matches!(appended, Err(BackendError::Unknown { .. })) {
        appended = writer.append(Head::EMPTY, &sample.batch(), soon());
    }
    assert!(matches!(appended, Err(BackendError::Unavailable { .. })), "port {port}: {appended:?}");
}

#[test]
fn a_slow_server_is_waited_for_up_to_the_deadline() {
    let (_scene, proxy, mut writer) = wired();
    proxy.set(Mode::Slow(Duration::from_millis(150)));
    let sample = Sample::after(Head::EMPTY).lines(1, "slowly");
    let started = Instant::now();
    writer.append(Head::EMPTY, &sample.batch(), soon()).expect("it is appended in the end");
    assert!(started.elapsed() >= Duration::from_millis(150));
    let next = Sample::after(sample.head()).lines(1, "too slowly");
    let appended = in_time(60, |deadline| writer.append(sample.head(), &next.batch(), deadline));
    assert!(matches!(appended, Err(BackendError::Unknown { .. })), "{appended:?}");
}

#[test]
fn a_full_store_says_so_and_goes_on_when_there_is_room() {
    let user = ceph().add_user("full").expect("a user");
    let scene = Scene::new(&ceph().endpoint(), &user).with("fencing", "detect").with("allow_delete_right", "true");
    scene.bucket.make_locked();
    let mut writer = scene.created();
    ceph().limit(&user, 16).expect("it is limited");
    let mut head = Head::EMPTY;
    let text = "x".repeat(6_000);
    let refused = (0..200).find_map(|_| {
        let sample = Sample::after(head).lines(1, &text);
        let appended = writer.append(head, &sample.batch(), soon());
        appended.map(|_| head = sample.head()).err()
    });
    assert!(matches!(refused, Some(BackendError::Full { .. })), "{refused:?}");
    ceph().limit(&user, 1_000_000).expect("there is room again");
    let sample = Sample::after(head).lines(1, &text);
    let until = soon();
    loop {
        match writer.append(head, &sample.batch(), soon()) {
            Ok(_) => break,
            Err(BackendError::Full { .. }) if Instant::now() < until => std::thread::sleep(Duration::from_millis(200)),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(scene.reader().size().expect("it has a size"), head.size + 1);
}

#[test]
fn a_call_inside_an_async_runtime_is_an_error_and_no_panic() {
    let scene = Scene::on_moto();
    scene.with_lines(1);
    let reader = scene.reader();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let size = reader.size();
        assert!(size.is_err_and(|error| error.to_string().contains("spawn_blocking")));
        let opened = scene.writer().open(soon());
        assert!(opened.is_err_and(|error| error.to_string().contains("spawn_blocking")));
        drop(reader);
    });
}
