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
