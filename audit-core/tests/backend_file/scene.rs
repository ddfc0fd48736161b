//! A directory with a log in it, and what was written there.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use audit_core::backend::{Backend, BackendError, File, Head, Opened, Synchronizer};
use audit_core::conformance::{Sample, VERIFIER_KEY};

pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

pub(crate) struct Scene {
    dir: tempfile::TempDir,
    segment_bytes: u64,
    /// All lines that were ever acknowledged.
    pub(crate) all: Sample,
}

/// An open log, both halves.
pub(crate) struct Writer {
    pub(crate) file: File,
    pub(crate) synchronizer: Box<dyn Synchronizer>,
    pub(crate) opened: Opened,
}

impl Scene {
    /// An empty directory.
    pub(crate) fn new() -> Self {
        Self::with_segments(64 << 20)
    }

    pub(crate) fn with_segments(segment_bytes: u64) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), segment_bytes, all: Sample::after(Head::EMPTY) }
    }

    /// A log of `lines` lines in single batches, the first `signed` of them under a checkpoint.
    pub(crate) fn with_lines(lines: usize, signed: usize) -> Self {
        let mut scene = Self::new();
        scene.write(lines, signed);
        scene
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    pub(crate) fn segment(&self, first: u64) -> PathBuf {
        self.path(&format!("segments/{first:020}.jsonl"))
    }

    /// The first lines of all segments.
    pub(crate) fn firsts(&self) -> Vec<u64> {
        let mut firsts: Vec<u64> = fs::read_dir(self.path("segments"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .map(|name| name.strip_suffix(".jsonl").unwrap().parse().unwrap())
            .collect();
        firsts.sort_unstable();
        firsts
    }

    pub(crate) fn file(&self) -> File {
        File::new(self.dir()).segment_bytes(self.segment_bytes).min_free(0)
    }

    /// Opens the log, creating it if it is not there.
    pub(crate) fn open(&self) -> Result<Writer, BackendError> {
        // A child that another test starts holds every lock of this process until it runs its program.
        let mut file = self.file().lock_wait(Duration::from_secs(1));
        let opened = file.open(soon())?;
        if opened.verifier_key.is_none() {
            file.create(VERIFIER_KEY, soon())?;
        }
        let synchronizer = file.synchronizer()?;
        Ok(Writer { file, synchronizer, opened })
    }

    /// Appends `lines` lines, then signs the first `signed` of all if that is not 0, and goes.
    pub(crate) fn write(&mut self, lines: usize, signed: usize) {
        let mut writer = self.open().unwrap();
        for _ in 0..lines {
            self.append(&mut writer, 1);
        }
        writer.synchronizer.sync(soon()).unwrap();
        if signed > 0 {
            self.publish(&mut writer, signed);
        }
    }

    /// Appends a batch of `lines` lines.
    pub(crate) fn append(&mut self, writer: &mut Writer, lines: usize) {
        let text = "a line that somebody may want to change";
        let batch = Sample::after(self.all.head()).lines(lines, text);
        writer.file.append(batch.before(), &batch.batch(), soon()).unwrap();
        self.all = self.all.clone().lines(lines, text);
    }

    pub(crate) fn publish(&self, writer: &mut Writer, size: usize) {
        writer.synchronizer.publish(&self.all.checkpoint(size), &self.all.range(size), soon()).unwrap();
    }

    /// Changes the bytes of one file.
    pub(crate) fn change(&self, path: &PathBuf, change: impl FnOnce(&mut Vec<u8>)) {
        let before = fs::read(path).unwrap();
        let mut bytes = before.clone();
        change(&mut bytes);
        assert_ne!(before, bytes, "the test changed nothing");
        fs::write(path, bytes).unwrap();
    }

    /// Changes the lines of the first segment.
    pub(crate) fn change_lines(&self, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
        self.change(&self.segment(0), |bytes| {
            let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').map(Vec::from).collect();
            change(&mut lines);
            *bytes = lines.concat();
        });
    }

    /// Everything that a reader gets from the log.
    pub(crate) fn read(&self, writer: &mut Writer) -> Vec<u8> {
        let size = writer.file.head(soon()).unwrap().size;
        let mut all = Vec::new();
        let mut next = 0;
        while next < size {
            let bytes = writer.file.read(next..size, soon()).unwrap();
            next += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
            all.extend_from_slice(&bytes);
        }
        all
    }

    /// Everything that is in quarantine.
    pub(crate) fn quarantine(&self) -> Vec<Vec<u8>> {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(self.path("quarantine")).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.iter().map(|path| fs::read(path).unwrap()).collect()
    }
}
