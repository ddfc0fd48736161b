//! A log that is written by hand, and the program that reads it.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use audit_core::evidence::{Checkpoint, CompactRange, Hash, SignedCheckpoint, leaf_hash};
use audit_core::key::Key;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const ORIGIN: &str = "payments.example.com/prod-1";
pub(crate) const ID: &str = "0b8a3f5e-2f0e-4d5b-9a57-6a3d1f2c4e11";
pub(crate) const OTHER_ID: &str = "7d1f9c1a-58a1-4d0f-8f37-2b7b0c9e5d22";
pub(crate) const NAME: &str = "payments.example.com/prod-1/0b8a3f5e-2f0e-4d5b-9a57-6a3d1f2c4e11";

/// A log of four calls, signed to its end.
pub(crate) struct Log {
    pub(crate) dir: PathBuf,
    /// Kept so that the directory is.
    pub(crate) whole: Option<TempDir>,
    pub(crate) key: Key,
    pub(crate) lines: Vec<String>,
}

impl Log {
    pub(crate) fn new() -> Self {
        let whole = tempfile::tempdir().expect("a directory");
        let log = Self::at(whole.path(), ID, &Key::generate(NAME).expect("a key"));
        Self { whole: Some(whole), ..log }
    }

    /// The log `id` in a directory, signed by the key of the fleet.
    pub(crate) fn at(dir: &Path, id: &str, key: &Key) -> Self {
        let key = key.with_name(&format!("{ORIGIN}/{id}")).expect("a name");
        let mut log = Self { dir: dir.to_owned(), whole: None, key, lines: Vec::new() };
        let opened = format!(
            "\"kind\":\"log.opened\",\"origin\":\"{ORIGIN}\",\"log\":\"{id}\",\"key\":\"{}\",\"heartbeat_s\":60",
            log.key.verifier()
        );
        log.record(&opened);
        for call in 0..4 {
            let id = format!("0193580e-5f1a-7aaa-bbbb-{call:012}");
            log.record(&format!(
                "\"kind\":\"intent\",\"id\":\"{id}\",\"actor\":{{\"type\":\"service_account\",\"id\":\"settler-{call}\",\"verified\":false}},\"action\":\"POST /v1/refunds/{{id}}\",\"resource\":\"/v1/refunds/{call}\""
            ));
            let result = if call == 2 { "denied" } else { "success" };
            log.record(&format!(
                "\"kind\":\"outcome\",\"id\":\"{id}\",\"result\":\"{result}\",\"status\":201,\"latency_us\":1834"
            ));
        }
        log.record("\"kind\":\"log.closed\",\"open_activities\":0");
        fs::create_dir_all(log.dir.join("segments")).expect("a directory");
        log.write();
        log.sign(10);
        fs::write(log.path("log.pub"), format!("{}\n", log.key.verifier())).expect("written");
        log
    }

    pub(crate) fn record(&mut self, members: &str) {
        let prev = self.lines.last().map_or(Hash::ZERO, |line| leaf_hash(line.as_bytes()));
        let seq = self.lines.len();
        self.lines.push(format!(
            "{{\"v\":1,\"seq\":{seq},\"prev\":\"{prev}\",\"time\":\"2026-11-23T11:40:{seq:02}.000000Z\",{members}}}"
        ));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(crate) fn place(&self) -> &str {
        self.dir.to_str().expect("a path")
    }

    pub(crate) fn write(&self) {
        let text: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(self.path("segments/00000000000000000000.jsonl"), text).expect("written");
    }

    pub(crate) fn sign(&self, size: usize) {
        let lines = self.lines.iter().take(size);
        let root = lines.map(|line| leaf_hash(line.as_bytes())).collect::<CompactRange>().root();
        let checkpoint = Checkpoint::new(self.key.name(), size as u64, root);
        let signed = SignedCheckpoint::sign(checkpoint, [&self.key]).expect("signed");
        fs::write(self.path("checkpoint"), signed.to_bytes()).expect("written");
    }

    pub(crate) fn edit(&mut self, at: usize, from: &str, to: &str) {
        assert!(self.lines[at].contains(from));
        self.lines[at] = self.lines[at].replacen(from, to, 1);
        self.write();
    }
}

pub(crate) fn audit(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_audit")).args(arguments).output().expect("the program")
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

pub(crate) fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stdout)))
}

pub(crate) fn append(path: &Path, line: &str) {
    use std::io::Write as _;
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path).expect("opened");
    file.write_all(format!("{line}\n").as_bytes()).expect("written");
}
