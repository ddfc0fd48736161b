//! SIGKILL of every daemon in the middle of appends.

use std::time::Duration;

use audit_core::backend::{Backend, BackendError, Head};
use audit_core::conformance::Sample;
use audit_core::verify::LogReader as _;
use real_servers::{Ceph, CephStore};

use crate::fixture::{Scene, soon, within};

#[test]
fn everything_acknowledged_is_there_after_all_daemons_were_killed() {
    let mut server = Ceph::start(CephStore::Disk).expect("Ceph starts");
    let scene = Scene::on_this_ceph(&server);
    let mut writer = scene.created();
    let (sender, heads) = std::sync::mpsc::channel();
    let appending = std::thread::spawn(move || {
        let mut head = Head::EMPTY;
        loop {
            let sample = Sample::after(head).lines(3, "under load");
            match writer.append(head, &sample.batch(), within(2_000)) {
                Ok(_) => {
                    head = sample.head();
                    sender.send(head).expect("somebody counts");
                }
                Err(error) => return (writer, head, sample, error),
            }
        }
    });
    for _ in 0..20 {
        heads.recv_timeout(Duration::from_secs(30)).expect("appends go on");
    }
    server.kill_everything();
    let (mut writer, head, unanswered, error) = appending.join().expect("no panic");
    assert!(matches!(error, BackendError::Unknown { .. } | BackendError::Unavailable { .. }), "{error:?}");

    server.restart().expect("it starts again");
    // The log sends the same batch until it has an answer.
    let until = soon() + Duration::from_secs(60);
    while let Err(error) = writer.append(head, &unanswered.batch(), within(5_000)) {
        assert!(error.is_retryable() && std::time::Instant::now() < until, "{error}");
        std::thread::sleep(Duration::from_millis(100));
    }
    let opened = scene.writer().open(soon()).expect("it opens");
    assert_eq!(opened.head, unanswered.head());
    let reader = scene.reader();
    assert_eq!(reader.size().expect("it has a size"), unanswered.head().size);
    let findings = reader.inspect().expect("it is inspected");
    assert!(findings.iter().all(|finding| finding.class != audit_core::verify::Class::Tamper), "{findings:?}");
    for first in (0..unanswered.head().size).step_by(3) {
        assert!(!scene.bucket.versions(&scene.lines_key(first)).is_empty(), "line {first}");
    }

    // A gateway that stands still is one that does not answer.
    server.gateway().freeze();
    let held = Sample::after(unanswered.head()).lines(2, "held");
    let error = writer.append(unanswered.head(), &held.batch(), within(700)).expect_err("nobody answers");
    assert!(matches!(error, BackendError::Unknown { .. }), "{error:?}");
    server.gateway().thaw();
    writer.append(unanswered.head(), &held.batch(), soon()).expect("the same batch is taken");
    assert_eq!(scene.writer().open(soon()).expect("it opens").head, held.head());
}
