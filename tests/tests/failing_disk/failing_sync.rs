use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use audit_core::File;
use audit_core::backend::{Backend, BackendError, Head, Opened, Synchronizer};
use audit_core::conformance::{Sample, VERIFIER_KEY};

use crate::disk::lines;
use crate::traced::{is_traced, said, say, trace};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// A log in `dir`, new or not, and its synchronizer.
fn open(dir: &Path) -> (File, Box<dyn Synchronizer>, Opened) {
    let mut file = File::new(dir).min_free(0);
    let opened = file.open(soon()).unwrap();
    if opened.verifier_key.is_none() {
        file.create(VERIFIER_KEY, soon()).unwrap();
    }
    let synchronizer = file.synchronizer().unwrap();
    (file, synchronizer, opened)
}

/// One word for how a call ended.
fn word<T>(result: &Result<T, BackendError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(BackendError::Poisoned { .. }) => "poisoned",
        Err(BackendError::Full { .. }) => "full",
        Err(_) => "other",
    }
}

/// Appends and syncs four times, then publishes, and says how each ended.
fn append_and_sync(dir: &Path) {
    let (mut file, mut synchronizer, opened) = open(dir);
    let mut head = opened.head;
    let mut all = Sample::after(Head::EMPTY);
    for _ in 0..4 {
        let sample = Sample::after(head).lines(3, "x");
        let appended = file.append(head, &sample.batch(), soon());
        if appended.is_ok() {
            head = sample.head();
            all = all.lines(3, "x");
        }
        let synced = synchronizer.sync(soon());
        say(format_args!("{} {}", word(&appended), word(&synced)));
    }
    let size = usize::try_from(head.size).unwrap();
    say(word(&synchronizer.publish(&all.checkpoint(size), &all.range(size), soon())));
    say(word(&file.head(soon())));
}

fn traced(name: &str, options: &[&str]) -> (Vec<String>, Opened) {
    let dir = tempfile::tempdir().unwrap();
    let output = trace(&format!("failing_sync::{name}"), dir.path(), options);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (_, _, opened) = open(dir.path());
    (said(&output), opened)
}

#[test]
fn a_failed_fdatasync_ends_both_halves_although_the_next_one_would_work() {
    if let Some(dir) = is_traced() {
        return append_and_sync(&dir);
    }
    for error in ["EIO", "ENOSPC", "EDQUOT"] {
        let inject = format!("inject=fdatasync:error={error}:when=2");
        let name = "a_failed_fdatasync_ends_both_halves_although_the_next_one_would_work";
        let (said, opened) = traced(name, &["-e", "trace=fdatasync", "-e", &inject]);
        let expected = ["ok ok", "ok poisoned", "poisoned poisoned", "poisoned poisoned", "poisoned", "poisoned"];
        assert_eq!(said, expected, "{error}");
        assert!(opened.head.size >= 3, "what was synced is there");
    }
}

