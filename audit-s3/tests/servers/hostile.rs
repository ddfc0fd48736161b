//! What a stranger with rights may have left in the bucket, and what opening and reading make of it.

use audit_core::VerifierKey;
use audit_core::backend::{Backend, BackendError, Head};
use audit_core::conformance::{Sample, VERIFIER_KEY};
use audit_core::verify::{FindingKind, Judgement, LogReader as _, Verifier};
use real_servers::Moto;

use crate::fixture::{Scene, anybody, moto_with_short_pages, of_kind, soon};
use crate::front::{Front, refusal};

/// A log of six lines in two objects, signed up to the last one.
fn signed(scene: &Scene) -> Sample {
    let (mut writer, head) = scene.with_lines(2);
    let sample = Sample::after(Head::EMPTY).lines(6, "there");
    assert_eq!(sample.head(), head);
    let mut synchronizer = writer.synchronizer().expect("it is there");
    synchronizer.publish(&sample.checkpoint(6), &sample.range(6), soon()).expect("it is published");
    sample
}

/// Replaces an object as nobody can who is held back by its lock.
fn replace(scene: &Scene, key: &str, bytes: &[u8]) {
    let version = scene.bucket.versions(key).remove(0);
    scene.bucket.delete_version(key, &version).expect("governance is passed by");
    scene.bucket.put(key, bytes).expect("it is written");
}

