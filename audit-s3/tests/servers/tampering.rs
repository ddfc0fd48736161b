//! What somebody may do to a bucket, and who says so.

use audit_core::VerifierKey;
use audit_core::backend::{Backend, BackendError, Durability};
use audit_core::conformance::{Sample, VERIFIER_KEY};
use audit_core::verify::{Class, FindingKind, Judgement, LineSource, LogReader, Piece, Verifier};

use crate::fixture::{Scene, ceph, of_kind, soon};

fn everything(source: &mut dyn LineSource) -> Vec<u8> {
    let (mut all, mut buffer) = (Vec::new(), vec![0; 512]);
    loop {
        match source.read(&mut buffer).expect("it is read") {
            Piece::Bytes(count) => all.extend_from_slice(&buffer[..count]),
            Piece::End => return all,
            _ => {}
        }
    }
}

#[test]
fn a_delete_marker_hides_nothing_from_a_reader_and_is_a_finding() {
    for scene in [Scene::on_moto(), Scene::on_ceph()] {
        let (mut writer, head) = scene.with_lines(4);
        let before = everything(scene.reader().lines(0).expect("lines").as_mut());
        scene.bucket.put_delete_marker(&scene.lines_key(3)).expect("a lock allows that");
        scene.bucket.put_delete_marker(&scene.lines_key(9)).expect("a lock allows that");
        let reader = scene.reader();
        assert_eq!(everything(reader.lines(0).expect("lines").as_mut()), before);
        assert_eq!(reader.size().expect("it has a size"), head.size);
        let findings = reader.inspect().expect("it is inspected");
        let hidden = of_kind(&findings, FindingKind::Hidden);
        let places: Vec<_> = hidden.iter().map(|finding| (finding.class, finding.seq, finding.to)).collect();
        assert_eq!(places, [(Class::Tamper, Some(3), Some(5)), (Class::Tamper, Some(9), None)], "{findings:?}");
        // The writer goes on, opens again at the same place, and is told while it is open.
        let concerns = writer.synchronizer().expect("it is there").inspect(soon()).expect("it is inspected");
        assert!(concerns.iter().any(|concern| concern.setting.starts_with("delete_markers ")), "{concerns:?}");
        assert_eq!(scene.writer().open(soon()).expect("it opens").head, head);
    }
}

#[test]
fn a_version_written_over_is_a_fork_and_the_log_still_reads_as_it_was() {
    for scene in [Scene::on_moto(), Scene::on_ceph()] {
        scene.with_lines(3);
        let before = everything(scene.reader().lines(0).expect("lines").as_mut());
        scene.bucket.put(&scene.lines_key(3), b"{\"forged\":true}\n").expect("a lock allows that");
        let reader = scene.reader();
        assert_eq!(everything(reader.lines(0).expect("lines").as_mut()), before);
        let findings = reader.inspect().expect("it is inspected");
        let forked = of_kind(&findings, FindingKind::Forked);
        assert_eq!((forked.len(), forked[0].seq, forked[0].to), (1, Some(3), Some(5)), "{findings:?}");
    }
}

#[test]
fn nobody_deletes_or_shortens_under_a_compliance_lock() {
    let scene = Scene::on_ceph();
    scene.with_lines(1);
    let key = scene.lines_key(0);
    let version = scene.bucket.versions(&key).remove(0);
    assert_eq!(scene.bucket.delete_version(&key, &version), Err("AccessDenied".into()));
    assert_eq!(scene.bucket.shorten_retention(&key, "COMPLIANCE"), Err("AccessDenied".into()));
    assert_eq!(scene.bucket.shorten_retention(&key, "GOVERNANCE"), Err("AccessDenied".into()));
    assert!(scene.bucket.set_versioning(false).is_err());
    assert_eq!(scene.bucket.lock(&key), Some(("COMPLIANCE".into(), 2)));
    assert!(scene.reader().inspect().expect("it is inspected").is_empty());
}

#[test]
fn a_lock_that_was_shortened_is_a_warning_to_readers_and_a_concern_to_the_writer() {
    // moto lets everybody shorten a lock.
    let scene = Scene::on_moto();
    let (mut writer, _) = scene.with_lines(3);
    let mut synchronizer = writer.synchronizer().expect("it is there");
    assert_eq!(synchronizer.inspect(soon()).expect("it is inspected"), []);
    scene.bucket.shorten_retention(&scene.lines_key(3), "COMPLIANCE").expect("moto allows it");
    scene.bucket.shorten_retention(&scene.lines_key(6), "GOVERNANCE").expect("moto allows it");
    for delivered in [true, false] {
        let reader = scene.reader();
        if delivered {
            everything(reader.lines(0).expect("lines").as_mut());
        }
        let findings = reader.inspect().expect("it is inspected");
        let places: Vec<_> = findings.iter().map(|finding| (finding.class, finding.seq, finding.to)).collect();
        assert_eq!(places, [(Class::Warning, Some(3), Some(6))], "{findings:?}");
        assert!(findings[0].detail.contains("was locked until"), "{findings:?}");
    }
    let concerns = synchronizer.inspect(soon()).expect("it is inspected");
    assert!(concerns.iter().any(|concern| concern.setting == "retention"), "{concerns:?}");
}

#[test]
fn versioning_that_is_suspended_while_the_log_is_open_is_a_concern() {
    // moto lets versioning of a locked bucket be suspended.
    let scene = Scene::on_moto();
    let (mut writer, _) = scene.with_lines(1);
    let mut synchronizer = writer.synchronizer().expect("it is there");
    assert_eq!(synchronizer.inspect(soon()).expect("it is inspected"), []);
    scene.bucket.set_versioning(false).expect("moto allows it");
    let concerns = synchronizer.inspect(soon()).expect("it is inspected");
    let settings: Vec<&str> = concerns.iter().map(|concern| concern.setting.as_str()).collect();
    assert_eq!(settings, ["versioning"], "{concerns:?}");
}

