//! Many logs under one directory, their copies, and what an earlier run saw: as users of the program
//! meet it.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod sample;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use audit_core::key::Key;
use sample::{ID, Log, NAME, ORIGIN, OTHER_ID, audit, code, json, text};
use serde_json::Value;
use tempfile::TempDir;

/// Two logs in one directory.
struct Fleet {
    dir: TempDir,
    key: Key,
}

impl Fleet {
    fn new() -> Self {
        let fleet = Self { dir: tempfile::tempdir().expect("a directory"), key: Key::generate(NAME).expect("a key") };
        fleet.log("a", ID);
        fleet.log("deep/er/b", OTHER_ID);
        fleet
    }

    fn log(&self, place: &str, id: &str) -> Log {
        Log::at(&self.path(place), id, &self.key)
    }

    fn path(&self, place: &str) -> PathBuf {
        self.dir.path().join(place)
    }

    fn place(&self, place: &str) -> String {
        self.path(place).display().to_string().trim_end_matches('/').to_owned()
    }

    fn vkey(&self) -> String {
        self.key.verifier().with_name(ORIGIN).expect("a name").to_string()
    }

    /// Verifies with the key pinned; gives the exit code and the verdict.
    fn verify(&self, arguments: &[&str]) -> (i32, Value) {
        let vkey = self.vkey();
        let output = audit(&[&["verify", "--json", "--key", &vkey], arguments].concat());
        (code(&output), json(&output))
    }
}

