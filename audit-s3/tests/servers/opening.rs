//! What is refused when a log is opened, and what the sentence says.

use std::process::Command;

use audit_core::backend::{Backend, BackendError, Durability, Fencing, Head};
use audit_core::conformance::Sample;
use audit_s3::S3;

use crate::fixture::{Scene, anybody, ceph, moto, soon};
use crate::front::Front;

/// What the store says when it refuses for good.
fn refusal(scene: &Scene) -> String {
    match scene.writer().open(soon()) {
        Err(BackendError::Misconfigured { detail }) => detail,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[track_caller]
fn says(detail: &str, words: &[&str]) {
    for word in words {
        assert!(detail.contains(word), "{word:?} is not in {detail:?}");
    }
}

#[test]
fn a_bucket_without_versioning_is_refused() {
    for scene in [Scene::new(&moto().endpoint(), &anybody()), Scene::new(&ceph().endpoint(), ceph().owner())] {
        scene.bucket.make();
        says(&refusal(&scene), &[scene.bucket.name(), "versioning is not enabled", "make a bucket with Object Lock"]);
    }
}

#[test]
fn a_bucket_with_versioning_and_without_lock_is_refused() {
    for scene in [Scene::new(&moto().endpoint(), &anybody()), Scene::new(&ceph().endpoint(), ceph().owner())] {
        scene.bucket.make();
        scene.bucket.set_versioning(true).expect("versioning is enabled");
        says(&refusal(&scene), &[scene.bucket.name(), "Object Lock is not enabled"]);
    }
}

#[test]
fn a_log_without_any_retention_is_refused() {
    let scene = Scene::on_moto().without("retention_days");
    says(&refusal(&scene), &["no default retention", "set retention_days"]);
}

#[test]
fn a_default_retention_is_enough_and_is_what_objects_get() {
    let scene = Scene::on_ceph().without("retention_days");
    scene.bucket.set_default_retention("COMPLIANCE", 3).expect("the default is set");
    let (writer, _) = scene.with_lines(1);
    assert_eq!(writer.capabilities().append, Durability::Locked);
    assert_eq!(scene.bucket.lock(&scene.lines_key(0)), Some(("COMPLIANCE".into(), 3)));
}

#[test]
fn every_object_is_locked_as_the_log_asks() {
    let scene = Scene::on_ceph().with("retention_days", "5").with("mode", "governance");
    let (mut writer, head) = scene.with_lines(1);
    let sample = Sample::after(Head::EMPTY).lines(3, "there");
    let mut synchronizer = writer.synchronizer().expect("it is there");
    synchronizer.publish(&sample.checkpoint(3), &sample.range(3), soon()).expect("it is published");
    assert_eq!(head.size, 3);
    assert_eq!(writer.capabilities().append, Durability::Synced, "somebody may pass by a governance lock");
    let keys = scene.bucket.keys(&scene.path);
    assert_eq!(keys.len(), 5, "{keys:?}");
    for key in keys {
        assert_eq!(scene.bucket.lock(&key), Some(("GOVERNANCE".into(), 5)), "{key}");
    }
}

#[test]
fn a_store_that_ignores_conditional_writes_is_refused_as_a_primary() {
    let scene = Scene::on_ceph().with("fencing", "enforce");
    says(&refusal(&scene), &["ignores If-None-Match", "cannot be a primary", "fencing=detect"]);
}

#[test]
fn what_was_found_about_fencing_is_what_is_said() {
    let scene = Scene::on_ceph();
    let mut detecting = scene.writer();
    detecting.open(soon()).expect("it opens");
    assert_eq!(detecting.capabilities().fencing, Fencing::Detected);
    // One that enforces conditions is not worse for being asked to detect.
    let scene = Scene::on_moto().with("fencing", "detect");
    let mut enforcing = scene.writer();
    enforcing.open(soon()).expect("it opens");
    assert_eq!(enforcing.capabilities().fencing, Fencing::Enforced);
}

#[test]
fn opening_again_and_again_leaves_nothing_behind() {
    for scene in [Scene::on_moto(), Scene::on_ceph()] {
        scene.with_lines(1);
        let before = scene.bucket.keys(&scene.path);
        let versions = scene.bucket.versions(&format!("{}/probe", scene.path));
        for _ in 0..3 {
            scene.writer().open(soon()).expect("it opens");
        }
        assert_eq!(scene.bucket.keys(&scene.path), before);
        assert_eq!(scene.bucket.versions(&format!("{}/probe", scene.path)), versions);
    }
}

#[test]
fn credentials_that_may_delete_are_refused() {
    for scene in [Scene::on_moto(), Scene::on_ceph()] {
        let scene = scene.without("allow_delete_right");
        says(&refusal(&scene), &["s3:DeleteObjectVersion", "audit grants s3", "allow_delete_right=true"]);
    }
}

#[test]
fn credentials_that_may_only_hide_objects_are_refused() {
    let scene = Scene::on_ceph().without("allow_delete_right");
    let name = scene.bucket.name();
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":{{"AWS":["arn:aws:iam:::user/owner"]}},
            "Action":["s3:DeleteObjectVersion"],"Resource":["arn:aws:s3:::{name}/*"]}}]}}"#
    );
    scene.bucket.set_policy(&policy).expect("the policy is set");
    says(&refusal(&scene), &["may call s3:DeleteObject,"]);
}

