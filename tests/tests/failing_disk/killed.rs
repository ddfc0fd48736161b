use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use audit_core::File;
use audit_core::backend::{Backend, Head};
use audit_core::conformance::{Sample, VERIFIER_KEY};

use crate::disk::lines;
use crate::traced::{is_traced, said, say, trace};

/// Every system call here that changes a file or a directory, or decides that it has.
const CHANGES: [&str; 9] =
    ["write", "pwrite64", "ftruncate", "fsync", "fdatasync", "rename", "unlink", "mkdir", "openat"];

/// More calls of one kind than any of these processes makes.
const MANY: u32 = 2_000;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn text(seq: u64) -> String {
    format!("line {seq} of a log whose writer is killed")
}

fn file(dir: &Path) -> File {
    File::new(dir).min_free(0).segment_bytes(2_000)
}

/// All lines that are ever written in these tests.
fn expected(count: u64) -> Sample {
    (0..count).fold(Sample::after(Head::EMPTY), |sample, seq| sample.lines(1, &text(seq)))
}

/// Opens the log, new or not, appends over several segments, syncs and signs; says what it may.
fn write(dir: &Path) {
    let mut file = file(dir);
    let opened = file.open(soon()).unwrap();
    if opened.verifier_key.is_none() {
        file.create(VERIFIER_KEY, soon()).unwrap();
    }
    let mut synchronizer = file.synchronizer().unwrap();
    let mut head = opened.head;
    for _ in 0..6 {
        let sample = (0..4).fold(Sample::after(head), |sample, line| sample.lines(1, &text(head.size + line)));
        file.append(head, &sample.batch(), soon()).unwrap();
        head = sample.head();
        say(format_args!("written {}", head.size));
        let all = expected(head.size);
        let size = usize::try_from(head.size).unwrap();
        synchronizer.publish(&all.checkpoint(size), &all.range(size), soon()).unwrap();
        say(format_args!("signed {}", head.size));
    }
    say("done");
}

/// The largest number that was said after `word`.
fn largest(said: &[String], word: &str) -> u64 {
    let numbers = said.iter().filter_map(|line| line.strip_prefix(word)?.trim().parse().ok());
    numbers.max().unwrap_or(0)
}

/// Runs `name` on a new log that `prepare` makes, killed before the first call of each kind, then
/// before the second, and so on; `check` looks at each log and at what was said.
fn kill_everywhere(name: &str, prepare: impl Fn(&Path), check: impl Fn(&str, &Path, &[String])) {
    let mut killed = 0;
    for call in CHANGES {
        for nth in 1..MANY {
            let dir = tempfile::tempdir().unwrap();
            let log = dir.path().join("log");
            prepare(&log);
            let kill = format!("inject={call}:signal=SIGKILL:when={nth}");
            let said = said(&trace(name, &log, &["-e", &format!("trace={call}"), "-e", &kill]));
            check(&format!("before {call} {nth}"), &log, &said);
            if said.last().is_some_and(|last| last.starts_with("done")) {
                break;
            }
            killed += 1;
        }
    }
    assert!(killed > 20, "killed only {killed} times");
}

#[test]
fn a_writer_killed_at_any_system_call_loses_nothing_that_it_acknowledged() {
    if let Some(dir) = is_traced() {
        return write(&dir);
    }
    let name = "killed::a_writer_killed_at_any_system_call_loses_nothing_that_it_acknowledged";
    kill_everywhere(
        name,
        |_| {},
        |when, log, said| {
            let opened = file(log).open(soon()).unwrap();
            assert!(opened.head.size >= largest(said, "written"), "{when}: {said:?}");
            let everything = expected(opened.head.size);
            assert_eq!(opened.head, everything.head(), "{when}");
            if !said.is_empty() {
                assert_eq!(lines(log), everything.bytes(), "{when}");
            }
            let signed = opened.signed_range.map_or(0, |range| range.size());
            assert!(signed >= largest(said, "signed"), "{when}: {said:?}");
        },
    );
}

#[test]
fn an_opening_killed_at_any_system_call_changes_nothing_about_what_is_recovered() {
    if let Some(dir) = is_traced() {
        let opened = file(&dir).open(soon()).unwrap();
        return say(format_args!("done {}", opened.head.size));
    }
    let name = "killed::an_opening_killed_at_any_system_call_changes_nothing_about_what_is_recovered";
    let whole = expected(24);
    let cut = torn(&tempfile::tempdir().unwrap().path().join("log"));
    kill_everywhere(
        name,
        |log| drop(torn(log)),
        |when, log, _| {
            let opened = file(log).open(soon()).unwrap();
            let kept = usize::try_from(opened.head.size).unwrap();
            assert_eq!(opened.head, whole.first(kept).head(), "{when}");
            assert_eq!(lines(log), whole.first(kept).bytes(), "{when}");
            let recovery = opened.recovery.unwrap();
            assert_eq!((recovery.signed, recovery.adopted), (4, opened.head.size - 4), "{when}");
            // What was cut off is all in quarantine, some of it perhaps twice.
            assert!(recovery.cut_bytes >= cut.len() as u64, "{when}");
            let kept_aside: Vec<Vec<u8>> = fs::read_dir(log.join("quarantine"))
                .unwrap()
                .map(|entry| fs::read(entry.unwrap().path()).unwrap())
                .collect();
            assert!(kept_aside.contains(&cut), "{when}");
        },
    );
}

/// A log of several segments, signed up to line 4, whose second segment is torn; returns the bytes
/// that have to be cut off.
fn torn(log: &Path) -> Vec<u8> {
    let mut file = file(log);
    file.open(soon()).unwrap();
    file.create(VERIFIER_KEY, soon()).unwrap();
    let mut synchronizer = file.synchronizer().unwrap();
    let mut head = Head::EMPTY;
    for seq in 0..24 {
        let sample = Sample::after(head).lines(1, &text(seq));
        file.append(head, &sample.batch(), soon()).unwrap();
        head = sample.head();
    }
    let all = expected(24);
    synchronizer.publish(&all.checkpoint(4), &all.range(4), soon()).unwrap();
    drop((file, synchronizer));
    let mut segments: Vec<_> = fs::read_dir(log.join("segments")).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.sort();
    assert!(segments.len() >= 3);
    let mut second = fs::read(&segments[1]).unwrap();
    second.truncate(second.len() - 20);
    fs::write(&segments[1], &second).unwrap();
    let last_line = second.iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let mut cut = second.split_off(last_line);
    cut.extend(segments[2..].iter().flat_map(|path| fs::read(path).unwrap()));
    cut
}
