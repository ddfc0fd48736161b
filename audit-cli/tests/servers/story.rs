//! What holds for a log in whatever store.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use audit_backends::Config;
use audit_core::AuditLog;
use real_servers::{Mode, Proxy, free_port};
use serde_json::Value;

use crate::place::{Place, Service, audit, fleet_key, judged, said, write_log};

/// A log that a service has written is verified, read and proved by its URL.
pub(crate) fn one_log(place: &Place) {
    let (key, vkey) = fleet_key();
    write_log(&key, place.backend("one"));
    let url = place.read("one");
    let (exit, verdict) = judged(&["verify", &url, "--key", &vkey, "--json"]);
    assert_eq!((exit, &verdict["verdict"]), (0, &Value::from("intact")), "{verdict}");
    assert_eq!(verdict["records"], verdict["signed"]);
    let records = verdict["records"].as_u64().expect("a number");
    assert!(records >= 22, "opened, ten calls, closed: {verdict}");

    let output = audit(&["query", &url, "--json"]);
    assert!(output.status.success(), "{}", said(&output));
    let lines: Vec<String> = String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect();
    assert_eq!(lines.len() as u64, records);
    let output = audit(&["tail", &url, "-n", "2", "--json"]);
    assert_eq!(String::from_utf8(output.stdout).expect("text").lines().collect::<Vec<_>>(), lines[lines.len() - 2..]);
    let output = audit(&["query", &url, "--action", "POST *", "--json"]);
    assert_eq!(String::from_utf8(output.stdout).expect("text").lines().count(), 20);

    let folder = tempfile::tempdir().expect("a directory");
    let proof = folder.path().join("proof").display().to_string();
    let output = audit(&["prove", &url, "7", "-o", &proof]);
    assert!(output.status.success(), "{}", said(&output));
    let (exit, checked) = judged(&["check", &proof, "--key", &vkey, "--json"]);
    assert_eq!((exit, &checked["line"]), (0, &Value::from(lines[7].clone())));
}

/// All logs under a prefix are one fleet, read with a reader's rights.
pub(crate) fn a_fleet(place: &Place) {
    let (key, vkey) = fleet_key();
    for log in ["a", "b"] {
        write_log(&key, place.backend(log));
    }
    let folder = tempfile::tempdir().expect("a directory");
    let state = folder.path().join("state").display().to_string();
    let fleet = place.fleet();
    for _ in 0..2 {
        let (exit, verdict) = judged(&["verify", &fleet, "--key", &vkey, "--json", "--fleet-state", &state]);
        assert_eq!((exit, verdict["findings"].as_array().map(Vec::len)), (0, Some(0)), "{verdict}");
        assert_eq!(verdict["logs"].as_array().map(Vec::len), Some(2), "{verdict}");
    }
    let output = audit(&["query", &fleet, "--action", "POST *", "--json"]);
    assert!(output.status.success(), "{}", said(&output));
    let lines = String::from_utf8(output.stdout).expect("text");
    assert_eq!(lines.lines().count(), 40);
    let output = audit(&["tail", &fleet]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(said(&output).lines().count(), 1, "{}", said(&output));

    // One that was there before, as far as the state says, is missed.
    let kept = std::fs::read_to_string(&state).expect("a state");
    let first = kept.lines().nth(1).expect("a log");
    let name = first.split('"').nth(3).expect("a name");
    let other = format!("{}0000", &name[..name.len() - 4]);
    std::fs::write(&state, format!("{kept}{}\n", first.replace(name, &other))).expect("written");
    let (exit, verdict) = judged(&["verify", &fleet, "--key", &vkey, "--json", "--fleet-state", &state]);
    assert_eq!((exit, &verdict["findings"][0]["kind"]), (1, &Value::from("vanished")), "{verdict}");
}

/// A file log is copied to the store; a configuration verifies both and finds the same root.
pub(crate) fn a_replica(place: &Place) {
    let (key, vkey) = fleet_key();
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("audit.toml");
    let log = folder.path().join("log").display().to_string();
    let config = |url: &str| {
        format!("[primary]\nurl = {log:?}\nmin_free = 0\n\n[[replica]]\nname = \"elsewhere\"\nurl = {url:?}\n")
    };
    std::fs::write(&file, config(&place.written("copy"))).expect("written");
    let builder = AuditLog::builder(crate::place::ORIGIN).key(key);
    let stores = Config::from_file(&file).expect("a configuration");
    let opened = stores.apply(builder).expect("stores").open();
    let service = Service::of(opened.unwrap_or_else(|error| panic!("the log does not open: {error}")));
    service.calls(0, 10);
    let until = Instant::now() + Duration::from_secs(30);
    while service.log.health().replicas.iter().any(|replica| replica.lag_records > 0) {
        assert!(Instant::now() < until, "{:?}", service.log.health().replicas);
        std::thread::sleep(Duration::from_millis(20));
    }
    service.close();

    std::fs::write(&file, config(&place.read("copy"))).expect("written");
    let config = file.display().to_string();
    let (exit, verdict) = judged(&["verify", "--config", &config, "--key", &vkey, "--json"]);
    assert_eq!((exit, &verdict["verdict"]), (0, &Value::from("intact")), "{verdict}");
    assert_eq!((&verdict["logs"][0]["replica"], &verdict["logs"][1]["replica"]), (&false.into(), &true.into()));
    let behind = verdict["findings"].as_array().expect("findings").iter().all(|finding| finding["kind"] == "behind");
    assert!(behind, "{verdict}");
    if verdict["findings"].as_array().is_some_and(Vec::is_empty) {
        assert_eq!(verdict["logs"][0]["root"], verdict["logs"][1]["root"]);
    }

    // Cut the end off the directory, checkpoints and all: its copy shows it.
    let segment = folder.path().join("log/segments/00000000000000000000.jsonl");
    let lines = std::fs::read_to_string(&segment).expect("lines");
    let shorter: String = lines.lines().take(9).map(|line| format!("{line}\n")).collect();
    std::fs::write(&segment, shorter).expect("written");
    for signed in ["checkpoint", "checkpoints"] {
        let path = folder.path().join("log").join(signed);
        let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path));
    }
    let (exit, verdict) = judged(&["verify", "--config", &config, "--key", &vkey, "--json"]);
    let kinds: Vec<_> = verdict["findings"].as_array().expect("findings").iter().map(|found| &found["kind"]).collect();
    assert_eq!((exit, kinds.contains(&&Value::from("truncated"))), (1, true), "{verdict}");
}

