//! Following a log: what comes, what was skipped, and what is taken away.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod sample;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use sample::{Log, append, audit, text};

/// The program that follows a log from its last record on.
struct Following {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Following {
    fn new(log: &Log) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_audit"))
            .args(["tail", log.place(), "-f", "-n", "1", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        let out = BufReader::new(child.stdout.take().expect("stdout"));
        Self { child, out }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    /// How it ended by itself, and what it said.
    fn end(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.child.stderr.take().expect("stderr").read_to_string(&mut said).expect("text");
        (self.child.wait().expect("an end").code(), said)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_log_that_is_followed_shows_what_is_appended() {
    let mut log = Log::new();
    let mut following = Following::new(&log);
    assert_eq!(following.line(), log.lines[9]);
    for _ in 0..3 {
        log.record("\"kind\":\"event\",\"action\":\"a\"");
        append(&log.path("segments/00000000000000000000.jsonl"), log.lines.last().expect("a line"));
        assert_eq!(following.line(), *log.lines.last().expect("a line"));
    }
    // A new segment is followed as well.
    log.record("\"kind\":\"event\",\"action\":\"b\"");
    append(&log.path(&format!("segments/{:020}.jsonl", log.lines.len() - 1)), log.lines.last().expect("a line"));
    assert_eq!(following.line(), *log.lines.last().expect("a line"));
}

#[test]
fn records_behind_some_that_are_missing_are_shown_once() {
    let mut log = Log::new();
    let mut following = Following::new(&log);
    assert_eq!(following.line(), log.lines[9]);
    let file = log.path("segments/00000000000000000000.jsonl");
    for _ in 0..9 {
        log.record("\"kind\":\"event\",\"action\":\"a\"");
    }
    // Five records never arrive.
    for line in &log.lines[15..17] {
        append(&file, line);
    }
    assert_eq!([following.line(), following.line()], [log.lines[15].as_str(), &log.lines[16]]);
    for line in &log.lines[17..] {
        append(&file, line);
        assert_eq!(following.line(), *line);
    }
}

#[test]
fn a_log_that_shrinks_while_it_is_followed_is_not_waited_for() {
    let mut log = Log::new();
    let mut following = Following::new(&log);
    assert_eq!(following.line(), log.lines[9]);
    log.lines.truncate(6);
    log.write();
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || sender.send(following.end()));
    let (code, said) = ended.recv_timeout(Duration::from_secs(20)).expect("it ends");
    assert_eq!(code, Some(2));
    assert!(said.contains("had 10 records and has 6 now"), "{said}");
}

#[test]
fn a_table_says_what_came_back_from_a_replica() {
    let mut log = Log::new();
    log.record("\"kind\":\"log.recovered\",\"signed\":4,\"adopted\":0,\"offset\":0,\"cut_bytes\":0,\"cut_lines\":0,\"healed\":3,\"healed_from\":\"second\"");
    log.write();
    fs::remove_file(log.path("checkpoint")).expect("removed");
    let said = text(&audit(&["tail", log.place(), "-n", "1"]).stdout);
    assert!(said.contains("healed=3") && said.contains("healed_from=second"), "{said}");
    let said = text(&audit(&["verify", log.place()]).stdout);
    assert!(said.contains("3 records were gone from the primary and were copied back from `second`"), "{said}");
    assert!(!said.contains("not closed in order"), "{said}");
}
