use std::fs;

use audit_core::backend::{Backend, Head};
use audit_core::conformance::Sample;
use audit_core::evidence::Hash;
use audit_core::record::Kind;
use proptest::prelude::*;

use super::scene::{Scene, soon};

#[test]
fn a_torn_last_line_goes_to_quarantine_and_the_log_goes_on() {
    let mut scene = Scene::with_lines(10, 6);
    let torn = br#"{"v":1,"seq":10,"prev":"#;
    let length = scene.all.bytes().len() as u64;
    scene.change(&scene.segment(0), |bytes| bytes.extend_from_slice(torn));

    let mut writer = scene.open().unwrap();
    assert_eq!(writer.opened.head, scene.all.head());
    let recovery = writer.opened.recovery.clone().unwrap();
    assert_eq!((recovery.signed, recovery.adopted), (6, 4));
    assert_eq!(recovery.offset, length);
    assert_eq!(recovery.cut_bytes, torn.len() as u64);
    assert_eq!(recovery.cut_lines, 0);
    assert_eq!(recovery.cut_sha256, Some(Hash::digest(torn)));
    assert_eq!(scene.quarantine(), [torn.to_vec()]);

    scene.append(&mut writer, 2);
    assert_eq!(scene.read(&mut writer), scene.all.bytes());
    drop(writer);
    let again = scene.open().unwrap().opened.recovery.unwrap();
    assert_eq!(again.cut_bytes, 0, "what was reported once is not reported again");
}

#[test]
fn a_cut_that_no_record_tells_of_yet_is_told_again() {
    let scene = Scene::with_lines(10, 6);
    let path = scene.segment(0);
    scene.change(&path, |bytes| bytes.extend_from_slice(b"torn"));
    let first = scene.open().unwrap().opened.recovery.unwrap();
    // Killed before `log.recovered` was appended, and torn again.
    assert_eq!(scene.open().unwrap().opened.recovery.unwrap(), first);
    scene.change(&path, |bytes| bytes.extend_from_slice(b"\nagain\n"));
    let second = scene.open().unwrap().opened.recovery.unwrap();
    assert_eq!((second.cut_bytes, second.cut_lines), (11, 2));
    assert_eq!(second.cut_sha256, Some(Hash::digest(b"torn\nagain\n")));
}

#[test]
fn a_tail_of_zeros_goes_to_quarantine() {
    for zeros in [1, 4_096, 300_000] {
        let scene = Scene::with_lines(10, 6);
        let tail = vec![0; zeros];
        scene.change(&scene.segment(0), |bytes| bytes.extend_from_slice(&tail));
        let mut writer = scene.open().unwrap();
        assert_eq!(writer.opened.head, scene.all.head());
        let recovery = writer.opened.recovery.clone().unwrap();
        assert_eq!(recovery.cut_bytes, zeros as u64);
        assert_eq!(recovery.cut_sha256, Some(Hash::digest(&tail)));
        assert_eq!(scene.read(&mut writer), scene.all.bytes());
    }
}

#[test]
fn lines_behind_blocks_that_never_reached_the_disk_go_to_quarantine() {
    let scene = Scene::with_lines(20, 6);
    let end: usize = (0..10).map(|line| scene.all.nth(line).len()).sum();
    scene.change(&scene.segment(0), |bytes| bytes[end + 30..end + 500].fill(0));
    let writer = scene.open().unwrap();
    assert_eq!(writer.opened.head, scene.all.first(10).head());
    let recovery = writer.opened.recovery.unwrap();
    assert_eq!(recovery.cut_bytes, (scene.all.bytes().len() - end) as u64);
    assert!(recovery.cut_lines >= 6);
}

#[test]
fn garbage_at_the_end_goes_to_quarantine_ended_or_not() {
    for garbage in
        [&b"\n"[..], b"\n\n\n", b"{}\n", b"not json\n", b"{\"v\":1,\"seq\":10,\"prev\":\"short\"}\n", b"\xff\xfe\n\x80"]
    {
        let scene = Scene::with_lines(10, 6);
        scene.change(&scene.segment(0), |bytes| bytes.extend_from_slice(garbage));
        let writer = scene.open().unwrap();
        assert_eq!(writer.opened.head, scene.all.head());
        let lines = garbage.iter().filter(|byte| **byte == b'\n').count() as u64;
        let recovery = writer.opened.recovery.unwrap();
        assert_eq!((recovery.cut_bytes, recovery.cut_lines), (garbage.len() as u64, lines));
    }
}

