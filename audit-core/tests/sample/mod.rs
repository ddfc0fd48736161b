//! A log that is written by hand, so that tests can take it apart.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use audit_core::backend::FileReader;
use audit_core::evidence::{Checkpoint, CompactRange, Hash, SignedCheckpoint, leaf_hash};
use audit_core::key::{Key, VerifierKey};
use audit_core::verify::{Class, FindingKind, LineSource, LogReader, Piece, ReadError, Verdict, Verifier};
use tempfile::TempDir;

pub(crate) const ORIGIN: &str = "payments.example.com/prod-1";
pub(crate) const LOG_ID: &str = "0b8a3f5e-2f0e-4d5b-9a57-6a3d1f2c4e11";
pub(crate) const OTHER_ID: &str = "7d1f9c1a-58a1-4d0f-8f37-2b7b0c9e5d22";
const KEY: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

/// 2026-11-23T11:40:00Z.
pub(crate) const START: u64 = 1_795_434_000;

pub(crate) fn key_of(log_id: &str) -> Key {
    let key = Key::from_text(KEY).expect("a key");
    key.with_name(&format!("{ORIGIN}/{log_id}")).expect("a name")
}

pub(crate) fn other_key(log_id: &str) -> Key {
    Key::generate(&format!("{ORIGIN}/{log_id}")).expect("a key")
}

/// The lines of a log, and the key that signs it.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) key: Key,
    pub(crate) lines: Vec<Vec<u8>>,
    /// Sizes at which there is a checkpoint; the largest is the newest.
    pub(crate) signed: Vec<u64>,
    /// Numbers of the lines with which a segment starts.
    pub(crate) segments: Vec<usize>,
    /// Bytes behind the last line.
    pub(crate) rest: Vec<u8>,
    millis: u64,
}

impl Log {
    /// A log with an opening record and nothing else.
    pub(crate) fn new(key: Key) -> Self {
        let mut log =
            Self { key, lines: Vec::new(), signed: Vec::new(), segments: vec![0], rest: Vec::new(), millis: 0 };
        log.open();
        log
    }

    /// Eleven lines: opened, four calls, an event, closed; signed at 4, 8 and 11.
    pub(crate) fn sample() -> Self {
        let mut log = Self::new(key_of(LOG_ID));
        for call in 0..4 {
            log.call(call);
        }
        log.event("ledger.rotate");
        log.close();
        assert_eq!(log.lines.len(), 11);
        log.signed = vec![4, 8, 11];
        log.segments = vec![0, 4, 8];
        log
    }

    /// A log of `calls` calls, signed every thousand records and at the end.
    pub(crate) fn long(calls: u64) -> Self {
        let mut log = Self::new(key_of(LOG_ID));
        for call in 0..calls {
            log.call(call);
        }
        log.close();
        let size = log.lines.len() as u64;
        log.signed = (1..=size / 1_000).map(|thousand| thousand * 1_000).collect();
        log.signed.push(size);
        log.segments = (0..=size as usize / 2_500).map(|part| part * 2_500).collect();
        log
    }

    pub(crate) fn name(&self) -> &str {
        self.key.name()
    }

    pub(crate) fn time(&self) -> String {
        let micros = self.millis * 1_000;
        let (minute, second) = (40 + micros / 60_000_000, micros / 1_000_000 % 60);
        let (hour, minute) = (11 + minute / 60, minute % 60);
        let (day, hour) = (23 + hour / 24, hour % 24);
        format!("2026-11-{day}T{hour:02}:{minute:02}:{second:02}.{:06}Z", micros % 1_000_000)
    }

    /// Lets time pass, or go back.
    pub(crate) fn pass(&mut self, millis: i64) {
        self.millis = self.millis.checked_add_signed(millis).expect("a time");
    }