fn kinds(verdict: &Value) -> Vec<&str> {
    let findings = verdict["findings"].as_array().expect("findings");
    findings.iter().map(|finding| finding["kind"].as_str().expect("a kind")).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

#[test]
fn a_prefix_gives_one_verdict_on_all_logs_under_it() {
    let fleet = Fleet::new();
    let (exit, verdict) = fleet.verify(&[&fleet.place("")]);
    assert_eq!((exit, &verdict["verdict"]), (0, &Value::from("intact")));
    let logs: Vec<_> =
        verdict["logs"].as_array().expect("logs").iter().map(|log| (&log["log"], &log["location"])).collect();
    let (a, b) = (Value::from(fleet.place("a")), Value::from(fleet.place("deep/er/b")));
    let (one, other) = (Value::from(NAME), Value::from(format!("{ORIGIN}/{OTHER_ID}")));
    assert_eq!(logs, [(&one, &a), (&other, &b)]);

    let said = text(&audit(&["verify", &fleet.place("")]).stdout);
    assert!(said.starts_with("verdict: intact (keys not pinned)\nlogs:    2; copies in replicas: 0\n"), "{said}");
    assert!(said.contains(&format!("{}: intact, 10 records, 10 of them signed: {NAME}\n", fleet.place("a"))), "{said}");
    // It is said once, not for each log.
    assert!(!said.contains("key_unpinned"), "{said}");
}

#[test]
fn a_url_of_a_prefix_gives_urls_of_logs() {
    let fleet = Fleet::new();
    let (exit, verdict) = fleet.verify(&[&format!("file://{}", fleet.place(""))]);
    assert_eq!(exit, 0);
    assert_eq!(verdict["logs"][0]["location"], format!("file://{}", fleet.place("a")));
}

#[test]
fn one_log_alone_has_the_verdict_that_it_always_had() {
    let fleet = Fleet::new();
    let (exit, verdict) = fleet.verify(&[&fleet.place("a/")]);
    assert_eq!(exit, 0);
    let members: Vec<_> = verdict.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(members, ["findings", "key", "records", "root", "signed", "verdict"]);
}

#[test]
fn one_tampered_log_makes_the_fleet_tampered() {
    let fleet = Fleet::new();
    fleet.log("c", "3c9a1d84-8a52-4b0f-a5c1-0f5d1a2b3c4d").edit(3, "POST", "PUT_");
    let (exit, verdict) = fleet.verify(&[&fleet.place("")]);
    assert_eq!((exit, &verdict["verdict"]), (1, &Value::from("tampered")));
    let said = text(&audit(&["verify", &fleet.place("")]).stdout);
    assert!(said.contains("c: tampered, 10 records") && said.contains("seq 3: record 3 was changed"), "{said}");
}

#[test]
fn links_are_not_followed_and_what_a_log_has_put_aside_is_no_log() {
    let fleet = Fleet::new();
    std::os::unix::fs::symlink(fleet.path("a"), fleet.path("link")).expect("a link");
    fleet.log("a/quarantine/x", "3c9a1d84-8a52-4b0f-a5c1-0f5d1a2b3c4d");
    let (_, verdict) = fleet.verify(&[&fleet.place("")]);
    assert_eq!(verdict["logs"].as_array().expect("logs").len(), 2);
}

#[test]
fn logs_are_looked_for_eight_directories_deep() {
    let fleet = Fleet { dir: tempfile::tempdir().expect("a directory"), key: Key::generate(NAME).expect("a key") };
    fleet.log("1/2/3/4/5/6/7/8/9", ID);
    let (exit, verdict) = fleet.verify(&[&fleet.place("")]);
    assert_eq!((exit, &verdict["verdict"]), (2, &Value::from("unverifiable")));
    let detail = verdict["findings"][0]["detail"].as_str().expect("a detail");
    assert!(detail.contains("no log lies below it (8 directories deep at most)"), "{detail}");
    fleet.log("1/2/3/4/5/6/7/x", OTHER_ID);
    assert_eq!(fleet.verify(&[&fleet.place("")]).0, 0);
}

#[test]
fn copies_elsewhere_are_compared_by_the_name_of_the_log() {
    let fleet = Fleet::new();
    let copies = tempfile::tempdir().expect("a directory");
    let there = copies.path().display().to_string();
    copy(&fleet.path("a"), &copies.path().join("x"));
    copy(&fleet.path("deep/er/b"), &copies.path().join("y"));
    let (exit, verdict) = fleet.verify(&[&fleet.place(""), "--replica", &there]);
    assert_eq!((exit, kinds(&verdict)), (0, vec![]));
    assert_eq!(verdict["logs"].as_array().expect("logs").len(), 4);
    let said = text(&audit(&["verify", &fleet.place(""), "--replica", &there]).stdout);
    assert!(said.contains("logs:    2; copies in replicas: 2\n") && said.contains(": copy of payments"), "{said}");

    // The copy has gone on, so something is missing here.
    let mut longer = fleet.log("longer", ID);
    longer.record("\"kind\":\"event\",\"action\":\"a\"");
    longer.write();
    let shorter = fleet.place("a");
    let (exit, verdict) = fleet.verify(&[&shorter, "--replica", longer.place()]);
    assert_eq!((exit, kinds(&verdict)), (1, vec!["truncated"]));
    assert_eq!(verdict["findings"][0]["locations"], serde_json::json!([shorter, longer.place()]));
    // The other way round it is only late.
    let (exit, verdict) = fleet.verify(&[longer.place(), "--replica", &shorter]);
    assert_eq!((exit, kinds(&verdict)), (0, vec!["behind"]));
}

#[test]
fn a_copy_with_other_bytes_is_a_fork_and_named_by_its_first_record() {
    let fleet = Fleet::new();
    let mut forged = Log::at(&fleet.path("forged"), ID, &fleet.key);
    forged.lines.truncate(7);
    forged.record("\"kind\":\"event\",\"action\":\"other\"");
    forged.write();
    forged.sign(8);
    let (exit, verdict) = fleet.verify(&[&fleet.place("a"), "--replica", forged.place()]);
    assert_eq!((exit, kinds(&verdict)), (1, vec!["forked"]));
    assert_eq!(verdict["findings"][0]["seq"], 7);
    // Both under one prefix are no better.
    let (exit, verdict) = fleet.verify(&[&fleet.place("")]);
    assert_eq!((exit, kinds(&verdict)), (1, vec!["forked"]));
}

#[test]
fn a_log_is_not_compared_with_itself_under_any_name() {
    let fleet = Fleet::new();
    std::os::unix::fs::symlink(fleet.path("a"), fleet.path("link")).expect("a link");
    let log = fleet.place("a");
    let url = format!("file://localhost/{log}/");
    for replica in [&log, &format!("{log}/"), &url, &fleet.place("deep/../a"), &fleet.place("link"), &fleet.place("")] {
        let output = audit(&["verify", &log, "--replica", replica]);
        assert_eq!(code(&output), 2, "{replica}");
        assert!(text(&output.stderr).contains("is the log itself"), "{replica}: {}", text(&output.stderr));
    }
}

#[test]
fn a_replica_that_cannot_be_read_leaves_the_question_open() {
    let fleet = Fleet::new();
    for replica in ["/nonexistent/replica", "ftp://somewhere/else"] {
        let (exit, verdict) = fleet.verify(&[&fleet.place("a"), "--replica", replica]);
        assert_eq!((exit, &verdict["verdict"]), (2, &Value::from("unverifiable")), "{replica}");
    }
}

#[test]
fn what_an_earlier_run_saw_and_is_gone_is_found() {
    let fleet = Fleet::new();
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("state");
    let state = file.to_str().expect("a path");
    let here = fleet.place("");
    let verify = || fleet.verify(&[&here, "--fleet-state", state]);
    assert_eq!(verify().0, 0);
    assert_eq!(verify().0, 0);
    let kept = fs::read_to_string(&file).expect("a state");
    assert_eq!(kept.lines().count(), 3);
    assert_eq!(fs::read_dir(folder.path()).expect("a directory").count(), 2, "the state, and the file that runs lock");

    fs::remove_dir_all(fleet.path("a")).expect("removed");
    for _ in 0..2 {
        let (exit, verdict) = verify();
        assert_eq!((exit, kinds(&verdict)), (1, vec!["vanished"]));
        assert_eq!(verdict["findings"][0]["log"], NAME);
    }
    assert_eq!(fs::read_to_string(&file).expect("a state"), kept, "it stays gone until somebody lets it go");

    fs::remove_dir_all(fleet.path("deep")).expect("removed");
    let (exit, verdict) = verify();
    assert_eq!((exit, kinds(&verdict)), (1, vec!["vanished", "vanished"]));

    let without: String = kept.lines().filter(|line| !line.contains(ID)).map(|line| format!("{line}\n")).collect();
    fs::write(&file, without).expect("written");
    fleet.log("deep/er/b", OTHER_ID);
    // The log was made again with the same records, so that what is left is as it was.
    assert_eq!(verify().0, 0);
}

#[test]
fn a_log_that_shrank_since_the_last_run_is_found() {
    let fleet = Fleet::new();
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("state");
    let state = file.to_str().expect("a path");
    let place = fleet.place("a");
    // A single log can be watched like this as well.
    assert_eq!(fleet.verify(&[&place, "--fleet-state", state]).0, 0);
    let mut log = Log::at(&fleet.path("a"), ID, &fleet.key);
    log.lines.truncate(6);
    log.write();
    log.sign(6);
    assert_eq!(fleet.verify(&[&place]).0, 0, "by itself nothing is wrong with it");
    let (exit, verdict) = fleet.verify(&[&place, "--fleet-state", state]);
    // What was cut off said that the log was closed.
    assert_eq!((exit, kinds(&verdict)), (1, vec!["truncated", "silent"]));
    assert_eq!((&verdict["findings"][0]["seq"], &verdict["findings"][0]["to"]), (&6.into(), &9.into()));
}

#[test]
fn a_state_that_is_no_state_or_cannot_be_kept_gives_2_and_is_left_as_it_is() {
    let fleet = Fleet::new();
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("state");
    let state = file.to_str().expect("a path");
    fs::write(&file, "{\"fleet_state\":1}\ngarbage\n").expect("written");
    let (exit, said) = fleet.verify(&[&fleet.place(""), "--fleet-state", state]);
    assert_eq!(exit, 2);
    let error = said["error"].as_str().expect("a reason");
    assert!(error.contains("line 2") && error.contains(state), "{error}");
    assert_eq!(fs::read_to_string(&file).expect("kept"), "{\"fleet_state\":1}\ngarbage\n");

    let vkey = fleet.vkey();
    let lost = audit(&["verify", &fleet.place(""), "--key", &vkey, "--fleet-state", "/nonexistent/state"]);
    assert_eq!(code(&lost), 2);
    assert!(lost.stdout.is_empty(), "it is said before the work is done: {}", text(&lost.stdout));
    assert!(text(&lost.stderr).contains("/nonexistent/state"), "{}", text(&lost.stderr));
}

#[test]
fn a_query_over_a_fleet_merges_by_time_and_names_the_log() {
    let fleet = Fleet::new();
    let output = audit(&["query", &fleet.place(""), "--json", "--actor", "settler-1"]);
    assert_eq!(code(&output), 0);
    let said = text(&output.stdout);
    let (one, other) = (fleet.log("x/a", ID).lines, fleet.log("x/b", OTHER_ID).lines);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 4, "{said}");
    for (at, line) in lines.iter().enumerate() {
        let parsed: Value = serde_json::from_str(line).expect("json");
        let (log, location, stored) = if at % 2 == 0 {
            (NAME.to_owned(), "a", &one)
        } else {
            (format!("{ORIGIN}/{OTHER_ID}"), "deep/er/b", &other)
        };
        assert_eq!((&parsed["log"], &parsed["location"]), (&Value::from(log), &Value::from(fleet.place(location))));
        assert!(line.starts_with("{\"log\":\"payments"), "{line}");
        // The stored line is there byte for byte.
        assert!(line.ends_with(&format!("\"record\":{}}}", stored[3 + at / 2])), "{line}");
    }
    let said = text(&audit(&["query", &fleet.place(""), "--actor", "settler-1"]).stdout);
    let rows: Vec<&str> = said.lines().collect();
    assert!(rows[0].starts_with("log        ") && rows[0].contains("seq"), "{said}");
    assert!(rows[1].starts_with("a  ") || rows[1].starts_with("x/a"), "{said}");
}

