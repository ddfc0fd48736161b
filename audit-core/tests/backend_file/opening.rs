use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use audit_core::backend::{Backend, BackendError, File, Head};

use super::scene::{Scene, soon};

fn refusal(scene: &Scene) -> BackendError {
    scene.open().map(|_| ()).unwrap_err()
}

#[test]
fn a_directory_that_is_not_a_log_is_left_alone() {
    let scene = Scene::new();
    fs::create_dir(scene.dir()).unwrap();
    fs::write(scene.path("notes.txt"), "mine").unwrap();
    let error = refusal(&scene);
    assert!(matches!(error, BackendError::Misconfigured { .. }), "{error}");
    assert!(error.to_string().contains("notes.txt"), "{error}");
    assert_eq!(fs::read_dir(scene.dir()).unwrap().count(), 1);
}

#[test]
fn a_fresh_file_system_is_an_empty_store() {
    let scene = Scene::new();
    fs::create_dir_all(scene.path("lost+found")).unwrap();
    assert_eq!(scene.open().unwrap().opened.head, Head::EMPTY);
}

#[test]
fn a_log_without_its_key_is_not_taken_for_an_empty_store() {
    let scene = Scene::with_lines(3, 0);
    fs::remove_file(scene.path("log.pub")).unwrap();
    let error = refusal(&scene);
    assert!(matches!(error, BackendError::Misconfigured { .. }), "{error}");
    assert!(error.to_string().contains("log.pub"), "{error}");
}

#[test]
fn a_crash_before_the_log_was_created_leaves_an_empty_store() {
    let scene = Scene::new();
    for name in ["segments", "checkpoints", "tile", "quarantine"] {
        fs::create_dir_all(scene.path(name)).unwrap();
    }
    fs::write(scene.path("log.pub.tmp"), "exam").unwrap();
    assert_eq!(scene.open().unwrap().opened.verifier_key, None);
}

#[test]
fn a_key_file_that_holds_no_key_is_named() {
    for text in ["", "hello\n", "a+b+c\nd+e+f\n", "\u{0}\u{1}", &"x+y+z".repeat(2_000)] {
        let scene = Scene::with_lines(3, 0);
        fs::write(scene.path("log.pub"), text).unwrap();
        let error = refusal(&scene);
        assert!(error.to_string().contains("log.pub"), "{error}");
    }
}

#[test]
fn a_path_that_is_a_file_is_named() {
    let scene = Scene::new();
    fs::write(scene.dir(), "not a directory").unwrap();
    let error = refusal(&scene);
    assert!(error.to_string().contains(scene.dir().to_str().unwrap()), "{error}");
}

#[test]
fn a_second_writer_is_refused_at_once_and_told_who_holds_the_log() {
    let scene = Scene::with_lines(3, 3);
    let first = scene.open().unwrap();
    let started = Instant::now();
    let error = refusal(&scene);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(matches!(error, BackendError::InUse { .. }), "{error}");
    let pid = format!("pid {} on ", std::process::id());
    assert!(error.to_string().contains(&pid), "{error}");
    assert!(error.to_string().contains(" since 20"), "{error}");
    drop(first);
    scene.open().unwrap();
}

#[test]
fn the_lock_is_held_until_both_halves_are_gone() {
    let scene = Scene::with_lines(3, 3);
    let writer = scene.open().unwrap();
    drop(writer.file);
    assert!(matches!(refusal(&scene), BackendError::InUse { .. }));
    drop(writer.synchronizer);
    scene.open().unwrap();
}

#[test]
fn an_empty_store_is_locked_as_well() {
    let scene = Scene::new();
    let mut first = scene.file();
    first.open(soon()).unwrap();
    assert!(matches!(refusal(&scene), BackendError::InUse { .. }));
}

#[test]
fn a_waiting_writer_takes_over_when_the_first_one_goes() {
    let scene = Scene::with_lines(3, 3);
    let first = scene.open().unwrap();
    let mut second = scene.file().lock_wait(Duration::from_secs(60));
    let waiting = std::thread::spawn(move || second.open(soon()).map(|opened| opened.head));
    std::thread::sleep(Duration::from_millis(50));
    assert!(!waiting.is_finished());
    drop(first);
    assert_eq!(waiting.join().unwrap().unwrap(), scene.all.head());
}

#[test]
fn a_waiting_writer_gives_up_when_its_time_is_over() {
    let scene = Scene::with_lines(3, 3);
    let _first = scene.open().unwrap();
    let mut second = scene.file().lock_wait(Duration::from_millis(30));
    assert!(matches!(second.open(soon()), Err(BackendError::InUse { .. })));
    let mut third = scene.file().lock_wait(Duration::from_secs(600));
    let deadline = Instant::now() + Duration::from_millis(30);
    assert!(matches!(third.open(deadline), Err(BackendError::InUse { .. })));
}

/// Runs when this test binary is started again by the test below, in a process of its own.
const HOLD: &str = "AUDIT_TEST_HOLD_THE_LOG";

#[test]
fn another_process_holds_the_log_until_it_is_killed() {
    if let Some(dir) = std::env::var_os(HOLD) {
        let mut file = File::new(dir);
        file.open(soon()).unwrap();
        println!("\nholding");
        std::thread::sleep(Duration::from_secs(600));
    }
    let scene = Scene::with_lines(3, 3);
    let name = "opening::another_process_holds_the_log_until_it_is_killed";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(HOLD, scene.dir())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "holding"));
    let error = refusal(&scene);
    child.kill().unwrap();
    child.wait().unwrap();
    let pid = format!("pid {} on ", child.id());
    assert!(error.to_string().contains(&pid), "{error}");
    scene.open().unwrap();
}

#[test]
fn a_lock_file_that_was_removed_keeps_nobody_in_doubt() {
    let scene = Scene::with_lines(3, 3);
    fs::remove_file(scene.path("LOCK")).unwrap();
    let _first = scene.open().unwrap();
    assert!(matches!(refusal(&scene), BackendError::InUse { .. }));
}

#[test]
fn a_log_that_is_not_open_says_so() {
    let scene = Scene::with_lines(1, 0);
    let mut file = scene.file();
    assert!(matches!(file.head(soon()), Err(BackendError::Misconfigured { .. })));
    assert!(matches!(file.synchronizer(), Err(BackendError::Misconfigured { .. })));
    file.open(soon()).unwrap();
    file.synchronizer().unwrap();
    assert!(matches!(file.synchronizer(), Err(BackendError::Misconfigured { .. })));
}
