use std::fs;
use std::io::Write as _;
use std::process::Command;

use audit_core::backend::{Backend, BackendError, Batch, File};
use audit_core::conformance::Sample;

use super::scene::{Scene, soon};

#[test]
fn bytes_of_a_writer_that_ignores_the_lock_are_noticed_before_the_next_append() {
    let scene = Scene::with_lines(3, 3);
    let mut writer = scene.open().unwrap();
    let mut other = fs::OpenOptions::new().append(true).open(scene.segment(0)).unwrap();
    other.write_all(b"mine\n").unwrap();
    let batch = Sample::after(scene.all.head()).lines(1, "x");
    let error = writer.file.append(batch.before(), &batch.batch(), soon()).unwrap_err();
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
    assert!(matches!(writer.file.head(soon()), Err(BackendError::Conflict { .. })));
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
    let outcomes = Batch::new(intents.first, intents.bytes, intents.ends, intents.leaves, true);
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
        Batch::new(good.first, good.bytes, &[good.ends[1], good.ends[0]], good.leaves, false),
    ] {
        let error = writer.file.append(head, &bad, soon()).unwrap_err();
        assert!(matches!(error, BackendError::Misconfigured { .. }), "{error}");
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

/// Set in the child process of the test below: the directory of the log.
const LIMITED: &str = "AUDIT_TEST_LIMITED_LOG";

#[test]
fn a_batch_that_does_not_fit_is_cut_off_again_and_the_log_goes_on_when_there_is_room() {
    if let Some(dir) = std::env::var_os(LIMITED) {
        return fill_up(&mut File::new(dir).min_free(0));
    }
    // No file may grow beyond 16 blocks: as an ordinary user's disk that is full.
    let scene = Scene::with_lines(3, 3);
    let name = "writing::a_batch_that_does_not_fit_is_cut_off_again_and_the_log_goes_on_when_there_is_room";
    let limited = r#"trap '' XFSZ; ulimit -f 16; exec "$0" --exact "$1" --nocapture"#;
    let output = Command::new("sh")
        .args(["-c", limited])
        .arg(std::env::current_exe().unwrap())
        .arg(name)
        .env(LIMITED, scene.dir())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("filled up"), "{said}");
    let writer = scene.open().unwrap();
    assert_eq!(writer.opened.recovery.unwrap().cut_bytes, 0, "nothing unfinished was left");
}

/// Appends until there is no room, then something that fits.
fn fill_up(file: &mut File) {
    let mut head = file.open(soon()).unwrap().head;
    for lines in std::iter::repeat_n(7, 1_000).chain([1; 100]) {
        let sample = Sample::after(head).lines(lines, &"x".repeat(lines * 40));
        match file.append(head, &sample.batch(), soon()) {
            Ok(_) => head = sample.head(),
            Err(BackendError::Full { .. }) => {
                assert_eq!(file.head(soon()).unwrap(), head);
                if lines == 1 {
                    return println!("\nfilled up");
                }
            }
            Err(error) => panic!("{error}"),
        }
    }
}
