//! The program as its users meet it: what it prints, and how it exits.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod sample;

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use audit_core::key::Key;
use sample::{Log, audit, code, json, text};
use serde_json::Value;

#[test]
fn an_intact_log_gives_0_and_says_whether_the_key_was_pinned() {
    let log = Log::new();
    let output = audit(&["verify", log.place()]);
    assert_eq!(code(&output), 0);
    let said = text(&output.stdout);
    assert!(said.starts_with("verdict: intact (key not pinned)\nrecords: 10, 10 of them signed\n"), "{said}");
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));

    let vkey = log.key.verifier().to_string();
    let file = log.path("log.pub").display().to_string();
    for key in [vkey.as_str(), &file] {
        let output = audit(&["verify", log.place(), "--key", key]);
        assert_eq!(code(&output), 0);
        assert!(text(&output.stdout).starts_with("verdict: intact\n"));
    }
}

#[test]
fn an_edited_record_gives_1_and_is_named_first() {
    let mut log = Log::new();
    log.edit(3, "POST", "PUT_");
    let output = audit(&["verify", log.place()]);
    assert_eq!(code(&output), 1);
    let said = text(&output.stdout);
    assert!(said.starts_with("verdict: tampered\n"), "{said}");
    let finding = said.lines().nth(3).expect("a finding");
    assert!(finding.contains("edited") && finding.contains("seq 3: record 3 was changed"), "{finding}");

    let found = json(&audit(&["verify", log.place(), "--json"]));
    assert_eq!(found["verdict"], "tampered");
    assert_eq!(found["findings"][0]["kind"], "edited");
    assert_eq!(found["findings"][0]["seq"], 3);
}

#[test]
fn a_cut_tail_is_found_against_a_checkpoint_kept_elsewhere() {
    let mut log = Log::new();
    let kept = log.path("kept");
    fs::copy(log.path("checkpoint"), &kept).expect("copied");
    log.lines.truncate(8);
    log.write();
    log.sign(8);
    assert_eq!(code(&audit(&["verify", log.place()])), 0);
    let output = audit(&["verify", log.place(), "--against", kept.to_str().expect("a path"), "--json"]);
    assert_eq!(code(&output), 1);
    assert_eq!(json(&output)["findings"][0]["kind"], "truncated");
}

