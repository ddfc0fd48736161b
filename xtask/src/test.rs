//! `cargo xtask test`: everything that can be tested on this machine, counted.

mod count;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::arguments::Arguments;
use crate::command::{self, Result, cargo};
use crate::install::{self, Tool};
use crate::load::WRK;
use crate::smoke;

pub(crate) use count::Count;

pub(crate) fn run(options: &[String]) -> Result {
    Arguments::new(options).end()?;
    install::install_servers(&TOOLS)?;

    let mut count = Count::default();
    let mut failures = Vec::new();
    for step in steps()? {
        if let Err(error) = counted(step, &mut count) {
            failures.push(error);
        }
    }
    let failed_before = count.failed;
    if let Err(error) = smoke::check(&mut count) {
        failures.push(error);
    } else if count.failed > failed_before {
        failures.push("the programs, seen from outside: see the checks above".into());
    }

    println!("\n{count}");
    if count.failed == 0 && failures.is_empty() {
        return Ok(());
    }
    let reasons: Vec<_> = failures.iter().map(ToString::to_string).collect();
    Err(format!("not everything ran and held:\n{}", reasons.join("\n")).into())
}

/// The test commands: one as root, where the privileged tests may run beside the others.
fn steps() -> Result<Vec<Command>> {
    let mut steps = Vec::new();
    if command::is_root() {
        let mut all = cargo();
        all.args(["test", "--workspace", "--all-features", "--no-fail-fast"]);
        steps.push(all);
    } else {
        let mut ordinary = cargo();
        ordinary.args(["test", "--workspace", "--all-features", "--no-fail-fast"]);
        ordinary.args(["--exclude", "tests"]);
        let mut crossing = cargo();
        crossing.args(["test", "--package", "tests", "--no-fail-fast"]);
        steps.extend([ordinary, crossing]);
        steps.extend(privileged()?);
    }
    Ok(steps)
}

/// The tests that mount file systems or trace processes, built by us and run as the administrator.
fn privileged() -> Result<Vec<Command>> {
    let mut build = cargo();
    build.args(["test", "--package", "tests", "--features", "privileged"]);
    build.args(["--no-run", "--message-format", "json"]);
    let messages = command::output(&mut build)?;
    let programs = messages.lines().filter_map(privileged_program);
    Ok(programs
        .map(|program| {
            let mut test = install::as_root(&program);
            // Where cargo would run it.
            test.current_dir(command::root().join("tests"));
            test
        })
        .collect())
}

/// The program that a message of cargo names, if it is a test which asks for privileges.
fn privileged_program(message: &str) -> Option<String> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let needs = message["target"]["required-features"].as_array()?;
    let privileged = needs.iter().any(|feature| feature == "privileged");
    let program = message["executable"].as_str()?;
    privileged.then(|| program.to_owned())
}

/// Runs a test command, passes on what it prints, and counts.
fn counted(mut command: Command, count: &mut Count) -> Result {
    let shown = command::show(&command);
    println!("\n$ {shown}");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run `{shown}`: {error}"))?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            count.line(&line);
        }
    }
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` ended with {status}").into()) }
}

const TOOLS: [Tool; 5] = [
    WRK,
    Tool { program: "strace", package: "strace", purpose: "makes fdatasync fail" },
    Tool { program: "mkfs.ext4", package: "e2fsprogs", purpose: "small file systems that fill up" },
    Tool { program: "losetup", package: "mount", purpose: "small file systems that fill up" },
    Tool { program: "sha256sum", package: "coreutils", purpose: "checks a log without our code" },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tests_that_ask_for_privileges_get_them() {
        let message =
            |features: &str| format!(r#"{{"target":{{"required-features":[{features}]}},"executable":"full_disk"}}"#);
        assert_eq!(privileged_program(&message(r#""privileged""#)).as_deref(), Some("full_disk"));
        assert_eq!(privileged_program(&message("")), None);
        assert_eq!(privileged_program("not a message"), None);
    }
}
