//! Installing the few system packages that tests and measurements need.

use std::io::{self, IsTerminal};
use std::process::{Command, Stdio};

use crate::command::{self, Result};

/// A program that has to be there, and the Debian package that brings it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    pub(crate) program: &'static str,
    pub(crate) package: &'static str,
    pub(crate) purpose: &'static str,
}

/// Says what is missing and installs it; asks first when someone sits at a terminal.
///
/// Fails when something is still missing afterwards.
pub(crate) fn install(tools: &[Tool]) -> Result {
    eprintln!("needed from the system:");
    for tool in tools {
        let state = if is_there(tool.program) { "there" } else { "will be installed" };
        eprintln!("  {:<10} package {:<12} {:<44} {state}", tool.program, tool.package, tool.purpose);
    }
    let mut packages: Vec<_> = missing(tools).map(|tool| tool.package).collect();
    packages.dedup();
    if packages.is_empty() {
        return Ok(());
    }
    if !is_there("apt-get") {
        let names = packages.join(" ");
        return Err(format!("no apt-get here: install these yourself: {names}").into());
    }
    if io::stdin().is_terminal() && !agreed()? {
        return Err("not installed, as you wish; nothing was run".into());
    }
    // The package lists of a fresh machine are empty or old; fetch them only when they are.
    if apt_get(&install_arguments(&packages)).is_err() {
        apt_get(&["update"])?;
        apt_get(&install_arguments(&packages))?;
    }
    match missing(tools).next() {
        None => Ok(()),
        Some(tool) => Err(format!("{} is missing although {} is installed", tool.program, tool.package).into()),
    }
}

/// Whether `program` can be run by its name.
pub(crate) fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Ordinary users do not have the administrator's folders in their path.
    let system = ["/usr/sbin", "/sbin"].map(Into::into);
    std::env::split_paths(&path).chain(system).any(|folder| folder.join(program).is_file())
}

/// `program`, run as the administrator.
pub(crate) fn as_root(program: &str) -> Command {
    if command::is_root() {
        Command::new(program)
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["--", program]);
        sudo
    }
}

fn missing(tools: &[Tool]) -> impl Iterator<Item = &Tool> {
    tools.iter().filter(|tool| !is_there(tool.program))
}

fn install_arguments<'a>(packages: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(packages);
    arguments
}

fn apt_get(arguments: &[&str]) -> Result {
    let mut command = as_root("apt-get");
    command
        .args(["--quiet", "-o", "DPkg::Lock::Timeout=120"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null());
    command::run(&mut command)
}

fn agreed() -> Result<bool> {
    eprint!("install? [Y/n] ");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(!answer.trim().to_lowercase().starts_with('n'))
}
