//! Many logs under one prefix.

use audit_core::verify::{LogReader as _, ReadError};
use audit_s3::{S3Reader, logs};

use crate::fixture::{Scene, ceph, moto_with_short_pages};

#[test]
fn all_logs_under_a_prefix_are_found_and_each_can_be_read() {
    for scene in [Scene::on_this_moto(moto_with_short_pages()), Scene::on_this_ceph(ceph())] {
        let mut scene = scene;
        let paths = ["fleet/a/one", "fleet/a/two", "fleet/b", "fleet/b c/log \u{e4}", "elsewhere/three"];
        for path in paths {
            scene.path = path.into();
            scene.with_lines(2);
        }
        scene.bucket.put("fleet/notes/readme.txt", b"no log").expect("it is written");
        let bucket = format!("s3://{}", scene.bucket.name());
        let found = |under: &str| logs(&format!("{bucket}/{under}"), &scene.options).expect("they are found");
        assert_eq!(
            found("fleet"),
            ["a/one", "a/two", "b", "b%20c/log%20%C3%A4"].map(|path| format!("{bucket}/fleet/{path}"))
        );
        assert_eq!(found("fleet/a/two"), [format!("{bucket}/fleet/a/two")]);
        assert_eq!(found("").len(), 5);
        assert!(found("nowhere").is_empty());
        let region = logs(&format!("{bucket}/fleet/a?region=eu-central-1"), &scene.options).expect("they are found");
        assert_eq!(region[0], format!("{bucket}/fleet/a/one?region=eu-central-1"));
        for url in found("fleet") {
            let reader = S3Reader::from_url(&url, &scene.options).expect("it is a log");
            assert_eq!(reader.size().expect("it has a size"), 6);
        }
    }
}

#[test]
fn a_log_whose_key_is_hidden_is_still_one_of_the_fleet() {
    let scene = Scene::on_ceph();
    scene.with_lines(1);
    scene.bucket.put_delete_marker(&format!("{}/log.pub", scene.path)).expect("a lock allows that");
    let prefix = format!("s3://{}/fleet", scene.bucket.name());
    assert_eq!(logs(&prefix, &scene.options).expect("it is found"), [scene.url()]);
}

#[test]
fn what_is_no_log_is_said_to_be_none() {
    let scene = Scene::on_moto();
    let read = S3Reader::from_url(&scene.url(), &scene.options);
    assert!(matches!(read, Err(ReadError::NotALog { .. })), "{read:?}");
}

#[test]
fn lines_are_delivered_from_any_number_on() {
    let scene = Scene::on_this_moto(moto_with_short_pages());
    let (_, head) = scene.with_lines(14);
    let reader = scene.reader();
    for from in 0..=head.size {
        let mut lines = audit_core::verify::Lines::from(&reader, from).expect("lines");
        let mut count = 0;
        while let Some(line) = lines.next_line().expect("a line") {
            let frame = audit_core::record::Frame::parse(line).expect("a line of a log");
            assert_eq!(frame.seq, from + count);
            count += 1;
        }
        assert_eq!(count, head.size - from);
    }
}