#[test]
fn a_line_longer_than_allowed_goes_to_quarantine() {
    let scene = Scene::with_lines(10, 6);
    let long = Sample::after(scene.all.head()).lines(1, &"x".repeat(70_000));
    scene.change(&scene.segment(0), |bytes| bytes.extend_from_slice(long.bytes()));
    let writer = scene.open().unwrap();
    assert_eq!(writer.opened.head, scene.all.head());
    assert_eq!(writer.opened.recovery.unwrap().cut_lines, 1);
}

#[test]
fn a_power_loss_that_took_the_end_of_one_segment_takes_the_next_as_well() {
    let mut scene = Scene::with_segments(1_000);
    scene.write(30, 2);
    let (second, third) = (scene.firsts()[1], scene.firsts()[2]);
    let later: Vec<u8> =
        scene.firsts()[2..].iter().flat_map(|first| fs::read(scene.segment(*first)).unwrap()).collect();
    scene.change(&scene.segment(second), |bytes| bytes.truncate(bytes.len() - 10));

    let mut writer = scene.open().unwrap();
    let kept = usize::try_from(third).unwrap() - 1;
    assert_eq!(writer.opened.head, scene.all.first(kept).head());
    let recovery = writer.opened.recovery.clone().unwrap();
    let torn = scene.all.nth(kept).len() - 10;
    assert_eq!(recovery.cut_bytes, (torn + later.len()) as u64);
    assert_eq!(recovery.cut_lines, 30 - third);
    assert!(!scene.segment(third).exists());
    assert_eq!(scene.read(&mut writer), scene.all.first(kept).bytes());
    scene.all = scene.all.first(kept);
    scene.append(&mut writer, 5);
    assert_eq!(scene.read(&mut writer), scene.all.bytes());
}

#[test]
fn a_segment_that_lost_whole_lines_to_a_power_loss_ends_the_log() {
    let mut scene = Scene::with_segments(1_000);
    scene.write(30, 2);
    let (second, third) = (scene.firsts()[1], scene.firsts()[2]);
    let kept = usize::try_from(third).unwrap() - 1;
    let lost = scene.all.nth(kept).len();
    scene.change(&scene.segment(second), |bytes| bytes.truncate(bytes.len() - lost));
    let writer = scene.open().unwrap();
    assert_eq!(writer.opened.head, scene.all.first(kept).head());
    assert_eq!(writer.opened.recovery.unwrap().cut_lines, 30 - third);
}

#[test]
fn a_kill_at_any_byte_of_the_last_batch_keeps_a_prefix_with_all_that_was_acknowledged() {
    let mut scene = Scene::with_lines(4, 2);
    let acknowledged = scene.all.clone();
    let mut writer = scene.open().unwrap();
    scene.append(&mut writer, 3);
    drop(writer);
    let whole = fs::read(scene.segment(0)).unwrap();
    for length in (acknowledged.bytes().len()..=whole.len()).rev() {
        fs::write(scene.segment(0), &whole[..length]).unwrap();
        let mut writer = scene.open().unwrap();
        let found = scene.read(&mut writer);
        assert!(found.starts_with(acknowledged.bytes()));
        assert!(whole.starts_with(&found));
        assert!(found.len() <= length && found.ends_with(b"\n"));
        let left = length - found.len();
        assert_eq!(writer.opened.recovery.unwrap().cut_bytes, left as u64);
        fs::remove_dir_all(scene.path("quarantine")).unwrap();
    }
}

#[test]
fn the_batch_that_was_cut_can_be_sent_again() {
    let scene = Scene::with_lines(4, 2);
    let before = scene.all.head();
    let batch = Sample::after(before).lines(5, "sent twice");
    let mut writer = scene.open().unwrap();
    writer.file.append(before, &batch.batch(), soon()).unwrap();
    drop(writer);
    scene.change(&scene.segment(0), |bytes| bytes.truncate(bytes.len() - 250));
    let mut writer = scene.open().unwrap();
    assert!(writer.opened.head.size < 9);
    writer.file.append(before, &batch.batch(), soon()).unwrap();
    let expected = [scene.all.bytes(), batch.bytes()].concat();
    assert_eq!(scene.read(&mut writer), expected);
}

#[test]
fn a_log_that_was_closed_in_order_says_nothing() {
    let scene = Scene::new();
    let mut writer = scene.open().unwrap();
    let sample = Sample::after(Head::EMPTY).lines(3, "x").line(Kind::LogClosed, "");
    writer.file.append(Head::EMPTY, &sample.batch(), soon()).unwrap();
    drop(writer);
    assert_eq!(scene.open().unwrap().opened.recovery, None);
}