#[test]
fn wrong_credentials_are_refused_by_their_name() {
    let stranger = real_servers::CephUser {
        name: "stranger".into(),
        access_key: "AKNOBODYKNOWS".into(),
        secret_key: "secret".into(),
    };
    let scene = Scene::on_ceph();
    let file = scene.credentials(&stranger).display().to_string();
    let scene = scene.with("credentials_file", &file);
    says(&refusal(&scene), &["does not know this access key", &file]);

    let mut liar = ceph().owner().clone();
    liar.name = "liar".into();
    liar.secret_key = "not the secret".into();
    let file = scene.credentials(&liar).display().to_string();
    says(&refusal(&scene.with("credentials_file", &file)), &["secret key is not the one of this access key"]);
}

#[test]
fn missing_credentials_are_said_to_be_missing() {
    let scene = Scene::on_moto();
    let file = scene.folder().join("nothing").display().to_string();
    says(&refusal(&Scene::on_moto().with("credentials_file", &file)), &[&file, "No such file"]);
    let scene = scene.with("profile", "absent");
    says(&refusal(&scene), &["there is no profile [absent]"]);
}

#[test]
fn a_store_that_takes_a_lock_and_does_not_keep_it_is_refused() {
    let front = Front::start();
    let scene = front.before(Scene::on_moto());
    // A store that knows nothing of locks passes over the headers that ask for them.
    front.replace("x-amz-object-lock-", "x-amz-meta-passed-");
    says(&refusal(&scene), &["probe has no lock, or one that may not be seen", "s3:GetObjectRetention"]);
}

#[test]
fn a_pipe_is_no_file_of_credentials_and_is_not_waited_for() {
    for (setting, others) in [("credentials_file", ""), ("ca_file", "https://127.0.0.1:1")] {
        let mut scene = Scene::on_moto();
        let pipe = scene.folder().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("it runs").success());
        if !others.is_empty() {
            scene = scene.with("endpoint", others);
        }
        let scene = scene.with(setting, &pipe.display().to_string());
        let mut writer = scene.writer();
        let (told, opened) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            // Nobody listens any more when the test has failed.
            let _ = told.send(writer.open(soon()).map_err(|error| error.to_string()));
        });
        match opened.recv_timeout(std::time::Duration::from_secs(10)).expect("it is not waited for") {
            Err(error) => says(&error, &["pipe", "not a regular file"]),
            Ok(opened) => panic!("{setting}: {opened:?}"),
        }
    }
}

#[test]
fn a_log_has_one_place_however_it_is_reached_and_no_other_log_has_it() {
    let front = Front::start();
    for scene in [Scene::on_moto(), Scene::on_ceph()] {
        let at = |scene: &Scene| {
            let mut writer = scene.writer();
            assert_eq!(writer.place(), None, "nobody was asked yet");
            writer.open(soon()).expect("it opens");
            writer.place().expect("it is somewhere")
        };
        let empty = at(&scene);
        let mut writer = scene.created();
        assert_eq!(writer.place().as_ref(), Some(&empty));
        writer.open(soon()).expect("it opens");
        assert_eq!(at(&scene), empty);
        let other = Scene::on_moto();
        assert_ne!(at(&other), empty);
    }
    let scene = Scene::on_moto();
    let mut direct = scene.created();
    direct.open(soon()).expect("it opens");
    let scene = front.before(scene);
    let mut through = scene.writer();
    through.open(soon()).expect("it opens");
    assert_eq!(through.place(), direct.place());
}

#[test]
fn a_bucket_that_is_not_there_is_named() {
    let scene = Scene::new(&ceph().endpoint(), ceph().owner());
    says(&refusal(&scene), &["there is no such bucket", scene.bucket.name()]);
}

#[test]
fn lines_without_a_verifier_key_are_no_empty_store() {
    let scene = Scene::on_moto();
    scene.bucket.put(&scene.lines_key(0), b"{}\n").expect("it is written");
    says(&refusal(&scene), &["log.pub is missing", "put back the verifier key"]);
}

/// Runs this test once more as a process of its own, with `environment` and nothing else of AWS.
fn in_a_process(name: &str, url: &str, environment: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args([name, "--exact", "--nocapture"])
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env_remove("AWS_SESSION_TOKEN")
        .env("AUDIT_S3_TEST_URL", url)
        .envs(environment.iter().copied())
        .output()
        .expect("it runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn credentials_come_from_the_environment_of_the_process() {
    if let Ok(url) = std::env::var("AUDIT_S3_TEST_URL") {
        let opened = S3::from_url(&url, &[]).expect("the URL is good").open(soon());
        println!("opened: {opened:?}");
        return;
    }
    let name = "opening::credentials_come_from_the_environment_of_the_process";
    let scene = Scene::on_ceph();
    let url = format!(
        "{}?endpoint={}&retention_days=2&fencing=detect&allow_delete_right=true",
        scene.url(),
        ceph().endpoint()
    );
    let owner = ceph().owner();
    let keys = [("AWS_ACCESS_KEY_ID", owner.access_key.as_str()), ("AWS_SECRET_ACCESS_KEY", &owner.secret_key)];
    says(&in_a_process(name, &url, &keys), &["opened: Ok"]);
    says(&in_a_process(name, &url, &keys[..1]), &["no access key with its secret in the environment"]);
    let wrong = [keys[0], ("AWS_SECRET_ACCESS_KEY", "wrong")];
    says(&in_a_process(name, &url, &wrong), &["secret key is not the one of this access key", "AWS_SECRET_ACCESS_KEY"]);
}
