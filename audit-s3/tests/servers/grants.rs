//! The printed policies, applied as printed, and everything that the writer may not do.

use audit_core::backend::{Backend, BackendError, Head};
use audit_core::conformance::Sample;
use audit_core::verify::{Class, LogReader as _};
use audit_s3::{Role, S3Reader, grants};
use real_servers::CephUser;

use crate::bucket::Bucket;
use crate::fixture::{Scene, ceph, soon, unique};

/// A bucket of the owner's, in which `user` has `role`.
fn granted(role: Role, mode: &str) -> (Scene, CephUser, Bucket) {
    let user = ceph().add_user(&format!("{}-{}", role.as_str(), unique())).expect("a user");
    let scene = Scene::on_ceph().with("mode", mode).without("allow_delete_right");
    let mut options = scene.options.clone();
    options.push(("principal".into(), format!("arn:aws:iam:::user/{}", user.name)));
    let policy = grants(role, &scene.url(), &options).expect("a policy");
    scene.bucket.set_policy(&policy).expect("the gateway takes the policy as printed");
    let bucket = Bucket::new(&ceph().endpoint(), &user, scene.bucket.name());
    (scene, user, bucket)
}

#[test]
fn the_writers_policy_is_enough_to_write_and_for_nothing_else() {
    for mode in ["compliance", "governance"] {
        let (scene, user, as_writer) = granted(Role::Writer, mode);
        let credentials = scene.credentials(&user).display().to_string();
        let scene = scene.with("credentials_file", &credentials);
        let (mut writer, head) = scene.with_lines(2);
        assert_eq!(writer.head(soon()).expect("it has a head"), head);
        let mut synchronizer = writer.synchronizer().expect("it is there");
        assert_eq!(synchronizer.inspect(soon()).expect("it may look"), []);
        assert_eq!(scene.writer().open(soon()).expect("it opens again").head, head);

        let key = scene.lines_key(0);
        let version = as_writer.versions(&key).remove(0);
        let denied = Err("AccessDenied".to_owned());
        assert_eq!(as_writer.delete_version(&key, &version), denied);
        assert_eq!(as_writer.put_delete_marker(&key), denied);
        assert_eq!(as_writer.shorten_retention(&key, "GOVERNANCE"), denied);
        assert_eq!(as_writer.shorten_retention(&key, "COMPLIANCE"), denied);
        assert_eq!(as_writer.set_versioning(false), denied);
        assert_eq!(as_writer.set_default_retention("GOVERNANCE", 1), denied);
        assert_eq!(as_writer.set_policy("{}").map_err(|code| code.replace("MethodNotAllowed", "AccessDenied")), denied);
        assert_eq!(as_writer.put("elsewhere/object", b"outside"), denied);
        let whole = Sample::after(Head::EMPTY).lines(3, "there");
        assert_eq!(as_writer.get(&key).as_deref(), Ok(whole.bytes()));
        assert_eq!(scene.bucket.versions(&key), [version]);
        assert_eq!(as_writer.lock(&key), Some((mode.to_ascii_uppercase(), 2)));
    }
}

#[test]
fn a_reader_reads_what_a_writer_wrote_and_the_buckets_owner_may_not() {
    let [writer, reader] = ["writer", "reader"].map(|role| {
        let user = ceph().add_user(&format!("{role}-{}", unique())).expect("a user");
        (role, user)
    });
    let scene = Scene::on_ceph().without("allow_delete_right");
    let mut statements = Vec::new();
    for ((name, user), role) in [(&writer, Role::Writer), (&reader, Role::Reader)] {
        let mut options = scene.options.clone();
        options.push(("principal".into(), format!("arn:aws:iam:::user/{}", user.name)));
        let policy = grants(role, &scene.url(), &options).expect("a policy");
        let policy: serde_json::Value = serde_json::from_str(&policy).expect("it is JSON");
        for mut statement in policy["Statement"].as_array().expect("statements").clone() {
            // Within one policy each has a name of its own.
            statement["Sid"] = format!("{name}{}", statement["Sid"].as_str().unwrap_or_default()).into();
            statements.push(statement);
        }
    }
    let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": statements });
    scene.bucket.set_policy(&policy.to_string()).expect("the gateway takes both");
    let [writing, reading] = [&writer, &reader].map(|(_, user)| scene.credentials(user).display().to_string());
    let scene = scene.with("credentials_file", &writing);
    let (_, head) = scene.with_lines(2);
    assert_eq!(scene.bucket.get(&scene.lines_key(0)), Err("AccessDenied".into()), "objects are their writer's");
    let scene = scene.with("credentials_file", &reading);
    let mut lines = audit_core::verify::Lines::from(&scene.reader(), 0).expect("lines");
    let mut count = 0;
    while lines.next_line().expect("a line").is_some() {
        count += 1;
    }
    assert_eq!(count, head.size);
    assert_eq!(scene.reader().inspect().expect("it may look"), []);
}

#[test]
fn the_readers_policy_is_enough_to_verify_and_not_to_write() {
    let (scene, user, as_reader) = granted(Role::Reader, "compliance");
    let owners = scene.with("allow_delete_right", "true");
    let (_, head) = owners.with_lines(2);
    let credentials = owners.credentials(&user).display().to_string();
    let as_granted = owners.with("credentials_file", &credentials);
    let reader = S3Reader::from_url(&as_granted.url(), &as_granted.options).expect("it may read");
    assert_eq!(reader.size().expect("it has a size"), head.size);
    assert!(reader.verifier_key().expect("it may read").is_some());
    let findings = reader.inspect().expect("it may look");
    assert!(findings.iter().all(|finding| finding.class == Class::Info), "{findings:?}");
    let denied = Err("AccessDenied".to_owned());
    let key = as_granted.lines_key(0);
    assert_eq!(as_reader.put(&key, b"other bytes\n"), denied);
    assert_eq!(as_reader.put_delete_marker(&key), denied);
    let mut writer = as_granted.writer();
    writer.open(soon()).expect("what is there may be read");
    let sample = Sample::after(head).lines(1, "not allowed");
    match writer.append(head, &sample.batch(), soon()) {
        Err(error @ BackendError::Unavailable { .. }) => {
            assert!(error.to_string().contains("the credentials may not do this"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_administrators_policy_configures_and_does_not_touch_objects() {
    let (scene, _, as_administrator) = granted(Role::Administrator, "compliance");
    let owners = scene.with("allow_delete_right", "true");
    owners.with_lines(1);
    as_administrator.set_default_retention("COMPLIANCE", 7).expect("it may");
    let denied = Err("AccessDenied".to_owned());
    let key = owners.lines_key(0);
    let version = owners.bucket.versions(&key).remove(0);
    assert_eq!(as_administrator.delete_version(&key, &version), denied);
    assert_eq!(as_administrator.put_delete_marker(&key), denied);
    assert_eq!(as_administrator.put(&key, b"other bytes\n"), denied);
}
