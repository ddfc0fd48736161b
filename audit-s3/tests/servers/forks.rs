//! Two writers, and batches of other boundaries.

use audit_core::backend::{Backend, BackendError, Head};
use audit_core::conformance::Sample;
use audit_core::verify::{Class, FindingKind, LogReader as _};

use crate::fixture::{Scene, of_kind, soon};

#[test]
fn a_second_writer_that_comes_later_leaves_nothing_behind() {
    for scene in [Scene::on_moto(), Scene::on_ceph()] {
        let mut first = scene.created();
        let mut second = scene.writer();
        second.open(soon()).expect("it opens");
        let mine = Sample::after(Head::EMPTY).lines(2, "of the first");
        let yours = Sample::after(Head::EMPTY).lines(2, "of the second");
        first.append(Head::EMPTY, &mine.batch(), soon()).expect("it is appended");
        let refused = second.append(Head::EMPTY, &yours.batch(), soon());
        assert!(matches!(refused, Err(BackendError::Conflict { .. })), "{refused:?}");
        assert_eq!(scene.bucket.versions(&scene.lines_key(0)).len(), 1);
    }
}

#[test]
fn a_fork_that_the_store_lets_through_is_seen_before_anything_is_acknowledged() {
    let scene = Scene::on_ceph();
    let mut writer = scene.created();
    let sample = Sample::after(Head::EMPTY).lines(2, "ours");
    // The other one got between our look and our write: its bytes came first.
    scene.bucket.put(&scene.lines_key(0), b"other bytes\n").expect("it is written");
    let refused = writer.append(Head::EMPTY, &sample.batch(), soon());
    assert!(matches!(refused, Err(BackendError::Conflict { .. })), "{refused:?}");

    // Or it came after our bytes and before our second look.
    let scene = Scene::on_ceph();
    let mut writer = scene.created();
    scene.bucket.put(&scene.lines_key(0), sample.bytes()).expect("it is written");
    scene.bucket.put(&scene.lines_key(0), b"other bytes\n").expect("it is written");
    let refused = writer.append(Head::EMPTY, &sample.batch(), soon());
    assert!(matches!(refused, Err(BackendError::Conflict { .. })), "{refused:?}");
    let findings = scene.reader().inspect().expect("it is inspected");
    let forked = of_kind(&findings, FindingKind::Forked);
    assert_eq!(forked.len(), 1, "{findings:?}");
    assert_eq!(forked[0].seq, Some(0));
    // Whoever opens the log next is told as well.
    let refused = scene.writer().open(soon());
    assert!(matches!(refused, Err(BackendError::Tampered { seq: Some(0), .. })), "{refused:?}");
}

#[test]
fn the_same_bytes_twice_are_no_fork() {
    let scene = Scene::on_ceph();
    let mut writer = scene.created();
    let sample = Sample::after(Head::EMPTY).lines(2, "ours");
    for _ in 0..2 {
        scene.bucket.put(&scene.lines_key(0), sample.bytes()).expect("it is written");
    }
    writer.append(Head::EMPTY, &sample.batch(), soon()).expect("the lines are recognised");
    let findings = scene.reader().inspect().expect("it is inspected");
    assert!(findings.iter().all(|finding| finding.class != Class::Tamper), "{findings:?}");
    let again = of_kind(&findings, FindingKind::Duplicated);
    assert_eq!((again.len(), again[0].class), (1, Class::Info));
    let opened = scene.writer().open(soon()).expect("it opens");
    assert_eq!(opened.head, sample.head());
}

#[test]
fn an_earlier_attempt_with_fewer_lines_is_recognised_by_its_bytes() {
    for scene in [Scene::on_moto(), Scene::on_ceph()] {
        let mut writer = scene.created();
        let whole = Sample::after(Head::EMPTY).lines(5, "in one batch");
        let mut earlier = scene.writer();
        earlier.open(soon()).expect("it opens");
        earlier.append(Head::EMPTY, &whole.first(2).batch(), soon()).expect("it is appended");
        // The writer has not seen those two lines, and sends all five.
        writer.append(Head::EMPTY, &whole.batch(), soon()).expect("the rest is appended");
        assert_eq!(writer.head(soon()).expect("it has a head"), whole.head());
        assert_eq!(writer.read(0..5, soon()).expect("they are read").len(), whole.first(2).bytes().len());
        let opened = scene.writer().open(soon()).expect("it opens");
        assert_eq!(opened.head, whole.head());
    }
}

#[test]
fn an_earlier_attempt_with_more_lines_is_recognised_by_its_bytes() {
    let scene = Scene::on_moto();
    let mut writer = scene.created();
    let whole = Sample::after(Head::EMPTY).lines(5, "in one batch");
    let mut other = scene.writer();
    other.open(soon()).expect("it opens");
    other.append(Head::EMPTY, &whole.batch(), soon()).expect("it is appended");
    writer.append(Head::EMPTY, &whole.first(2).batch(), soon()).expect("the lines are recognised");
    assert_eq!(writer.head(soon()).expect("it has a head"), whole.head());
}

#[test]
fn more_versions_than_are_compared_are_taken_for_a_fork() {
    let scene = Scene::on_ceph();
    let mut writer = scene.created();
    let sample = Sample::after(Head::EMPTY).lines(2, "ours");
    for _ in 0..17 {
        scene.bucket.put(&scene.lines_key(0), sample.bytes()).expect("it is written");
    }
    writer.append(Head::EMPTY, &sample.batch(), soon()).expect("seventeen are compared");
    scene.bucket.put(&scene.lines_key(0), sample.bytes()).expect("it is written");
    let findings = scene.reader().inspect().expect("it is inspected");
    assert_eq!(of_kind(&findings, FindingKind::Forked).len(), 1, "{findings:?}");
}