#[test]
fn a_query_over_a_fleet_that_meets_no_record_says_so() {
    let fleet = Fleet::new();
    let mut log = fleet.log("c", "3c9a1d84-8a52-4b0f-a5c1-0f5d1a2b3c4d");
    log.edit(3, "{\"v\":1", "{\"v\":x");
    let output = audit(&["query", &fleet.place(""), "--json"]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("1 lines are no records"), "{}", text(&output.stderr));
}

#[test]
fn more_logs_than_can_be_open_at_once_are_not_searched_together() {
    let dir = tempfile::tempdir().expect("a directory");
    for log in 0..513 {
        let path = dir.path().join(log.to_string());
        fs::create_dir(&path).expect("a directory");
        fs::write(path.join("log.pub"), "").expect("written");
    }
    let output = audit(&["query", dir.path().to_str().expect("a path")]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("at most 512"), "{}", text(&output.stderr));
    fs::remove_dir_all(dir.path().join("512")).expect("removed");
    assert_eq!(code(&audit(&["query", dir.path().to_str().expect("a path")])), 0);
}

#[test]
fn verbs_for_one_log_name_one_when_they_are_given_many() {
    let fleet = Fleet::new();
    for arguments in [&["tail", &fleet.place("")][..], &["prove", &fleet.place(""), "3"]] {
        let output = audit(arguments);
        assert_eq!(code(&output), 2);
        let said = text(&output.stderr);
        assert!(
            said.contains("there are logs below it: give one, such as") && said.contains(&fleet.place("a")),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1);
    }
}

