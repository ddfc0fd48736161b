//! A fleet that gets new logs while it is verified.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod sample;

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use audit_core::key::Key;
use sample::{Log, NAME, ORIGIN, audit, json};

#[test]
fn logs_that_begin_during_a_run_have_not_vanished() {
    let whole = tempfile::tempdir().expect("a directory");
    let key = Key::generate(NAME).expect("a key");
    let place = |name: &str| whole.path().join(name);
    let (logs, copies) = (place("logs"), place("copies"));
    // Enough that looking for logs takes a while.
    for number in 0..2_000 {
        fs::create_dir_all(logs.join(format!("empty/{number}"))).expect("a directory");
    }
    fs::create_dir_all(&copies).expect("a directory");
    let begin = |number: u32| {
        let id = format!("{number:08x}-8a52-4b0f-a5c1-0f5d1a2b3c4d");
        for (to, staged) in [(&logs, "one"), (&copies, "other")] {
            let _ = Log::at(&place(staged), &id, &key);
            fs::rename(place(staged), to.join(&id)).expect("moved");
        }
    };
    begin(0);
    let ended = AtomicBool::new(false);
    let vkey = key.verifier().with_name(ORIGIN).expect("a name").to_string();
    let (here, there) = (logs.display().to_string(), copies.display().to_string());
    let verify = || json(&audit(&["verify", "--json", &here, "--key", &vkey, "--replica", &there]));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 1;
            while !ended.load(Ordering::Relaxed) && number < 400 {
                begin(number);
                number += 1;
                thread::sleep(Duration::from_millis(2));
            }
        });
        for _ in 0..8 {
            let verdict = verify();
            let findings = verdict["findings"].as_array().expect("findings");
            assert!(findings.iter().all(|found| found["kind"] != "vanished"), "{findings:?}");
        }
        ended.store(true, Ordering::Relaxed);
    });
    assert_eq!(verify()["verdict"], "intact");
}
