//! Tests that start themselves again, as a process whose system calls fail.

use std::path::Path;
use std::process::{Command, Output};

/// Set in the traced process: the directory of the log.
const TRACED: &str = "AUDIT_TEST_TRACED_LOG";

/// The directory that this process is to work on, if it is the traced one.
pub(crate) fn is_traced() -> Option<std::path::PathBuf> {
    std::env::var_os(TRACED).map(Into::into)
}

/// Runs the test `name` of this program again, on `dir`, under `strace` with `options`, which may
/// end with a command that runs it.
pub(crate) fn trace(name: &str, dir: &Path, options: &[&str]) -> Output {
    Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null"])
        .args(options)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(TRACED, dir)
        .output()
        .unwrap()
}

/// What the traced process said about itself, line by line.
pub(crate) fn said(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter_map(|line| Some(line.strip_prefix("said: ")?.to_owned())).collect()
}

/// Says something to the test that started this process.
pub(crate) fn say(text: impl std::fmt::Display) {
    println!("\nsaid: {text}");
}