#[test]
fn a_default_retention_that_is_shortened_is_a_concern_to_a_log_that_relies_on_it() {
    for relies in [true, false] {
        let scene = Scene::on_ceph();
        let scene = if relies { scene.without("retention_days") } else { scene };
        scene.bucket.set_default_retention("COMPLIANCE", 3).expect("the default is set");
        let (mut writer, head) = scene.with_lines(1);
        let mut synchronizer = writer.synchronizer().expect("it is there");
        assert_eq!(synchronizer.inspect(soon()).expect("it is inspected"), []);
        scene.bucket.set_default_retention("GOVERNANCE", 1).expect("the default is changed");
        let concerns = synchronizer.inspect(soon()).expect("it is inspected");
        // What is acknowledged is locked as it was said to be when the log was opened.
        let sample = Sample::after(head).lines(2, "later");
        assert_eq!(writer.append(head, &sample.batch(), soon()).expect("it is appended"), Durability::Locked);
        let lock = if relies { 3 } else { 2 };
        assert_eq!(scene.bucket.lock(&scene.lines_key(3)), Some(("COMPLIANCE".into(), lock)));
        assert_eq!(concerns.len(), usize::from(relies), "{concerns:?}");
        for concern in concerns {
            assert_eq!(concern.setting, "default_retention");
            assert!(concern.detail.contains("was 3 days, compliance and is 1 days, governance now"), "{concern}");
        }
    }
}

#[test]
fn a_right_to_delete_that_is_given_later_is_a_concern() {
    let scene = Scene::on_ceph().without("allow_delete_right");
    let name = scene.bucket.name().to_owned();
    let deny = |actions: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":{{"AWS":["arn:aws:iam:::user/owner"]}},
                "Action":[{actions}],"Resource":["arn:aws:s3:::{name}/*"]}}]}}"#
        )
    };
    scene.bucket.set_policy(&deny(r#""s3:DeleteObject","s3:DeleteObjectVersion""#)).expect("the policy is set");
    let (mut writer, _) = scene.with_lines(1);
    let mut synchronizer = writer.synchronizer().expect("it is there");
    assert_eq!(synchronizer.inspect(soon()).expect("it is inspected"), []);
    scene.bucket.set_policy(&deny(r#""s3:DeleteObject""#)).expect("the policy is set");
    let concerns = synchronizer.inspect(soon()).expect("it is inspected");
    assert_eq!(concerns.len(), 1, "{concerns:?}");
    assert_eq!(concerns[0].setting, "delete_right");
}

#[test]
fn an_object_in_the_middle_that_is_deleted_is_missing_exactly_there() {
    // moto deletes under a lock when governance is passed by; the gateway's operator stands above it.
    let moto = Scene::on_moto().with("mode", "governance");
    moto.with_lines(5);
    let key = moto.lines_key(6);
    let version = moto.bucket.versions(&key).remove(0);
    moto.bucket.delete_version(&key, &version).expect("governance is passed by");

    let gateway = Scene::on_ceph();
    gateway.with_lines(5);
    let key = gateway.lines_key(6);
    let version = gateway.bucket.versions(&key).remove(0);
    ceph().delete_as_operator(gateway.bucket.name(), &key, &version).expect("the operator may");
    assert!(gateway.bucket.versions(&key).is_empty());

    for scene in [moto, gateway] {
        let verdict = Verifier::new().key(VerifierKey::parse(VERIFIER_KEY).expect("a key")).run(&scene.reader());
        assert_eq!(verdict.judgement(), Judgement::Tampered);
        let missing = of_kind(&verdict.findings, FindingKind::Missing);
        assert_eq!((missing.len(), missing[0].seq, missing[0].to), (1, Some(6), Some(8)), "{:?}", verdict.findings);
        let refused = scene.writer().open(soon());
        assert!(matches!(refused, Err(BackendError::Tampered { seq: Some(6), .. })), "{refused:?}");
    }
}

#[test]
fn an_acknowledged_object_that_is_deleted_while_the_log_is_open_is_a_concern() {
    let scene = Scene::on_ceph();
    let (mut writer, _) = scene.with_lines(2);
    let key = scene.lines_key(3);
    let version = scene.bucket.versions(&key).remove(0);
    ceph().delete_as_operator(scene.bucket.name(), &key, &version).expect("the operator may");
    let concerns = writer.synchronizer().expect("it is there").inspect(soon()).expect("it is inspected");
    assert!(concerns.iter().any(|concern| concern.setting == "deleted"), "{concerns:?}");
}

#[test]
fn what_a_reader_keeps_in_memory_is_bounded_however_much_is_there() {
    let scene = Scene::on_ceph();
    scene.with_lines(1);
    let key = |size: u64| format!("{}/checkpoints/{size:020}", scene.path);
    for size in 1..=1_100 {
        scene.bucket.put(&key(size), b"a checkpoint").expect("it is written");
    }
    let kept = scene.reader().kept_checkpoints().expect("they are read");
    assert!((512..=1_024).contains(&kept.len()), "{}", kept.len());
    assert_eq!(kept[0].0, format!("checkpoints/{:020}", 1));
    assert!(kept.is_sorted());

    for size in 1..=1_100 {
        scene.bucket.put_delete_marker(&key(size)).expect("a lock allows that");
    }
    let findings = scene.reader().inspect().expect("it is inspected");
    assert_eq!(of_kind(&findings, FindingKind::Hidden).len(), 1_001, "a thousand, and a count of the rest");
    assert!(findings.last().is_some_and(|last| last.detail.contains("101 more")), "{:?}", findings.last());
}