#[test]
fn what_lies_under_a_prefix_is_not_hidden_by_making_a_log_of_the_prefix() {
    let fleet = Fleet::new();
    let folder = tempfile::tempdir().expect("a directory");
    let state = folder.path().join("state").display().to_string();
    assert_eq!(fleet.verify(&[&fleet.place(""), "--fleet-state", &state]).0, 0);
    fs::create_dir(fleet.path("segments")).expect("a directory");
    let (exit, verdict) = fleet.verify(&[&fleet.place("")]);
    assert_eq!((exit, verdict["logs"].as_array().expect("logs").len()), (2, 3));
    fs::remove_dir_all(fleet.path("a")).expect("removed");
    let (exit, verdict) = fleet.verify(&[&fleet.place(""), "--fleet-state", &state]);
    assert_eq!((exit, kinds(&verdict)), (1, vec!["vanished"]));
    // A good copy of the other one in the place of the prefix does not stand for what is gone.
    copy(&fleet.path("deep/er/b"), &fleet.path(""));
    fs::remove_dir_all(fleet.path("deep")).expect("removed");
    let (exit, verdict) = fleet.verify(&[&fleet.place(""), "--fleet-state", &state]);
    assert_eq!((exit, kinds(&verdict)), (1, vec!["vanished"]));
}

