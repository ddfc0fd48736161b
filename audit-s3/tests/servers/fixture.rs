//! Servers that tests share, and logs on them.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use audit_core::Key;
use audit_core::backend::{Backend, Head};
use audit_core::conformance::{Sample, VERIFIER_KEY};
use audit_core::verify::{Finding, FindingKind};
use audit_s3::{S3, S3Reader};
use real_servers::{Ceph, CephStore, CephUser, Moto};
use tempfile::TempDir;

use crate::bucket::Bucket;

/// The server that enforces conditional writes, for all tests that leave it as it is.
pub(crate) fn moto() -> &'static Moto {
    static MOTO: OnceLock<Moto> = OnceLock::new();
    MOTO.get_or_init(|| Moto::start().expect("moto starts"))
}

/// The same with few keys on a page.
pub(crate) fn moto_with_short_pages() -> &'static Moto {
    static MOTO: OnceLock<Moto> = OnceLock::new();
    MOTO.get_or_init(|| Moto::with_pages_of(5).expect("moto starts"))
}

/// The server that enforces locks, for all tests that leave it as it is.
pub(crate) fn ceph() -> &'static Ceph {
    static CEPH: OnceLock<Ceph> = OnceLock::new();
    CEPH.get_or_init(|| Ceph::start(CephStore::Memory).expect("Ceph starts"))
}

/// A number that no other test has.
pub(crate) fn unique() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Whoever owns buckets on moto, which takes anybody.
pub(crate) fn anybody() -> CephUser {
    CephUser { name: "anybody".into(), access_key: "AKIDANYBODY".into(), secret_key: "secret".into() }
}

/// A bucket with a log in it, and how to reach it.
pub(crate) struct Scene {
    pub(crate) bucket: Bucket,
    pub(crate) options: Vec<(String, String)>,
    pub(crate) path: String,
    folder: TempDir,
}

impl Scene {
    /// A locked bucket on moto.
    pub(crate) fn on_moto() -> Self {
        Self::on_this_moto(moto())
    }

    pub(crate) fn on_this_moto(server: &Moto) -> Self {
        let scene = Self::new(&server.endpoint(), &anybody());
        scene.bucket.make_locked();
        scene.with("allow_delete_right", "true")
    }

    /// A locked bucket on the shared gateway, whose owner writes.
    pub(crate) fn on_ceph() -> Self {
        Self::on_this_ceph(ceph())
    }

    pub(crate) fn on_this_ceph(server: &Ceph) -> Self {
        let scene = Self::new(&server.endpoint(), server.owner());
        scene.bucket.make_locked();
        scene.with("allow_delete_right", "true").with("fencing", "detect")
    }

    /// A bucket that is not made yet, and a log with a retention of its own.
    pub(crate) fn new(endpoint: &str, owner: &CephUser) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let number = unique();
        let bucket = Bucket::new(endpoint, owner, &format!("audit-{}-{number}", std::process::id()));
        let mut scene = Self { bucket, options: Vec::new(), path: format!("fleet/log-{number}"), folder };
        let credentials = scene.credentials(owner);
        for (key, value) in [
            ("endpoint", endpoint),
            ("credentials_file", &credentials.display().to_string()),
            ("retention_days", "2"),
            ("linger_ms", "5"),
            ("checkpoint_seconds", "0"),
        ] {
            scene = scene.with(key, value);
        }
        scene
    }

    /// The same with another setting.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.options.retain(|(known, _)| known != key);
        self.options.push((key.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, key: &str) -> Self {
        self.options.retain(|(known, _)| known != key);
        self
    }

    /// A file with the credentials of `user`.
    pub(crate) fn credentials(&self, user: &CephUser) -> PathBuf {
        let path = self.folder.path().join(format!("{}.credentials", user.name));
        let text = format!(
            "[other]\naws_access_key_id = wrong\n\n[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            user.access_key, user.secret_key
        );
        std::fs::write(&path, text).expect("the credentials are written");
        path
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(crate) fn url(&self) -> String {
        format!("s3://{}/{}", self.bucket.name(), self.path)
    }

    pub(crate) fn writer(&self) -> S3 {
        S3::from_url(&self.url(), &self.options).expect("the URL is good")
    }

    pub(crate) fn reader(&self) -> S3Reader {
        S3Reader::from_url(&self.url(), &self.options).expect("there is a log")
    }

    /// A writer with a new log of `batches` batches of three lines.
    pub(crate) fn with_lines(&self, batches: usize) -> (S3, Head) {
        let mut writer = self.created();
        let mut head = Head::EMPTY;
        for _ in 0..batches {
            let sample = Sample::after(head).lines(3, "there");
            writer.append(head, &sample.batch(), soon()).expect("the lines are appended");
            head = sample.head();
        }
        (writer, head)
    }

    pub(crate) fn created(&self) -> S3 {
        let mut writer = self.writer();
        writer.open(soon()).expect("the store opens");
        writer.create(VERIFIER_KEY, soon()).expect("the log is created");
        writer
    }

    /// The key of an object of lines.
    pub(crate) fn lines_key(&self, first: u64) -> String {
        format!("{}/lines/{first:020}.jsonl", self.path)
    }
}

pub(crate) fn soon() -> Instant {
    within(30_000)
}

pub(crate) fn within(milliseconds: u64) -> Instant {
    Instant::now() + Duration::from_millis(milliseconds)
}

pub(crate) fn key() -> Key {
    Key::generate("payments.example/log").expect("a key")
}

pub(crate) fn of_kind(findings: &[Finding], kind: FindingKind) -> Vec<&Finding> {
    findings.iter().filter(|finding| finding.kind == kind).collect()
}