    pub(crate) fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(START) + Duration::from_millis(self.millis)
    }

    /// Appends a record with these members after `kind`.
    pub(crate) fn record(&mut self, kind: &str, members: &str) -> usize {
        let prev = self.lines.last().map_or(Hash::ZERO, |line| leaf_hash(line));
        let seq = self.lines.len();
        let time = self.time();
        let comma = if members.is_empty() { "" } else { "," };
        let line = format!(
            "{{\"v\":1,\"seq\":{seq},\"prev\":\"{prev}\",\"time\":\"{time}\",\"kind\":\"{kind}\"{comma}{members}}}"
        );
        self.lines.push(line.into_bytes());
        self.millis += 7;
        seq
    }

    pub(crate) fn open(&mut self) -> usize {
        let (origin, id) = self.name().rsplit_once('/').expect("a log id");
        let members = format!(
            "\"origin\":\"{origin}\",\"log\":\"{id}\",\"key\":\"{}\",\"format\":1,\"checkpoint_records\":1024,\"checkpoint_ms\":1000,\"heartbeat_s\":60",
            self.key.verifier()
        );
        self.record("log.opened", &members)
    }

    pub(crate) fn close(&mut self) -> usize {
        self.record("log.closed", "\"open_activities\":0")
    }

    pub(crate) fn intent(&mut self, call: u64) -> usize {
        self.record(
            "intent",
            &format!(
                "\"id\":\"{}\",\"actor\":{{\"type\":\"service_account\",\"id\":\"settler\",\"verified\":false}},\"action\":\"POST /v1/refunds/{{id}}\",\"resource\":\"/v1/refunds/{call}\",\"policy\":\"default\"",
                id_of(call)
            ),
        )
    }

    pub(crate) fn outcome(&mut self, call: u64) -> usize {
        self.record(
            "outcome",
            &format!("\"id\":\"{}\",\"result\":\"success\",\"status\":201,\"latency_us\":1834", id_of(call)),
        )
    }

    pub(crate) fn call(&mut self, call: u64) {
        self.intent(call);
        self.outcome(call);
    }

    pub(crate) fn event(&mut self, action: &str) -> usize {
        self.record("event", &format!("\"action\":\"{action}\""))
    }

    /// Links all lines from `from` on anew, and numbers them, as somebody without the key can.
    pub(crate) fn rechain(&mut self, from: usize) {
        for at in from..self.lines.len() {
            let prev = at.checked_sub(1).map_or(Hash::ZERO, |at| leaf_hash(&self.lines[at]));
            let line = &self.lines[at];
            let body = line.windows(8).position(|part| part == b"\"time\":\"").expect("a time");
            let mut linked = format!("{{\"v\":1,\"seq\":{at},\"prev\":\"{prev}\",").into_bytes();
            linked.extend_from_slice(&line[body..]);
            self.lines[at] = linked;
        }
    }

    /// Replaces text in one line; it has to be there.
    pub(crate) fn replace(&mut self, at: usize, from: &str, to: &str) {
        let line = String::from_utf8(self.lines[at].clone()).expect("text");
        assert!(line.contains(from), "{line}");
        self.lines[at] = line.replacen(from, to, 1).into_bytes();
    }

    pub(crate) fn root(&self, size: u64) -> Hash {
        let lines = &self.lines[..size as usize];
        lines.iter().map(|line| leaf_hash(line)).collect::<CompactRange>().root()
    }

    /// The signed head at `size`.
    pub(crate) fn checkpoint(&self, size: u64) -> SignedCheckpoint {
        let checkpoint = Checkpoint::new(self.name(), size, self.root(size));
        SignedCheckpoint::sign(checkpoint, [&self.key]).expect("a signature")
    }

    /// Writes the log as it is, heads included.
    pub(crate) fn write(&self) -> OnDisk {
        let disk = OnDisk::empty();
        self.write_lines(disk.path());
        self.write_heads(disk.path());
        disk
    }

    pub(crate) fn write_heads(&self, dir: &Path) {
        fs::create_dir_all(dir.join("checkpoints")).expect("a directory");
        fs::write(dir.join("log.pub"), format!("{}\n", self.key.verifier())).expect("log.pub");
        if let Some((newest, kept)) = self.signed.split_last() {
            fs::write(dir.join("checkpoint"), self.checkpoint(*newest).to_bytes()).expect("checkpoint");
            for size in kept {
                fs::write(dir.join(format!("checkpoints/{size:020}")), self.checkpoint(*size).to_bytes())
                    .expect("a checkpoint");
            }
        }
    }

    pub(crate) fn write_lines(&self, dir: &Path) {
        let segments = dir.join("segments");
        let _ = fs::remove_dir_all(&segments);
        fs::create_dir_all(&segments).expect("a directory");
        let last = self.segments.len() - 1;
        for (at, first) in self.segments.iter().enumerate() {
            let end = self.segments.get(at + 1).copied().unwrap_or(self.lines.len());
            let lines = &self.lines[(*first).min(self.lines.len())..end.min(self.lines.len())];
            let mut bytes: Vec<u8> = Vec::new();
            for line in lines {
                bytes.extend_from_slice(line);
                bytes.push(b'\n');
            }
            if at == last {
                bytes.extend_from_slice(&self.rest);
            }
            fs::write(segments.join(format!("{first:020}.jsonl")), bytes).expect("a segment");
        }
    }

    pub(crate) fn verifier_key(&self) -> VerifierKey {
        self.key.verifier().clone()
    }
}