#[test]
fn a_crash_before_the_first_line_says_nothing() {
    let scene = Scene::with_lines(0, 0);
    assert_eq!(scene.open().unwrap().opened.recovery, None);
    fs::remove_dir_all(scene.path("segments")).unwrap();
    assert_eq!(scene.open().unwrap().opened.head, Head::EMPTY);
}

#[test]
fn a_segment_that_was_just_begun_is_gone_on_with() {
    let mut scene = Scene::with_lines(5, 5);
    fs::write(scene.segment(5), "").unwrap();
    let mut writer = scene.open().unwrap();
    scene.append(&mut writer, 3);
    assert_eq!(scene.read(&mut writer), scene.all.bytes());
    assert!(fs::metadata(scene.segment(5)).unwrap().len() > 0);
}

#[test]
fn the_tree_at_the_checkpoint_is_found_whatever_was_lost_of_what_is_derived() {
    for size in [1, 255, 256, 257, 511, 512, 768, 1_024, 1_279, 1_280, 2_000] {
        let mut scene = Scene::with_segments(90_000);
        let mut writer = scene.open().unwrap();
        scene.append(&mut writer, 700);
        scene.publish(&mut writer, 1.max(size.min(700)));
        scene.append(&mut writer, 1_400);
        scene.publish(&mut writer, size.max(700));
        drop(writer);
        let expected = Some(scene.all.range(size.max(700)));
        let peaks = scene.path(&format!("checkpoints/{:020}.peaks", size.max(700)));
        let found = |what: &str| {
            let opened = scene.open().unwrap().opened;
            assert_eq!(opened.signed_range, expected, "{size}: {what}");
        };
        found("all there");
        fs::write(&peaks, "damaged").unwrap();
        found("the peaks are damaged");
        fs::remove_file(&peaks).unwrap();
        found("the peaks are gone");
        scene.change(&scene.path("tile/0/000"), |bytes| bytes[77] ^= 1);
        found("a tile is wrong");
        fs::write(scene.path("tile/0/001"), "").unwrap();
        found("a tile is empty");
        fs::remove_dir_all(scene.path("tile")).unwrap();
        found("the tiles are gone");
        fs::remove_dir_all(scene.path("checkpoints")).unwrap();
        found("everything is gone");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_cut_anywhere_behind_the_checkpoint_is_survived(
        batches in proptest::collection::vec(1_usize..40, 1..12),
        signed in 0.0..1.0_f64,
        cut in 0.0..1.0_f64,
        garbage in proptest::collection::vec(any::<u8>(), 0..200),
        segment_bytes in 300_u64..20_000,
    ) {
        let mut scene = Scene::with_segments(segment_bytes);
        let mut writer = scene.open().unwrap();
        for batch in &batches {
            scene.append(&mut writer, *batch);
        }
        let lines: usize = batches.iter().sum();
        let signed = (lines as f64 * signed) as usize;
        scene.publish(&mut writer, signed);
        drop(writer);

        // The last segment loses its end, but nothing that is signed, and gains garbage.
        let last = *scene.firsts().last().unwrap();
        let bytes = fs::read(scene.segment(last)).unwrap();
        let needed: usize = (usize::try_from(last).unwrap()..signed)
            .map(|line| scene.all.nth(line).len())
            .sum();
        let length = needed + ((bytes.len() - needed) as f64 * cut) as usize;
        fs::write(scene.segment(last), [&bytes[..length], &garbage].concat()).unwrap();

        let mut writer = scene.open().unwrap();
        let found = scene.read(&mut writer);
        prop_assert!(scene.all.bytes().starts_with(&found));
        let kept = usize::try_from(writer.opened.head.size).unwrap();
        prop_assert!(kept >= signed);
        prop_assert_eq!(writer.opened.head, scene.all.first(kept).head());
        prop_assert_eq!(writer.opened.signed_range.clone(), Some(scene.all.range(signed)));
        let recovery = writer.opened.recovery.clone().unwrap();
        let before: usize = (0..kept).map(|line| scene.all.nth(line).len()).sum();
        let start: usize = (0..usize::try_from(last).unwrap()).map(|line| scene.all.nth(line).len()).sum();
        prop_assert_eq!(start + length + garbage.len() - before, usize::try_from(recovery.cut_bytes).unwrap());

        scene.all = scene.all.first(kept);
        scene.append(&mut writer, 3);
        prop_assert_eq!(scene.read(&mut writer), scene.all.bytes());
    }
}