#[track_caller]
fn tampered(scene: &Scene, at: Option<u64>) {
    match scene.writer().open(soon()) {
        Err(BackendError::Tampered { seq, .. }) => assert_eq!(seq, at),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_last_signed_line_that_was_edited_is_found_when_the_log_opens() {
    for place in [3, 5] {
        let scene = Scene::on_moto().with("mode", "governance");
        let sample = signed(&scene);
        let lines: Vec<u8> = (3..6)
            .flat_map(|at| {
                let line = String::from_utf8_lossy(sample.nth(at)).into_owned();
                if at == place { line.replace("there", "THERE") } else { line }.into_bytes()
            })
            .collect();
        replace(&scene, &scene.lines_key(3), &lines);
        if place == 5 {
            tampered(&scene, Some(5));
        } else {
            // Six lines end with a subtree of two: what stands before is the verifier's to find.
            scene.writer().open(soon()).expect("the end of the log is as it was");
        }
    }
}

#[test]
fn a_second_version_of_the_object_with_the_last_signed_line_is_refused() {
    let scene = Scene::on_moto();
    signed(&scene);
    scene.bucket.put(&scene.lines_key(3), b"other bytes\n").expect("it is written");
    tampered(&scene, Some(3));
}

#[test]
fn what_cannot_be_read_does_not_hide_what_can() {
    let front = Front::start();
    let scene = front.before(Scene::on_moto());
    let sample = signed(&scene);
    // Too large, and of the size of the first one but not readable.
    let large = vec![b'x'; 9 << 20];
    scene.bucket.put(&scene.lines_key(0), &large).expect("it is written");
    let same_size: Vec<u8> = (3..6).flat_map(|at| sample.nth(at).to_vec()).collect();
    scene.bucket.put(&scene.lines_key(3), &same_size).expect("it is written");
    let version = scene.bucket.versions(&scene.lines_key(3)).remove(0);
    front.say_to(&format!("versionId={version}"), &refusal("400 Bad Request", "InvalidRequest"));
    // New checkpoints that nobody can read.
    let key = |size: u64| format!("{}/checkpoints/{size:020}", scene.path);
    for (size, bytes) in [(7, large.as_slice()), (u64::MAX, b"encrypted")] {
        scene.bucket.put(&key(size), bytes).expect("it is written");
    }
    let version = scene.bucket.versions(&key(u64::MAX)).remove(0);
    front.say_to(&format!("versionId={version}"), &refusal("400 Bad Request", "InvalidRequest"));
    scene.bucket.put_delete_marker(&key(6)).expect("a lock allows that");

    let verdict = Verifier::new().key(VerifierKey::parse(VERIFIER_KEY).expect("a key")).run(&scene.reader());
    assert_eq!((verdict.judgement(), verdict.records), (Judgement::Tampered, 6), "{:?}", verdict.findings);
    let forked = of_kind(&verdict.findings, FindingKind::Forked);
    let places: Vec<_> = forked.iter().map(|finding| (finding.seq, finding.to)).collect();
    assert_eq!(places, [(Some(0), Some(2)), (Some(3), None)], "{:?}", verdict.findings);
    let says = |kind, word: &str| of_kind(&verdict.findings, kind).iter().any(|found| found.detail.contains(word));
    assert!(says(FindingKind::Hidden, &key(6)), "{:?}", verdict.findings);
    assert!(says(FindingKind::Hidden, "does not show its lock"), "{:?}", verdict.findings);
    for name in [format!("checkpoints/{:020}", 7), format!("checkpoints/{:020}", u64::MAX)] {
        assert!(verdict.findings.iter().any(|found| found.detail.contains(&name)), "{name}: {:?}", verdict.findings);
    }
}

#[test]
fn checkpoints_that_are_not_this_logs_are_refused() {
    let scene = Scene::on_moto();
    signed(&scene);
    let key = |size: u64| format!("{}/checkpoints/{size:020}", scene.path);
    scene.bucket.put(&key(9), b"no checkpoint").expect("it is written");
    tampered(&scene, None);

    let scene = Scene::on_moto();
    let sample = signed(&scene);
    let key = |size: u64| format!("{}/checkpoints/{size:020}", scene.path);
    // One that says more than there is.
    let longer = sample.clone().lines(3, "nowhere");
    scene.bucket.put(&key(9), &longer.checkpoint(9)).expect("it is written");
    tampered(&scene, Some(8));

    let scene = Scene::on_moto();
    let sample = signed(&scene);
    let key = |size: u64| format!("{}/checkpoints/{size:020}", scene.path);
    // One under the name of another size, and a second version of the newest.
    scene.bucket.put(&key(7), &sample.checkpoint(5)).expect("it is written");
    tampered(&scene, None);
    let scene = Scene::on_moto();
    let sample = signed(&scene);
    scene.bucket.put(&format!("{}/checkpoints/{:020}", scene.path, 6), &sample.checkpoint(5)).expect("it is written");
    tampered(&scene, None);
}

#[test]
fn numbers_at_the_end_of_their_range_do_not_keep_a_search_going() {
    let scene = Scene::on_this_moto(moto_with_short_pages());
    signed(&scene);
    for number in 0..12_u64 {
        let key = format!("{}/checkpoints/{:020}", scene.path, u64::MAX - 5_000 + number * 400);
        scene.bucket.put(&key, b"no checkpoint").expect("it is written");
    }
    tampered(&scene, None);
    let newest = scene.reader().checkpoint().expect("it is read");
    assert_eq!(newest.as_deref(), Some(b"no checkpoint".as_slice()), "a verifier is shown what is there");
}

#[test]
fn a_compact_range_that_is_wrong_is_not_believed() {
    let scene = Scene::on_moto().with("mode", "governance");
    let sample = signed(&scene);
    let key = format!("{}/checkpoints/{:020}.peaks", scene.path, 6);
    assert_eq!(scene.writer().open(soon()).expect("it opens").signed_range, Some(sample.range(6)));
    replace(&scene, &key, &[7; 64]);
    let opened = scene.writer().open(soon()).expect("it opens all the same");
    assert_eq!((opened.signed_range, opened.head), (None, sample.head()));
}

#[test]
fn lines_that_do_not_chain_behind_the_newest_checkpoint_are_refused() {
    for bytes in [b"{\"v\":1}\n".as_slice(), b"unended", b"", b"\n"] {
        let scene = Scene::on_moto();
        signed(&scene);
        scene.bucket.put(&scene.lines_key(6), bytes).expect("it is written");
        tampered(&scene, Some(6));
    }
    let scene = Scene::on_moto();
    signed(&scene);
    scene.bucket.put(&scene.lines_key(8), b"{}\n").expect("it is written");
    tampered(&scene, Some(6));
    let scene = Scene::on_moto();
    signed(&scene);
    scene.bucket.put(&scene.lines_key(4), b"{}\n").expect("it is written");
    tampered(&scene, Some(5));
}

#[test]
fn an_object_larger_than_any_log_leaves_is_not_read() {
    let scene = Scene::on_moto();
    signed(&scene);
    scene.bucket.put(&scene.lines_key(6), &vec![b'x'; 9 << 20]).expect("it is written");
    let opened = scene.writer().open(soon());
    assert!(matches!(&opened, Err(BackendError::Tampered { .. })), "{opened:?}");
    let size = scene.reader().size();
    assert!(size.is_err_and(|error| error.to_string().contains("no log leaves an object like that")));
}

#[test]
fn opening_costs_a_few_dozen_requests_however_long_the_log_is() {
    let server = Moto::with_pages_of(5).expect("moto starts");
    let scene = Scene::new(&server.endpoint(), &anybody()).with("allow_delete_right", "true");
    scene.bucket.make_locked();
    let mut writer = scene.created();
    let mut synchronizer = writer.synchronizer().expect("it is there");
    let mut whole = Sample::after(Head::EMPTY);
    let mut costs = Vec::new();
    for round in 0..150_usize {
        let sample = Sample::after(whole.head()).lines(1 + round % 7, "there");
        writer.append(whole.head(), &sample.batch(), soon()).expect("it is appended");
        whole = whole.lines(1 + round % 7, "there");
        let count = usize::try_from(whole.head().size).expect("a few");
        synchronizer.publish(&whole.checkpoint(count), &whole.range(count), soon()).expect("it is published");
        if [14, 149].contains(&round) {
            let before = server.requests().expect("they are counted");
            let opened = scene.writer().open(soon()).expect("it opens");
            assert_eq!(opened.head, whole.head());
            assert_eq!(opened.signed_range, Some(whole.range(count)));
            costs.push(server.requests().expect("they are counted") - before);
        }
    }
    // Three hundred keys are sixty of these pages.
    assert!(costs[1] <= 40 && costs[1] <= costs[0] * 2, "{costs:?}");
}