pub(crate) fn id_of(call: u64) -> String {
    format!("0193580e-5f1a-7aaa-bbbb-{call:012x}")
}

/// A log in a directory that goes away with it.
pub(crate) struct OnDisk(pub(crate) TempDir);

impl OnDisk {
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn reader(&self) -> FileReader {
        FileReader::open(self.path()).expect("a log")
    }

    /// The verdict with the sample's own key pinned.
    pub(crate) fn verdict(&self) -> Verdict {
        Verifier::new().key(key_of(LOG_ID).verifier().clone()).run(&self.reader())
    }

    pub(crate) fn verdict_unpinned(&self) -> Verdict {
        Verifier::new().run(&self.reader())
    }
}

/// Kinds and places of all findings, in the order of the verdict.
pub(crate) fn found(verdict: &Verdict) -> Vec<(FindingKind, Option<u64>, Option<u64>)> {
    let findings = verdict.findings.iter();
    findings.map(|finding| (finding.kind, finding.seq, finding.to)).collect()
}

/// Kinds and places of the findings that make a log tampered.
pub(crate) fn tampered(verdict: &Verdict) -> Vec<(FindingKind, Option<u64>, Option<u64>)> {
    let mut verdict = verdict.clone();
    verdict.findings.retain(|finding| finding.class == Class::Tamper);
    found(&verdict)
}

/// A log in memory: what any store has to deliver to be verified.
#[derive(Clone, Debug)]
pub(crate) struct InMemory {
    pub(crate) segments: Vec<Vec<u8>>,
    pub(crate) checkpoint: Option<Vec<u8>>,
    pub(crate) kept: Vec<(String, Vec<u8>)>,
    pub(crate) key: Option<Vec<u8>>,
    /// Delivers so many bytes at a time.
    pub(crate) step: usize,
    /// Fails once, after so many bytes of a segment.
    pub(crate) fails_after: Option<usize>,
}

impl InMemory {
    pub(crate) fn new(log: &Log) -> Self {
        let disk = log.write();
        let read = |name: &str| fs::read(disk.path().join(name)).ok();
        let files = |name: &str| {
            let mut paths: Vec<_> = fs::read_dir(disk.path().join(name))
                .expect("a directory")
                .map(|entry| entry.expect("entry").path())
                .collect();
            paths.sort();
            paths
        };
        let bytes = |path: &std::path::PathBuf| fs::read(path).expect("a file");
        Self {
            segments: files("segments").iter().map(bytes).collect(),
            checkpoint: read("checkpoint"),
            kept: files("checkpoints").iter().map(|path| (path.display().to_string(), bytes(path))).collect(),
            key: read("log.pub"),
            step: usize::MAX,
            fails_after: None,
        }
    }
}

impl LogReader for InMemory {
    fn verifier_key(&self) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.key.clone())
    }

    fn checkpoint(&self) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.checkpoint.clone())
    }

    fn kept_checkpoints(&self) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
        Ok(self.kept.clone())
    }

    fn lines(&self, _from: u64) -> Result<Box<dyn LineSource>, ReadError> {
        Ok(Box::new(InMemoryLines { log: self.clone(), segment: 0, at: 0 }))
    }

    fn size(&self) -> Result<u64, ReadError> {
        Ok(0)
    }
}

#[derive(Debug)]
struct InMemoryLines {
    log: InMemory,
    segment: usize,
    at: usize,
}

impl LineSource for InMemoryLines {
    fn read(&mut self, buffer: &mut [u8]) -> Result<Piece, ReadError> {
        if self.log.fails_after.is_some_and(|limit| self.at >= limit) {
            self.log.fails_after = None;
            return Err(ReadError::unavailable("reading", std::io::Error::other("the disk is gone")));
        }
        let Some(segment) = self.log.segments.get(self.segment) else {
            return Ok(Piece::End);
        };
        let rest = &segment[self.at..];
        if rest.is_empty() {
            self.segment += 1;
            self.at = 0;
            return Ok(if self.segment < self.log.segments.len() { Piece::PartEnd } else { Piece::End });
        }
        let count = rest.len().min(buffer.len()).min(self.log.step);
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(Piece::Bytes(count))
    }
}
