//! S3: a server that enforces conditional writes.

use std::process::Command;
use std::sync::OnceLock;

use real_servers::{Moto, free_port, python_program};
use tempfile::TempDir;

use crate::place::{Place, fleet_key, fresh, granted, write_log};
use crate::story;

/// Makes a locked bucket, or hides an object behind a delete marker.
const OWNER: &str = r#"
import sys, boto3
from botocore.config import Config
endpoint, bucket, what = sys.argv[1:4]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="owner",
                  aws_secret_access_key="secret", config=Config(s3={"addressing_style": "path"}))
if what == "make":
    s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
else:
    keys = [o["Key"] for o in s3.list_objects_v2(Bucket=bucket, Prefix=what + "/lines/")["Contents"]]
    s3.delete_object(Bucket=bucket, Key=keys[len(keys) // 2])
"#;

fn server() -> &'static Moto {
    static SERVER: OnceLock<Moto> = OnceLock::new();
    SERVER.get_or_init(|| Moto::start().expect("moto starts"))
}

/// A file with the writer's credentials.
fn credentials(folder: &TempDir) -> String {
    let file = folder.path().join("credentials");
    let text = "[default]\naws_access_key_id = writer\naws_secret_access_key = secret\n";
    std::fs::write(&file, text).expect("written");
    file.display().to_string()
}

/// A bucket of its own for one test.
struct Scene {
    place: Place,
    bucket: String,
    _folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let bucket = fresh("audit-logs-");
        let url = format!("s3://{bucket}/fleet");
        let query = format!(
            "?endpoint={}&credentials_file={}&retention_days=1&linger_ms=5&checkpoint_seconds=0&allow_delete_right=true",
            server().endpoint(),
            credentials(&folder)
        );
        let scene = Self { place: Place { writer: url.clone(), reader: url, query }, bucket, _folder: folder };
        scene.owner("make");
        scene
    }

    fn owner(&self, what: &str) {
        let python = python_program("python", "moto").expect("python");
        let arguments = ["-c", OWNER, &server().endpoint(), &self.bucket, what];
        let output = Command::new(python).args(arguments).output().expect("python");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_log_in_s3_is_verified_read_and_proved_by_url() {
    story::one_log(&Scene::new().place);
}

#[test]
fn logs_in_one_bucket_are_a_fleet() {
    story::a_fleet(&Scene::new().place);
}

#[test]
fn a_replica_in_s3_is_compared_with_its_primary() {
    story::a_replica(&Scene::new().place);
}

#[test]
fn a_log_in_s3_is_followed() {
    story::a_log_that_is_followed(&Scene::new().place);
}

#[test]
fn an_object_behind_a_delete_marker_is_tampering() {
    let scene = Scene::new();
    write_log(&fleet_key().0, scene.place.backend("hidden"));
    scene.owner("fleet/hidden");
    story::tampered(&scene.place, "hidden", &["hidden"]);
}

#[test]
fn an_s3_that_does_not_answer_leaves_the_question_open() {
    let folder = tempfile::tempdir().expect("a directory");
    let credentials = credentials(&folder);
    let url = |port: u16| {
        format!("s3://audit/log?endpoint=http://127.0.0.1:{port}&credentials_file={credentials}&read_timeout_ms=3000")
    };
    story::unreachable(&url(free_port().expect("a port")));
    story::hung(url);
}

#[test]
fn rights_in_s3_are_a_policy_in_json() {
    let policy = granted("s3", "writer", "s3://audit/fleet?retention_days=30");
    let policy: serde_json::Value = serde_json::from_str(&policy).expect("json");
    let text = policy["Statement"].to_string();
    assert!(text.contains("s3:PutObject") && text.contains("arn:aws:s3:::audit/fleet"), "{text}");
    let allowed: Vec<_> =
        policy["Statement"].as_array().expect("statements").iter().filter(|it| it["Effect"] == "Allow").collect();
    assert!(!allowed.is_empty() && allowed.iter().all(|it| !it["Action"].to_string().contains("Delete")), "{text}");
}