#[test]
fn an_emptied_log_is_not_intact_and_gone_where_a_copy_has_records() {
    let fleet = Fleet::new();
    copy(&fleet.path("a"), &fleet.path("copies/a"));
    fs::remove_dir_all(fleet.path("a")).expect("removed");
    fs::create_dir_all(fleet.path("a/segments")).expect("a directory");
    let (exit, verdict) = fleet.verify(&[&fleet.place("a")]);
    assert_eq!((exit, &verdict["records"]), (2, &Value::from(0)));
    let (exit, verdict) = fleet.verify(&[&fleet.place("a"), "--replica", &format!("{}/", fleet.place("copies/a"))]);
    assert_eq!((exit, kinds(&verdict)), (1, vec!["vanished"]));
    // Without the directory it is the same.
    fs::remove_dir_all(fleet.path("a")).expect("removed");
    let (exit, verdict) = fleet.verify(&[&fleet.place("a"), "--replica", &fleet.place("copies/a")]);
    assert_eq!((exit, kinds(&verdict)), (1, vec!["vanished"]));
}

#[test]
fn a_log_that_is_gone_is_missed_however_its_place_is_spelled() {
    let fleet = Fleet::new();
    let folder = tempfile::tempdir().expect("a directory");
    let state = folder.path().join("state").display().to_string();
    assert_eq!(fleet.verify(&[&format!("{}/", fleet.place("a")), "--fleet-state", &state]).0, 0);
    // Another log in its place.
    fs::remove_dir_all(fleet.path("a")).expect("removed");
    copy(&fleet.path("deep/er/b"), &fleet.path("a"));
    for place in [fleet.place("a"), format!("file://{}", fleet.place("a")), fleet.place("deep/../a")] {
        let (exit, verdict) = fleet.verify(&[&place, "--fleet-state", &state]);
        assert_eq!((exit, kinds(&verdict)), (1, vec!["vanished"]), "{place}");
    }
    let elsewhere = fleet.log("c", "3c9a1d84-8a52-4b0f-a5c1-0f5d1a2b3c4d");
    let vkey = fleet.vkey();
    let output = audit(&["verify", elsewhere.place(), "--key", &vkey, "--fleet-state", &state]);
    assert_eq!(code(&output), 0);
    assert!(text(&output.stderr).contains("knows no log at"), "{}", text(&output.stderr));
}

#[test]
fn another_log_in_the_place_of_the_copy_is_a_fork_however_the_place_is_spelled() {
    let fleet = Fleet::new();
    let b = fleet.place("deep/er/b");
    for replica in [b.clone(), format!("{b}/"), format!("file://localhost{b}"), fleet.place("a/../deep/er/b")] {
        let (exit, verdict) = fleet.verify(&[&fleet.place("a"), "--replica", &replica]);
        assert_eq!((exit, kinds(&verdict)[0]), (1, "forked"), "{replica}");
    }
    let (exit, _) = fleet.verify(&[&fleet.place("a"), "--replica", &fleet.place("deep")]);
    assert_eq!(exit, 2, "nothing was compared");
}

#[test]
fn a_replica_that_was_rolled_back_or_emptied_since_the_last_run_is_found() {
    let fleet = Fleet::new();
    let folder = tempfile::tempdir().expect("a directory");
    let state = folder.path().join("state").display().to_string();
    let copies = tempfile::tempdir().expect("a directory");
    let there = copies.path().join("a");
    copy(&fleet.path("a"), &there);
    let replica = copies.path().display().to_string();
    let verify = || fleet.verify(&[&fleet.place("a"), "--replica", &replica, "--fleet-state", &state]);
    assert_eq!(verify().0, 0);
    let mut log = Log::at(&there, ID, &fleet.key);
    log.lines.truncate(6);
    log.write();
    log.sign(6);
    for _ in 0..2 {
        let (exit, verdict) = verify();
        assert_eq!((exit, kinds(&verdict)), (1, vec!["truncated", "behind"]));
        assert_eq!(verdict["findings"][1]["class"], "warning", "it lacks signed records of long ago");
    }
    fs::remove_dir_all(&there).expect("removed");
    let (exit, verdict) = verify();
    assert_eq!((exit, &verdict["verdict"]), (2, &Value::from("unverifiable")), "the store cannot be read any more");
    fs::create_dir_all(there.join("segments")).expect("a directory");
    let (exit, verdict) = verify();
    assert_eq!((exit, kinds(&verdict)[0]), (1, "vanished"));
    copy(&fleet.path("a"), &there);
    assert_eq!(verify().0, 0, "it has all of it again");
}