/// What is appended to an open log is shown.
pub(crate) fn a_log_that_is_followed(place: &Place) {
    let (key, _) = fleet_key();
    let service = Service::open(&key, place.backend("live"));
    service.calls(0, 2);
    let mut child = Command::new(env!("CARGO_BIN_EXE_audit"))
        .args(["tail", &place.read("live"), "-f", "-n", "1", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    lines.next().expect("the last record so far").expect("a line");
    service.calls(2, 1);
    let followed = lines.any(|line| line.expect("a line").contains("/v1/refunds/2"));
    child.kill().expect("killed");
    child.wait().expect("an end");
    assert!(followed, "the call that came later is shown");
    service.close();
}

/// Evidence against a log gives 1.
pub(crate) fn tampered(place: &Place, log: &str, kinds: &[&str]) {
    let (exit, verdict) = judged(&["verify", &place.read(log), "--json"]);
    assert_eq!((exit, &verdict["verdict"]), (1, &Value::from("tampered")), "{verdict}");
    let found = verdict["findings"][0]["kind"].as_str().expect("a kind");
    assert!(kinds.contains(&found), "{verdict}");
}

/// A server that takes connections and says nothing is as if there were none.
pub(crate) fn hung(url: impl Fn(u16) -> String) {
    let nobody = free_port().expect("a port");
    let proxy = Proxy::start(nobody).expect("a proxy");
    proxy.set(Mode::Hang);
    unreachable(&url(proxy.port()));
}

/// Nobody answers: 2, in time, and one sentence why, whatever is asked.
pub(crate) fn unreachable(url: &str) {
    let began = Instant::now();
    for verb in [&["verify"][..], &["tail"], &["query"]] {
        let output = audit(&[verb, &[url]].concat());
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        let told = said(&output);
        let about: Vec<&str> = told
            .lines()
            .filter(|line| !["verdict:", "records:", "root:"].iter().any(|word| line.starts_with(word)))
            .collect();
        assert_eq!(about.len(), 1, "{told}");
        let about_the_server = told.contains("connect") || told.contains("in time") || told.contains("answer");
        assert!(about_the_server, "{told}");
        assert!(!told.contains("panicked") && !told.contains("Some("), "{told}");
    }
    assert!(began.elapsed() < Duration::from_secs(180), "{:?}", began.elapsed());
}
