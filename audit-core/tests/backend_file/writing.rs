use std::fs;
use std::io::Write as _;

use audit_core::backend::{Backend, BackendError, Batch};
use audit_core::conformance::Sample;

use super::scene::{Scene, soon};

#[test]
fn bytes_of_a_writer_that_ignores_the_lock_are_noticed_before_the_next_append() {
    let scene = Scene::with_lines(3, 3);
    let mut writer = scene.open().unwrap();
    let mut other = fs::OpenOptions::new()
        .append(true)
        .open(scene.segment(0))
        .unwrap();
    other.write_all(b"mine\n").unwrap();
    let batch = Sample::after(scene.all.head()).lines(1, "x");
    let error = writer
        .file
        .append(batch.before(), &batch.batch(), soon())
        .unwrap_err();
    assert!(matches!(error, BackendError::Conflict { .. }), "{error}");
    let found = fs::read(scene.segment(0)).unwrap();
    assert_eq!(found, [scene.all.bytes(), b"mine\n"].concat());
}

#[test]
fn a_segment_that_was_deleted_under_the_writer_is_noticed() {
    let scene = Scene::with_lines(3, 3);
    let mut writer = scene.open().unwrap();
    fs::remove_file(scene.segment(0)).unwrap();
    let error = writer.file.head(soon()).unwrap_err();
    assert!(matches!(error, BackendError::Conflict { .. }), "{error}");
    assert!(error.to_string().contains("deleted"), "{error}");
}

#[test]
fn a_segment_that_was_cut_under_the_writer_is_noticed() {
    let scene = Scene::with_lines(3, 3);
    let mut writer = scene.open().unwrap();
    scene.change(&scene.segment(0), |bytes| bytes.truncate(10));
    assert!(matches!(
        writer.file.head(soon()),
        Err(BackendError::Conflict { .. })
    ));
}

#[test]
fn room_that_is_kept_free_is_there_for_outcomes_only() {
    let scene = Scene::with_lines(3, 3);
    let mut file = scene.file().min_free(u64::MAX / 4);
    let head = file.open(soon()).unwrap().head;
    let sample = Sample::after(head).lines(1, "x");
    let intents = sample.batch();
    let error = file.append(head, &intents, soon()).unwrap_err();
    assert!(matches!(error, BackendError::Full { .. }), "{error}");
    assert_eq!(file.head(soon()).unwrap(), head);
    let outcomes = Batch::new(
        intents.first,
        intents.bytes,
        intents.ends,
        intents.leaves,
        true,
    );
    file.append(head, &outcomes, soon()).unwrap();
    assert_eq!(file.head(soon()).unwrap(), sample.head());
}

#[test]
fn a_batch_whose_parts_do_not_fit_is_refused_before_it_is_written() {
    let scene = Scene::with_lines(3, 3);
    let mut writer = scene.open().unwrap();
    let head = scene.all.head();
    let sample = Sample::after(head).lines(2, "x");
    let good = sample.batch();
    let unended = &good.bytes[..good.bytes.len() - 1];
    for bad in [
        Batch::new(good.first, unended, good.ends, good.leaves, false),
        Batch::new(good.first, good.bytes, &good.ends[..1], good.leaves, false),
        Batch::new(good.first, good.bytes, good.ends, &good.leaves[..1], false),
        Batch::new(good.first + 1, good.bytes, good.ends, good.leaves, false),
        Batch::new(
            good.first,
            good.bytes,
            &[good.ends[1], good.ends[0]],
            good.leaves,
            false,
        ),
    ] {
        let error = writer.file.append(head, &bad, soon()).unwrap_err();
        assert!(
            matches!(error, BackendError::Misconfigured { .. }),
            "{error}"
        );
    }
    assert_eq!(scene.read(&mut writer), scene.all.bytes());
    writer.file.append(head, &good, soon()).unwrap();
}

#[test]
fn a_checkpoint_over_lines_that_are_not_synced_syncs_them() {
    let mut scene = Scene::new();
    let mut writer = scene.open().unwrap();
    scene.append(&mut writer, 7);
    scene.publish(&mut writer, 7);
    drop(writer);
    let opened = scene.open().unwrap().opened;
    assert_eq!(opened.checkpoint, Some(scene.all.checkpoint(7)));
}

#[test]
fn syncing_goes_on_while_lines_are_appended() {
    let scene = Scene::with_segments(50_000);
    let writer = scene.open().unwrap();
    let (mut file, mut synchronizer) = (writer.file, writer.synchronizer);
    let syncing = std::thread::spawn(move || {
        for _ in 0..50 {
            synchronizer.sync(soon()).unwrap();
        }
    });
    let mut head = file.head(soon()).unwrap();
    while !syncing.is_finished() {
        let sample = Sample::after(head).lines(20, "while syncing");
        file.append(head, &sample.batch(), soon()).unwrap();
        head = sample.head();
    }
    syncing.join().unwrap();
    drop(file);
    assert_eq!(scene.open().unwrap().opened.head, head);
}
