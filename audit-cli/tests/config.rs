//! A configuration file instead of a location.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod sample;

use std::fs;

use audit_core::key::Key;
use sample::{ID, Log, NAME, audit, code, json, text};

/// A log, a copy of it, and a configuration that names both.
fn configured() -> (Log, Log, String) {
    let key = Key::generate(NAME).expect("a key");
    let whole = tempfile::tempdir().expect("a directory");
    let log = Log::at(&whole.path().join("log"), ID, &key);
    let copy = Log::at(&whole.path().join("copy"), ID, &key);
    let file = whole.path().join("audit.toml");
    let config = format!(
        "[primary]\nurl = \"file://{}\"\nmin_free = \"1MiB\"\n\n[[replica]]\nname = \"copy\"\nurl = \"{}\"\n",
        log.place(),
        copy.place()
    );
    fs::write(&file, config).expect("written");
    let config = file.display().to_string();
    (Log { whole: Some(whole), ..log }, copy, config)
}

#[test]
fn a_configuration_verifies_the_primary_and_compares_all_replicas() {
    let (log, mut copy, config) = configured();
    let vkey = log.key.verifier().to_string();
    let output = audit(&["verify", "--config", &config, "--key", &vkey, "--json"]);
    assert_eq!(code(&output), 0);
    let verdict = json(&output);
    let logs = verdict["logs"].as_array().expect("logs");
    assert_eq!((logs.len(), &logs[0]["replica"], &logs[1]["replica"]), (2, &false.into(), &true.into()));

    copy.edit(5, "POST", "PUT_");
    assert_eq!(code(&audit(&["verify", "--config", &config])), 1);
    fs::remove_dir_all(&copy.dir).expect("removed");
    assert_eq!(code(&audit(&["verify", "--config", &config])), 2);
}

#[test]
fn every_verb_that_reads_takes_a_configuration() {
    let (log, _copy, config) = configured();
    let output = audit(&["tail", "--config", &config, "-n", "1", "--json"]);
    assert_eq!(text(&output.stdout).trim_end(), log.lines[9]);
    let output = audit(&["query", "--config", &config, "--json"]);
    assert_eq!(text(&output.stdout).lines().collect::<Vec<_>>(), log.lines);
    let output = audit(&["prove", "--config", &config, "7"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert_eq!(output.stdout, audit(&["prove", log.place(), "7"]).stdout);
}

#[test]
fn a_location_or_a_configuration_is_needed_and_not_both() {
    let (log, _copy, config) = configured();
    for arguments in [
        &["verify"][..],
        &["tail"],
        &["query"],
        &["prove"],
        &["prove", "7"],
        &["verify", log.place(), "--config", &config],
        &["prove", log.place(), "7", "--config", &config],
    ] {
        let output = audit(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_mistake_in_a_configuration_is_named_with_line_and_column() {
    let (_log, _copy, config) = configured();
    let broken = fs::read_to_string(&config).expect("read").replace("min_free", "min_fre");
    fs::write(&config, broken).expect("written");
    let output = audit(&["verify", "--config", &config]);
    assert_eq!(code(&output), 2);
    let said = text(&output.stderr);
    assert!(said.contains(&format!("{config}:3:1: unknown option `min_fre`")), "{said}");
    let output = audit(&["verify", "--config", "/nonexistent/audit.toml"]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("cannot read the configuration /nonexistent/audit.toml"));
}

#[test]
fn a_primary_that_is_gone_is_missed_where_its_replicas_still_have_it() {
    let (log, copy, config) = configured();
    fs::remove_dir_all(&log.dir).expect("removed");
    let output = audit(&["verify", "--config", &config, "--json"]);
    assert_eq!(code(&output), 1);
    let verdict = json(&output);
    assert_eq!(verdict["findings"][0]["kind"], "vanished");
    assert_eq!(verdict["findings"][0]["locations"], serde_json::json!([copy.place()]));
    assert_eq!(verdict["logs"][0]["verdict"], "intact", "the copy is healthy");
    let said = text(&output.stderr);
    assert!(
        said.contains("there is no such directory") && said.contains("copied back when the log is opened"),
        "{said}"
    );
    // With the replica gone as well nobody knows anything.
    fs::remove_dir_all(&copy.dir).expect("removed");
    assert_eq!(code(&audit(&["verify", "--config", &config])), 2);
}

#[test]
fn an_emptied_primary_is_missed_where_its_replicas_still_have_it() {
    let (log, _copy, config) = configured();
    fs::remove_dir_all(&log.dir).expect("removed");
    fs::create_dir_all(log.path("segments")).expect("a directory");
    let vkey = log.key.verifier().to_string();
    let output = audit(&["verify", "--config", &config, "--key", &vkey, "--json"]);
    assert_eq!((code(&output), &json(&output)["findings"][0]["kind"]), (1, &"vanished".into()));
}

#[test]
fn the_lag_that_a_configuration_allows_is_applied() {
    let (_log, mut copy, config) = configured();
    copy.lines.truncate(7);
    copy.write();
    copy.sign(7);
    // While the log was written nothing is late, unless three records are too many.
    let verify = |limit: &str| {
        let limited = format!("{}{limit}\n", fs::read_to_string(&config).expect("read"));
        let file = copy.path(&format!("{}.toml", limit.len()));
        fs::write(&file, limited).expect("written");
        let file = file.display().to_string();
        let output = audit(&["verify", "--config", &file, "--now", "2026-11-23T11:40:17Z", "--json"]);
        assert_eq!(code(&output), 0);
        let verdict = json(&output);
        assert_eq!(verdict["findings"][0]["kind"], "behind");
        verdict["findings"][0]["class"].as_str().expect("a class").to_owned()
    };
    assert_eq!(verify(""), "info");
    assert_eq!(verify("lag_records = 3"), "info");
    assert_eq!(verify("lag_records = 2"), "warning");
    assert_eq!(verify("lag_seconds = 600"), "info");
    assert_eq!(verify("lag_seconds = 9"), "warning");
}

#[test]
fn one_directory_under_two_names_is_no_replica() {
    let (log, _copy, config) = configured();
    std::os::unix::fs::symlink(&log.dir, log.dir.with_file_name("link")).expect("a link");
    let twice = fs::read_to_string(&config).expect("read").replace("/copy\"", "/link\"");
    fs::write(&config, twice).expect("written");
    let output = audit(&["verify", "--config", &config]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("is the store of another section too"), "{}", text(&output.stderr));
}
