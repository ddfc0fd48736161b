use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use audit_core::backend::Backend;
use audit_core::conformance::VERIFIER_KEY;
use audit_core::evidence::{CompactRange, Hash, leaf_hash};

use super::scene::{Scene, soon};

#[test]
fn the_key_and_the_newest_checkpoint_stand_where_everybody_looks_for_them() {
    let scene = Scene::with_lines(3, 3);
    let key = fs::read_to_string(scene.path("log.pub")).unwrap();
    assert_eq!(key, format!("{VERIFIER_KEY}\n"));
    let checkpoint = fs::read(scene.path("checkpoint")).unwrap();
    assert_eq!(checkpoint, scene.all.checkpoint(3));
}

#[test]
fn segments_hold_exactly_the_lines_and_are_named_after_their_first() {
    let mut scene = Scene::with_segments(1_000);
    scene.write(20, 20);
    let mut names: Vec<String> = fs::read_dir(scene.path("segments"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() > 3, "{names:?}");
    let mut all = Vec::new();
    for name in &names {
        let first: u64 = name.strip_suffix(".jsonl").unwrap().parse().unwrap();
        assert_eq!(name.len(), 26);
        let lines_before = all.iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(first, lines_before);
        let bytes = fs::read(scene.path("segments").join(name)).unwrap();
        assert!(bytes.len() <= 1_000);
        all.extend(bytes);
    }
    assert_eq!(all, scene.all.bytes());
}

#[test]
fn a_batch_longer_than_a_segment_stays_whole() {
    let mut scene = Scene::with_segments(500);
    let mut writer = scene.open().unwrap();
    scene.append(&mut writer, 1);
    scene.append(&mut writer, 50);
    scene.append(&mut writer, 1);
    assert_eq!(fs::read_dir(scene.path("segments")).unwrap().count(), 3);
    assert_eq!(scene.read(&mut writer), scene.all.bytes());
}

#[test]
fn full_tiles_of_all_signed_lines_are_there_and_right() {
    let mut scene = Scene::with_segments(60_000);
    let mut writer = scene.open().unwrap();
    for (lines, signed) in [(300, 255), (300, 256), (300, 700), (1_148, 2_048)] {
        scene.append(&mut writer, lines);
        scene.publish(&mut writer, signed);
        // Opening again in between changes nothing about them.
        drop(writer);
        writer = scene.open().unwrap();
    }
    let leaves: Vec<Hash> = scene.all.bytes().split(|byte| *byte == b'\n').map(leaf_hash).take(2_048).collect();
    for (index, hashes) in leaves.chunks(256).enumerate() {
        let expected: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
        let tile = fs::read(scene.path(&format!("tile/0/{index:03}"))).unwrap();
        assert_eq!(tile, expected, "tile {index}");
    }
    assert!(!scene.path("tile/0/008").exists());
    assert!(!scene.path("tile/1").exists());
}

#[test]
fn a_tile_of_the_second_level_holds_the_roots_of_the_first_even_if_some_were_lost() {
    let mut scene = Scene::new();
    let mut writer = scene.open().unwrap();
    scene.append(&mut writer, 65_536 - 100);
    scene.publish(&mut writer, 65_536 - 100);
    drop(writer);
    fs::remove_file(scene.path("tile/0/007")).unwrap();
    let mut writer = scene.open().unwrap();
    scene.append(&mut writer, 200);
    scene.publish(&mut writer, 65_536 + 100);
    let leaves: Vec<Hash> = scene.all.bytes().split(|byte| *byte == b'\n').map(leaf_hash).collect();
    let expected: Vec<u8> = leaves
        .chunks(256)
        .take(256)
        .flat_map(|hashes| {
            let mut range = CompactRange::new();
            for hash in hashes {
                range.push(*hash);
            }
            *range.root().as_bytes()
        })
        .collect();
    assert_eq!(fs::read(scene.path("tile/1/000")).unwrap(), expected);
    assert!(scene.path("tile/0/255").exists());
}

#[test]
fn a_checkpoint_behind_the_end_of_each_segment_is_kept_with_its_range() {
    let mut scene = Scene::with_segments(1_500);
    let mut writer = scene.open().unwrap();
    let mut kept = Vec::new();
    for size in 1..=40_usize {
        let segments = fs::read_dir(scene.path("segments")).unwrap().count();
        scene.append(&mut writer, 1);
        scene.publish(&mut writer, size);
        if fs::read_dir(scene.path("segments")).unwrap().count() > segments {
            kept.push(size);
        }
    }
    assert!(kept.len() > 3);
    for size in &kept {
        let note = fs::read(scene.path(&format!("checkpoints/{size:020}"))).unwrap();
        assert_eq!(note, scene.all.checkpoint(*size));
        let peaks = fs::read(scene.path(&format!("checkpoints/{size:020}.peaks"))).unwrap();
        assert_eq!(peaks, scene.all.range(*size).to_bytes());
    }
    // Besides those that are kept, only the newest range is there.
    let files = fs::read_dir(scene.path("checkpoints")).unwrap().count();
    assert!(files <= 2 * kept.len() + 1, "{files} files for {kept:?}");
}

#[test]
fn others_can_neither_read_nor_write_the_log() {
    let scene = Scene::with_lines(3, 3);
    for name in ["", "LOCK", "log.pub", "checkpoint", "segments", "segments/00000000000000000000.jsonl"] {
        let mode = fs::metadata(scene.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o027, 0, "{name:?} has mode {mode:o}");
    }
}

#[test]
fn lines_stay_readable_by_their_number_in_a_log_of_many_lengths() {
    let mut scene = Scene::with_segments(200_000);
    let mut writer = scene.open().unwrap();
    for length in [0, 1, 3_000, 65_000, 10, 20_000, 0, 0, 2_047, 2_048, 2_049] {
        for _ in 0..3 {
            let text = "x".repeat(length);
            let sample = audit_core::conformance::Sample::after(scene.all.head()).lines(1, &text);
            let appended = writer.file.append(sample.before(), &sample.batch(), soon());
            appended.unwrap();
            scene.all = scene.all.clone().lines(1, &text);
        }
    }
    drop(writer);
    for seq in (0..33).rev() {
        let mut writer = scene.open().unwrap();
        let line = writer.file.read(seq..seq + 1, soon()).unwrap();
        assert_eq!(line, scene.all.nth(usize::try_from(seq).unwrap()));
    }
}
