//! The printed policies, applied as printed, and everything that the writer may not do.

use audit_core::backend::{Backend, BackendError};
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
        assert_eq!(as_writer.get(&key), scene.bucket.get(&key));
        assert_eq!(scene.bucket.versions(&key), [version]);
        assert_eq!(scene.bucket.lock(&key), Some((mode.to_ascii_uppercase(), 2)));
    }
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
    let refused = as_granted.with("allow_delete_right", "true").writer().open(soon());
    assert!(
        matches!(&refused, Err(BackendError::Misconfigured { detail }) if detail.contains("credentials may not")),
        "{refused:?}"
    );
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