#[test]
fn a_fork_does_not_move_the_state() {
    let fleet = Fleet::new();
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("state");
    let state = file.to_str().expect("a path");
    let here = fleet.place("");
    assert_eq!(fleet.verify(&[&here, "--fleet-state", state]).0, 0);
    let kept = fs::read_to_string(&file).expect("a state");
    let mut forged = Log::at(&fleet.path("x"), ID, &fleet.key);
    // What the key could sign beside the last record that was seen: a longer log.
    forged.lines.truncate(9);
    forged.record("\"kind\":\"event\",\"action\":\"other\"");
    forged.record("\"kind\":\"log.closed\",\"open_activities\":0");
    forged.write();
    forged.sign(11);
    let (exit, verdict) = fleet.verify(&[&here, "--fleet-state", state]);
    assert_eq!((exit, kinds(&verdict)[0]), (1, "forked"));
    assert_eq!(fs::read_to_string(&file).expect("a state"), kept);
    fs::remove_dir_all(fleet.path("x")).expect("removed");
    assert_eq!(fleet.verify(&[&here, "--fleet-state", state]).0, 0);
}

#[test]
fn runs_that_write_one_state_at_the_same_time_lose_nothing_of_each_other() {
    let fleet = Fleet::new();
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("state");
    let state = file.to_str().expect("a path");
    assert_eq!(fleet.verify(&[&fleet.place("deep"), "--fleet-state", state]).0, 0);
    let other = fs::read_to_string(&file).expect("a state");
    fs::write(&file, "{\"fleet_state\":1}\n").expect("written");

    let lock = fs::File::create(folder.path().join("state.lock")).expect("the lock");
    lock.lock().expect("locked");
    let mut run = Command::new(env!("CARGO_BIN_EXE_audit"))
        .args(["verify", &fleet.place("a"), "--key", &fleet.vkey(), "--fleet-state", state])
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let mut said = String::new();
    BufReader::new(run.stdout.take().expect("piped")).read_line(&mut said).expect("a verdict");
    assert!(said.starts_with("verdict: intact"), "{said}");
    // It has read the state and not yet written it; meanwhile somebody else does.
    fs::write(&file, &other).expect("written");
    drop(lock);
    assert!(run.wait().expect("ended").success());
    let kept = fs::read_to_string(&file).expect("a state");
    assert!(kept.contains(ID) && kept.contains(OTHER_ID), "{kept}");
}

#[test]
fn a_state_behind_a_link_is_replaced_where_it_is() {
    let fleet = Fleet::new();
    let folder = tempfile::tempdir().expect("a directory");
    let (file, link) = (folder.path().join("state"), folder.path().join("link"));
    fs::write(&file, "{\"fleet_state\":1}\n").expect("written");
    std::os::unix::fs::symlink(&file, &link).expect("a link");
    assert_eq!(fleet.verify(&[&fleet.place(""), "--fleet-state", link.to_str().expect("a path")]).0, 0);
    assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
    assert_eq!(fs::read_to_string(&file).expect("a state").lines().count(), 3);
}

#[test]
fn a_fleet_of_which_nothing_is_signed_yet_says_so() {
    let fleet = Fleet::new();
    fs::remove_file(fleet.path("a/checkpoint")).expect("removed");
    let vkey = fleet.vkey();
    let said = text(&audit(&["verify", &fleet.place(""), "--key", &vkey]).stdout);
    assert!(said.starts_with("verdict: intact (nothing signed yet in 1 of 2)\n"), "{said}");
    let said = text(&audit(&["verify", &fleet.place("")]).stdout);
    assert!(said.starts_with("verdict: intact (nothing signed yet in 1 of 2; keys not pinned)\n"), "{said}");
}