#[test]
fn what_cannot_be_told_gives_2_and_says_why() {
    let log = Log::new();
    let empty = tempfile::tempdir().expect("a directory");
    let empty = empty.path().to_str().expect("a path");
    let garbage = log.path("garbage");
    fs::write(&garbage, "garbage").expect("written");
    let garbage = garbage.to_str().expect("a path");
    let cases: [(&[&str], &str); 15] = [
        (&["verify", "/nonexistent/log"], "no such directory"),
        (&["verify", empty], "is not a log"),
        (&["verify", "ftp://bucket/prefix"], "no store has URLs that begin with `ftp://`"),
        (&["verify", "file://host/log"], "this machine"),
        (&["verify", "s3:/bucket/log"], "`//` has to follow"),
        (&["verify", ""], "no location is given"),
        (&["tail", "/dir?min_free=1MiB"], "has no `?` in it"),
        (&["verify", log.place(), "--key", "nonsense"], "nonsense"),
        (&["verify", log.place(), "--key", garbage], "garbage"),
        (&["verify", log.place(), "--key", "PRIVATE+KEY+a+00000000+AAAA"], "private key"),
        (&["verify", log.place(), "--against", garbage], "garbage"),
        (&["verify", log.place(), "--now", "yesterday"], "yesterday"),
        (&["query", log.place(), "--since", "soon"], "soon"),
        (&["prove", log.place(), "99"], "no checkpoint covers record 99 yet"),
        (&["check", "/nonexistent/proof", "--key", garbage], "garbage"),
    ];
    for (arguments, why) in cases {
        let output = audit(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(said.contains(why), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    assert_eq!(code(&audit(&["frobnicate"])), 2);
    assert_eq!(code(&audit(&[])), 2);
    assert_eq!(code(&audit(&["--help"])), 0);
}

#[test]
fn json_says_why_as_well() {
    let output = audit(&["verify", "/nonexistent/log", "--json"]);
    assert_eq!(code(&output), 2);
    assert_eq!(json(&output)["verdict"], "unverifiable");
    let output = audit(&["tail", "/nonexistent/log", "--json"]);
    assert_eq!(code(&output), 2);
    assert!(json(&output)["error"].as_str().expect("a reason").contains("no such directory"));
}

#[test]
fn a_file_url_is_a_directory() {
    let log = Log::new();
    let url = format!("file://{}", log.place().replacen("tmp", "%74mp", 1));
    assert_eq!(code(&audit(&["verify", &url])), 0);
}

#[test]
fn a_record_is_proved_and_checked_offline() {
    let log = Log::new();
    let proof = log.path("p");
    let proof = proof.to_str().expect("a path");
    let key = log.path("log.pub").display().to_string();
    let output = audit(&["prove", log.place(), "7", "-o", proof]);
    assert_eq!((code(&output), output.stdout.len()), (0, 0));
    let output = audit(&["check", proof, "--key", &key]);
    assert_eq!(code(&output), 0);
    let said = text(&output.stdout);
    assert!(said.contains("record 7") && said.contains("settler-3"), "{said}");
    let checked = json(&audit(&["check", proof, "--key", &key, "--json"]));
    assert_eq!(checked["proved"], true);
    assert_eq!(checked["line"], log.lines[7]);

    // The standard output carries the same proof.
    assert_eq!(audit(&["prove", log.place(), "7"]).stdout, fs::read(proof).expect("read"));

    let bytes = fs::read(proof).expect("read");
    let mut codes = [0; 3];
    for at in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
        fs::write(proof, changed).expect("written");
        let output = audit(&["check", proof, "--key", &key]);
        assert_ne!(code(&output), 0, "byte {at}: {}", text(&output.stdout));
        codes[code(&output) as usize] += 1;
    }
    // What is still a proof fails, and what is none any more says nothing about the log.
    assert!(codes[1] > 0 && codes[2] > 0, "{codes:?}");
}

#[test]
fn what_is_no_proof_is_no_evidence_against_a_log() {
    let log = Log::new();
    let file = log.path("log.pub").display().to_string();
    let output = audit(&["check", &file, "--key", &file, "--json"]);
    assert_eq!(code(&output), 2);
    let error = json(&output)["error"].as_str().expect("a reason").to_owned();
    assert!(error.contains("log.pub is not a proof: "), "{error}");
}

#[test]
fn a_record_that_was_changed_cannot_be_proved() {
    let mut log = Log::new();
    log.edit(3, "POST", "PUT_");
    let output = audit(&["prove", log.place(), "3", "--json"]);
    assert_eq!(code(&output), 1);
    assert_eq!(json(&output)["proved"], false);
}

#[test]
fn a_record_behind_the_newest_checkpoint_cannot_be_proved_yet() {
    let log = Log::new();
    log.sign(8);
    let output = audit(&["prove", log.place(), "8"]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("no checkpoint covers record 8 yet"), "{}", text(&output.stderr));
}

#[test]
fn a_new_key_is_private_and_never_overwrites_another() {
    let dir = tempfile::tempdir().expect("a directory");
    let make = |name: &str| {
        Command::new(env!("CARGO_BIN_EXE_audit"))
            .args(["keygen", "payments.example.com/prod-1"])
            .args(if name.is_empty() { vec![] } else { vec!["-o", name] })
            .current_dir(dir.path())
            .output()
            .expect("the program")
    };
    for (name, file) in [("", "audit.key"), ("other.key", "other.key")] {
        let output = make(name);
        assert_eq!(code(&output), 0);
        let vkey = text(&output.stdout);
        assert!(vkey.starts_with("payments.example.com/prod-1+"), "{vkey}");
        let path = dir.path().join(file);
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let key = Key::from_file(&path).expect("a key");
        assert_eq!(key.verifier().to_string(), vkey.trim());
        let before = fs::read(&path).expect("read");
        assert_eq!(code(&make(name)), 2);
        assert_eq!(fs::read(&path).expect("read"), before);
    }
    assert_eq!(code(&audit(&["keygen", "with a space", "-o", "/nonexistent/x"])), 2);
}

#[test]
fn json_output_is_the_stored_lines() {
    let log = Log::new();
    let output = audit(&["query", log.place(), "--json"]);
    assert_eq!(code(&output), 0);
    assert_eq!(text(&output.stdout).lines().collect::<Vec<_>>(), log.lines);
    let output = audit(&["tail", log.place(), "-n", "3", "--json"]);
    assert_eq!(text(&output.stdout).lines().collect::<Vec<_>>(), log.lines[7..]);
}

#[test]
fn a_query_answers_with_whole_calls() {
    let log = Log::new();
    let seqs = |arguments: &[&str]| -> Vec<u64> {
        let output = audit(&[&["query", log.place(), "--json"], arguments].concat());
        assert_eq!(code(&output), 0);
        let said = text(&output.stdout);
        let parsed = said.lines().map(|line| serde_json::from_str::<Value>(line).expect("json"));
        parsed.map(|record| record["seq"].as_u64().expect("seq")).collect()
    };
    assert_eq!(seqs(&["--actor", "settler-1"]), [3, 4]);
    assert_eq!(seqs(&["--result", "denied"]), [5, 6]);
    assert!(seqs(&["--action", "GET *"]).is_empty());
    assert_eq!(seqs(&["--since", "2026-11-23T11:40:07Z"]), [7, 8, 9]);
    assert_eq!(seqs(&["--until", "2026-11-23T11:40:02Z", "--actor", "*"]), [1, 2]);
    assert!(seqs(&["--since", "2026-11-24"]).is_empty());
}

#[test]
fn people_see_a_table_without_colours_when_nobody_looks_at_a_terminal() {
    let log = Log::new();
    let output = audit(&["tail", log.place()]);
    let said = text(&output.stdout);
    assert!(!said.contains('\u{1b}'));
    assert_eq!(said.lines().count(), 11);
    let row = said.lines().nth(2).expect("a row");
    for part in ["1", "2026-11-23 11:40:01.000Z", "intent", "service_account settler-0?", "/v1/refunds/0"] {
        assert!(row.contains(part), "{row}");
    }
}

#[test]
fn what_a_terminal_would_obey_is_never_printed_for_people() {
    let mut log = Log::new();
    let hostile = "\\u001b[2J\u{9b}31m\u{202e}\u{200b}";
    log.edit(9, "\"open_activities\":0", &format!("\"x\":\"{hostile}\""));
    log.lines.truncate(9);
    for (from, to) in [("settler-3", hostile), ("/v1/refunds/3", hostile)] {
        log.edit(7, from, to);
    }
    log.lines.push(format!("no record \u{1b}[31m{}", "\u{202e}"));
    log.write();
    for arguments in [&["tail", log.place()][..], &["query", log.place(), "--actor", "*"], &["verify", log.place()]] {
        let output = audit(arguments);
        let said = text(&output.stdout) + &text(&output.stderr);
        let harmful = |character: char| {
            (character.is_control() && character != '\n') || ['\u{202e}', '\u{200b}', '\u{9b}'].contains(&character)
        };
        assert!(!said.contains(harmful), "{said:?}");
    }
    assert!(text(&audit(&["tail", log.place()]).stdout).contains("\\u{202e}"));
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let mut log = Log::new();
    for _ in 0..5_000 {
        log.record("\"kind\":\"event\",\"action\":\"a\"");
    }
    log.write();
    for arguments in [&["query", log.place(), "--json"][..], &["tail", log.place(), "-n", "5000"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_audit"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().expect("stderr").read_to_string(&mut said).expect("text");
        assert_eq!(child.wait().expect("an end").code(), Some(0));
        assert_eq!(said, "");
    }
}
