//! What an open log is told about its objects, and that it is told each thing once.

use std::collections::BTreeSet;

use audit_core::backend::{Backend, Concern, Synchronizer};

use crate::fixture::{Scene, moto_with_short_pages, soon};
use crate::front::{Front, refusal};

fn settings(concerns: &[Concern]) -> BTreeSet<String> {
    concerns.iter().map(|concern| concern.setting.clone()).collect()
}

fn inspect(synchronizer: &mut dyn Synchronizer) -> BTreeSet<String> {
    settings(&synchronizer.inspect(soon()).expect("it is inspected"))
}

#[test]
fn each_hidden_object_is_a_concern_of_its_own_for_as_long_as_it_is_hidden() {
    // Five keys on a page: a walk around this log takes several looks.
    let scene = Scene::on_this_moto(moto_with_short_pages());
    let (mut writer, _) = scene.with_lines(12);
    let mut synchronizer = writer.synchronizer().expect("it is there");
    let keys = [scene.lines_key(3), scene.lines_key(27)];
    let expected = |count: usize| keys[..count].iter().map(|key| format!("delete_markers {key}")).collect();
    for count in 1..=2 {
        scene.bucket.put_delete_marker(&keys[count - 1]).expect("a lock allows that");
        let told = (0..8).any(|_| inspect(synchronizer.as_mut()) == expected(count));
        assert!(told, "{count} are hidden");
        for _ in 0..8 {
            assert_eq!(inspect(synchronizer.as_mut()), expected(count), "it is not forgotten between two rounds");
        }
    }
    let marker = scene.bucket.markers(&keys[0]).remove(0);
    scene.bucket.delete_version(&keys[0], &marker).expect("markers are not locked");
    let gone = (0..16).any(|_| inspect(synchronizer.as_mut()).len() == 1);
    assert!(gone, "what is no longer hidden is no longer a concern");
}

#[test]
fn a_fork_is_found_behind_any_number_of_objects_that_were_only_written_twice() {
    let front = Front::start();
    let scene = front.before(Scene::on_moto());
    let (mut writer, _) = scene.with_lines(15);
    let mut synchronizer = writer.synchronizer().expect("it is there");
    for first in (0..39).step_by(3) {
        let key = scene.lines_key(first);
        let same = scene.bucket.get(&key).expect("it is there");
        scene.bucket.put(&key, &same).expect("a lock allows that");
    }
    // Of the same size, so that it has to be read; and one that is not.
    let key = scene.lines_key(39);
    let other: Vec<u8> = scene.bucket.get(&key).expect("it is there").iter().map(|byte| byte ^ 1).collect();
    scene.bucket.put(&key, &other).expect("a lock allows that");
    let short = scene.lines_key(42);
    scene.bucket.put(&short, b"short\n").expect("a lock allows that");

    // The first of them cannot be read now; that does not stand in the way of the others.
    let version = scene.bucket.versions(&scene.lines_key(0)).remove(0);
    front.say_to(&format!("versionId={version}"), &refusal("503 Service Unavailable", "SlowDown"));
    assert_eq!(inspect(synchronizer.as_mut()), BTreeSet::from([format!("versions {short}")]));
    let both = BTreeSet::from([format!("versions {key}"), format!("versions {short}")]);
    let found = (0..6).any(|_| inspect(synchronizer.as_mut()) == both);
    assert!(found, "the fork is not found");
    front.pass();
    for _ in 0..6 {
        assert_eq!(inspect(synchronizer.as_mut()), both);
    }
}

#[test]
fn of_many_hidden_objects_some_are_named_and_the_rest_is_told_once() {
    let scene = Scene::on_moto();
    let (mut writer, _) = scene.with_lines(1);
    let mut synchronizer = writer.synchronizer().expect("it is there");
    for first in 0..70 {
        scene.bucket.put(&scene.lines_key(first), b"hidden\n").expect("it is written");
        scene.bucket.put_delete_marker(&scene.lines_key(first)).expect("a lock allows that");
    }
    for _ in 0..3 {
        let told = inspect(synchronizer.as_mut());
        let named = told.iter().filter(|setting| setting.starts_with("delete_markers ")).count();
        assert_eq!((named, told.contains("delete_markers")), (64, true), "{told:?}");
    }
}