#[test]
fn a_failed_write_ends_the_log_if_the_disk_failed() {
    if let Some(dir) = is_traced() {
        return append_and_sync(&dir);
    }
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let segment = dir.path().join("segments/00000000000000000000.jsonl");
    let only = ["-P", segment.to_str().unwrap(), "-e", "trace=write", "-e", "inject=write:error=EIO:when=3"];
    let name = "failing_sync::a_failed_write_ends_the_log_if_the_disk_failed";
    let output = trace(name, dir.path(), &only);
    let expected = ["ok ok", "ok ok", "poisoned poisoned", "poisoned poisoned", "poisoned", "poisoned"];
    assert_eq!(said(&output), expected, "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(open(dir.path()).2.head.size, 6);
}

#[test]
fn an_interrupted_write_is_made_again() {
    if let Some(dir) = is_traced() {
        return append_and_sync(&dir);
    }
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let segment = dir.path().join("segments/00000000000000000000.jsonl");
    let only = ["-P", segment.to_str().unwrap(), "-e", "trace=write", "-e", "inject=write:error=EINTR:when=2..3"];
    let output = trace("failing_sync::an_interrupted_write_is_made_again", dir.path(), &only);
    assert_eq!(said(&output), ["ok ok", "ok ok", "ok ok", "ok ok", "ok", "ok"]);
    assert_eq!(open(dir.path()).2.head.size, 12);
}

#[test]
fn a_checkpoint_that_cannot_be_forced_to_disk_leaves_the_older_one() {
    if let Some(dir) = is_traced() {
        let (mut file, mut synchronizer, opened) = open(&dir);
        let all = Sample::after(Head::EMPTY).lines(6, "x");
        file.append(opened.head, &all.batch(), soon()).unwrap();
        synchronizer.publish(&all.checkpoint(3), &all.range(3), soon()).unwrap();
        return say(word(&synchronizer.publish(&all.checkpoint(6), &all.range(6), soon())));
    }
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let temporary = dir.path().join("checkpoint.tmp");
    let only = ["-P", temporary.to_str().unwrap(), "-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=2"];
    let name = "failing_sync::a_checkpoint_that_cannot_be_forced_to_disk_leaves_the_older_one";
    let output = trace(name, dir.path(), &only);
    assert_eq!(said(&output), ["poisoned"], "{}", String::from_utf8_lossy(&output.stderr));
    let opened = open(dir.path()).2;
    assert_eq!(opened.checkpoint, Some(Sample::after(Head::EMPTY).lines(6, "x").checkpoint(3)));
    assert_eq!(opened.head.size, 6);
}

#[test]
fn lines_are_appended_while_a_slow_disk_syncs() {
    if let Some(dir) = is_traced() {
        return append_during_sync(&dir);
    }
    let dir = tempfile::tempdir().unwrap();
    let slow = ["-e", "trace=fdatasync", "-e", "inject=fdatasync:delay_enter=2000000"];
    let output = trace("failing_sync::lines_are_appended_while_a_slow_disk_syncs", dir.path(), &slow);
    let said = said(&output);
    let during: u64 = said.last().unwrap().parse().unwrap();
    assert!(during > 100, "only {during} batches were appended during a sync of two seconds");
    assert!(!lines(dir.path()).is_empty());
}

/// Says how many batches were appended during one sync.
fn append_during_sync(dir: &Path) {
    let (mut file, mut synchronizer, opened) = open(dir);
    let first = Sample::after(opened.head).lines(1, "first");
    file.append(opened.head, &first.batch(), soon()).unwrap();
    let done = AtomicBool::new(false);
    let mut during = 0_u64;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            synchronizer.sync(soon()).unwrap();
            done.store(true, Ordering::SeqCst);
        });
        let mut head = first.head();
        while !done.load(Ordering::SeqCst) && during < 10_000 {
            let sample = Sample::after(head).lines(2, "during the sync");
            file.append(head, &sample.batch(), soon()).unwrap();
            head = sample.head();
            during += 1;
        }
    });
    say(during);
}

/// Appends until a batch does not fit, and says what became of it.
fn append_too_much(dir: &Path) {
    let (mut file, mut synchronizer, opened) = open(dir);
    let mut head = opened.head;
    let error = loop {
        let sample = Sample::after(head).lines(7, "x");
        match file.append(head, &sample.batch(), soon()) {
            Ok(_) => head = sample.head(),
            Err(error) => break error,
        }
    };
    say(if error.outcome_is_known() { "known" } else { "unknown" });
    let found = file.head(soon()).unwrap();
    let sample = Sample::after(head).lines(7, "x");
    let landed = usize::try_from(found.size - head.size).unwrap();
    assert!(landed > 0 && landed < 7, "some lines of the batch fitted, not {landed}");
    assert_eq!(found, sample.first(landed).head());
    let again = file.append(head, &sample.batch(), soon());
    say(word(&again));
    assert_eq!(file.head(soon()).unwrap(), found);
    say(word(&synchronizer.sync(soon())));
}

#[test]
fn a_batch_that_cannot_be_taken_back_is_looked_at_again_before_anything_else() {
    if let Some(dir) = is_traced() {
        return append_too_much(&dir);
    }
    let dir = tempfile::tempdir().unwrap();
    let name = "failing_sync::a_batch_that_cannot_be_taken_back_is_looked_at_again_before_anything_else";
    // No file grows beyond 8 KiB, and the first attempt to cut one off fails.
    let limited = ["env", "--ignore-signal=XFSZ", "prlimit", "--fsize=8192"];
    // (The first call clears the description of the lock's holder.)
    let inject = ["-e", "trace=ftruncate", "-e", "inject=ftruncate:error=EPERM:when=2"];
    let options = [&inject[..], &limited].concat();
    let output = trace(name, dir.path(), &options);
    assert_eq!(said(&output), ["unknown", "full", "ok"], "{}", String::from_utf8_lossy(&output.stderr));
    let opened = open(dir.path()).2;
    assert_eq!(opened.recovery.unwrap().cut_bytes, 0);
}
