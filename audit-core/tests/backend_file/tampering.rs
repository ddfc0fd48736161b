use std::fs;

use audit_core::backend::{BackendError, Head};
use audit_core::conformance::Sample;

use super::scene::Scene;

/// The line that is named by the refusal to open the log.
fn tampered(scene: &Scene) -> Option<u64> {
    let before = fs::read(scene.segment(0)).unwrap();
    let refused = match scene.open().map(|_| ()) {
        Err(BackendError::Tampered { seq, detail }) => {
            assert!(detail.contains("keep the directory as evidence"), "{detail}");
            seq
        }
        other => panic!("expected tampering to be found, got {other:?}"),
    };
    assert_eq!(fs::read(scene.segment(0)).unwrap(), before, "evidence was changed");
    refused
}

#[test]
fn a_line_edited_behind_the_checkpoint_is_not_adopted() {
    let scene = Scene::with_lines(12, 6);
    scene.change_lines(|lines| {
        let text = String::from_utf8(lines[8].clone()).unwrap();
        lines[8] = text.replace("somebody", "everyone").into_bytes();
    });
    assert_eq!(tampered(&scene), Some(8));
}

#[test]
fn a_line_deleted_behind_the_checkpoint_is_missed() {
    let scene = Scene::with_lines(12, 6);
    scene.change_lines(|lines| drop(lines.remove(8)));
    assert_eq!(tampered(&scene), Some(8));
}

#[test]
fn a_line_inserted_behind_the_checkpoint_is_noticed() {
    let scene = Scene::with_lines(12, 6);
    let head = scene.all.first(8).head();
    let inserted = Sample::after(head).lines(1, "never happened");
    scene.change_lines(|lines| lines.insert(8, inserted.bytes().to_vec()));
    assert_eq!(tampered(&scene), Some(9));
}

#[test]
fn a_line_repeated_behind_the_checkpoint_is_noticed() {
    let scene = Scene::with_lines(12, 6);
    scene.change_lines(|lines| lines.insert(9, lines[8].clone()));
    assert_eq!(tampered(&scene), Some(9));
}

#[test]
fn lines_swapped_behind_the_checkpoint_are_noticed() {
    let scene = Scene::with_lines(12, 6);
    scene.change_lines(|lines| lines.swap(8, 9));
    assert_eq!(tampered(&scene), Some(8));
}

#[test]
fn a_line_made_unreadable_in_front_of_others_is_not_laundered() {
    let scene = Scene::with_lines(12, 6);
    scene.change_lines(|lines| {
        let end = lines[8].len() - 2;
        lines[8][end] = b'?';
    });
    assert_eq!(tampered(&scene), Some(8));
}

#[test]
fn the_last_signed_line_is_checked_even_if_nothing_follows_it() {
    for size in [1, 2, 3, 100, 255, 256, 257, 512, 513, 768, 1_024] {
        let scene = Scene::with_lines(size, size);
        scene.change_lines(|lines| {
            let last = lines.last_mut().unwrap();
            let text = String::from_utf8(last.clone()).unwrap();
            *last = text.replace("somebody", "everyone").into_bytes();
        });
        tampered(&scene);
    }
}

#[test]
fn a_signed_line_near_the_end_is_named_when_it_was_edited() {
    let scene = Scene::with_lines(300, 300);
    scene.change_lines(|lines| {
        let text = String::from_utf8(lines[280].clone()).unwrap();
        lines[280] = text.replace("somebody", "everyone").into_bytes();
    });
    assert_eq!(tampered(&scene), Some(280));
}

#[test]
fn fewer_lines_than_the_checkpoint_says_are_not_enough() {
    for kept in [0, 1, 5, 9] {
        let scene = Scene::with_lines(10, 10);
        scene.change_lines(|lines| lines.truncate(kept));
        assert!(tampered(&scene).is_some());
    }
}

#[test]
fn a_signed_line_that_is_not_ended_is_not_there() {
    let scene = Scene::with_lines(10, 10);
    scene.change(&scene.segment(0), |bytes| bytes.truncate(bytes.len() - 1));
    assert_eq!(tampered(&scene), Some(9));
}

#[test]
fn a_checkpoint_about_more_lines_than_there_are_is_not_believed() {
    let scene = Scene::with_lines(10, 4);
    let longer = scene.all.clone().lines(5, "more");
    fs::write(scene.path("checkpoint"), longer.checkpoint(15)).unwrap();
    assert!(tampered(&scene).is_some());
}

#[test]
fn a_checkpoint_with_another_root_is_not_believed() {
    let scene = Scene::with_lines(10, 4);
    let other = Sample::after(Head::EMPTY).lines(10, "other lines");
    fs::write(scene.path("checkpoint"), other.checkpoint(8)).unwrap();
    tampered(&scene);
}

#[test]
fn a_checkpoint_of_another_log_is_not_believed() {
    let scene = Scene::with_lines(10, 4);
    scene.change(&scene.path("checkpoint"), |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        *bytes = text.replace("conformance.example/log", "conformance.example/dog").into_bytes();
    });
    tampered(&scene);
}

#[test]
fn something_that_is_no_checkpoint_is_not_believed() {
    for text in ["", "x", "a\nb\nc\n", "conformance.example/log\n-1\nAAAA\n\n"] {
        let scene = Scene::with_lines(10, 4);
        fs::write(scene.path("checkpoint"), text).unwrap();
        tampered(&scene);
    }
}

#[test]
fn segments_that_vanished_are_missed() {
    let mut scene = Scene::with_segments(1_000);
    scene.write(30, 30);
    let last = *scene.firsts().last().unwrap();
    fs::remove_file(scene.segment(last)).unwrap();
    assert!(tampered(&scene).is_some());
}

#[test]
fn two_segments_for_the_same_line_are_noticed() {
    let scene = Scene::with_lines(10, 4);
    fs::write(scene.segment(7), scene.all.nth(7)).unwrap();
    assert!(tampered(&scene).is_some());
}

#[test]
fn an_older_checkpoint_in_the_place_of_the_newest_is_noticed() {
    for gone in [false, true] {
        let mut scene = Scene::with_segments(1_000);
        scene.write(4, 4);
        let older = fs::read(scene.path("checkpoint")).unwrap();
        scene.write(20, 24);
        if gone {
            fs::remove_file(scene.path("checkpoint")).unwrap();
        } else {
            fs::write(scene.path("checkpoint"), older).unwrap();
        }
        tampered(&scene);
    }
}

#[test]
fn a_line_of_a_later_format_is_not_taken_for_garbage() {
    let scene = Scene::with_lines(10, 6);
    let newer = scene.all.clone().lines(1, "from the future");
    let line = String::from_utf8(newer.nth(10).to_vec()).unwrap().replace("{\"v\":1", "{\"v\":2");
    scene.change(&scene.segment(0), |bytes| bytes.extend_from_slice(line.as_bytes()));
    let before = fs::read(scene.segment(0)).unwrap();
    let error = scene.open().map(|_| ()).unwrap_err();
    assert!(matches!(error, BackendError::Misconfigured { .. }), "{error}");
    assert_eq!(fs::read(scene.segment(0)).unwrap(), before);
}
