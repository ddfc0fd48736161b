//! Two kinds of S3: moto, which enforces conditional writes, and Ceph's gateway, which enforces locks.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use audit_s3::{Role, grants};
use real_servers::{Ceph, CephStore, CephUser, Failure, Moto, python_program};
use serde_json::{Value, json};

use crate::purpose::Purpose;
use crate::store::{Front, Store, configuration, secret};

/// The servers, and their usual ports in front of them.
#[derive(Debug)]
pub(crate) struct KeptS3 {
    pub(crate) conditional: Store,
    pub(crate) locked: Store,
    _fronts: [Front; 2],
    _moto: Moto,
    _ceph: Ceph,
}

/// Starts them, and writes `s3.toml`: the one that can be a primary is, the other is its replica.
pub(crate) fn start(folder: &Path, purpose: Purpose) -> Result<KeptS3, Failure> {
    let moto = Moto::start()?;
    let ceph = Ceph::start(CephStore::Disk)?;
    let fronts = [purpose.front(MOTO_PORT, moto.port())?, purpose.front(CEPH_PORT, ceph.port())?];
    let [moto_endpoint, ceph_endpoint] = fronts.each_ref().map(|front| format!("http://127.0.0.1:{}", front.port));

    let (writer, reader) = (ceph.add_user("writer")?, ceph.add_user("reader")?);
    make_bucket(&ceph_endpoint, ceph.owner(), &policy()?)?;
    make_bucket(&moto_endpoint, ceph.owner(), "")?;
    let users = [ceph.owner(), &writer, &reader].map(profile).concat();
    let users = secret(folder, "s3.credentials", &users)?.display().to_string();
    let settings = |endpoint: &str| {
        vec![("endpoint", endpoint.to_owned()), ("credentials_file", users.clone()), ("profile", "writer".to_owned())]
    };
    let mut conditional = Store {
        server: "moto: enforces conditional writes, and asks nobody what they may do",
        url: format!("s3://{BUCKET}/payments"),
        settings: settings(&moto_endpoint),
    };
    conditional.settings.push(("allow_delete_right", "true".into()));
    let mut locked = Store {
        server: "Ceph RADOS Gateway: enforces locks, ignores conditional writes; profiles [owner] [writer] [reader]",
        url: format!("s3://{BUCKET}/payments"),
        settings: settings(&ceph_endpoint),
    };
    locked.settings.push(("fencing", "detect".into()));
    configuration(folder, "s3.toml", &[&conditional, &locked])?;
    Ok(KeptS3 { conditional, locked, _fronts: fronts, _moto: moto, _ceph: ceph })
}

/// What `audit grants s3` prints for the writer and for the reader, as one policy of the bucket.
fn policy() -> Result<String, Failure> {
    let mut statements = Vec::new();
    for (role, user) in [(Role::Writer, "writer"), (Role::Reader, "reader")] {
        let options = [("fencing", "detect".to_owned()), ("principal", format!("arn:aws:iam:::user/{user}"))];
        let options = options.map(|(name, value)| (name.to_owned(), value));
        let policy: Value = serde_json::from_str(&grants(role, &format!("s3://{BUCKET}"), &options)?)?;
        for mut statement in policy["Statement"].as_array().cloned().unwrap_or_default() {
            // Within one policy each has a name of its own.
            statement["Sid"] = format!("{user}{}", statement["Sid"].as_str().unwrap_or_default()).into();
            statements.push(statement);
        }
    }
    Ok(json!({ "Version": "2012-10-17", "Statement": statements }).to_string())
}

/// A part of a file in the form of `~/.aws/credentials`.
fn profile(user: &CephUser) -> String {
    format!("[{}]\naws_access_key_id = {}\naws_secret_access_key = {}\n\n", user.name, user.access_key, user.secret_key)
}

fn make_bucket(endpoint: &str, owner: &CephUser, policy: &str) -> Result<(), Failure> {
    let mut python = Command::new(python_program("python", "moto")?)
        .args(["-c", include_str!("bucket.py"), endpoint, BUCKET])
        .env("AWS_ACCESS_KEY_ID", &owner.access_key)
        .env("AWS_SECRET_ACCESS_KEY", &owner.secret_key)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = python.stdin.take() {
        stdin.write_all(policy.as_bytes())?;
    }
    let output = python.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("no bucket at {endpoint}: {}", said.trim()).into())
}

const BUCKET: &str = "audit";
const MOTO_PORT: u16 = 15_000;
const CEPH_PORT: u16 = 17_480;
