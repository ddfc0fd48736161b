//! Installing the few system packages that tests and measurements need.

mod python;
mod servers;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
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
    say(tools);
    if missing(tools).next().is_some() {
        agree()?;
    }
    packages(tools)
}

/// The same for `tools` and for what the real servers need besides: Python packages, in an
/// environment of their own below `target`.
pub(crate) fn install_servers(tools: &[Tool]) -> Result {
    let tools = [tools, &servers::TOOLS].concat();
    say(&tools);
    python::say();
    if missing(&tools).next().is_some() || !python::is_there() {
        agree()?;
    }
    packages(&tools)?;
    python::make()
}

fn say(tools: &[Tool]) {
    eprintln!("needed from the system:");
    for tool in tools {
        let state = if is_there(tool.program) { "there" } else { "will be installed" };
        eprintln!("  {:<20} package {:<14} {:<44} {state}", tool.program, tool.package, tool.purpose);
    }
}

/// Installs the packages of those `tools` that are missing.
fn packages(tools: &[Tool]) -> Result {
    let mut packages: Vec<_> = missing(tools).map(|tool| tool.package).collect();
    packages.dedup();
    if packages.is_empty() {
        return Ok(());
    }
    if !is_there("apt-get") {
        let names = packages.join(" ");
        return Err(format!("no apt-get here: install these yourself: {names}").into());
    }
    // The package lists of a fresh machine are empty or old; fetch them only when they are.
    if apt_get(&install_arguments(&packages)).is_err() {
        apt_get(&["update"])?;
        let installed = apt_get(&install_arguments(&packages));
        installed.map_err(|error| format!("cannot install {}: {error}", packages.join(" ")))?;
    }
    match missing(tools).next() {
        None => Ok(()),
        Some(tool) => Err(format!("{} is missing although {} is installed", tool.program, tool.package).into()),
    }
}

/// Whether `program` can be run by its name. What has a space in it is run, to see whether it can.
pub(crate) fn is_there(program: &str) -> bool {
    if let Some((program, arguments)) = program.split_once(' ') {
        let mut command = Command::new(program);
        return command::output(command.args(arguments.split(' ')).arg("--version")).is_ok();
    }
    find(program).is_some()
}

/// Where `program` is, in the path of an ordinary user or of the administrator, or where Debian
/// keeps the programs of PostgreSQL, the newest version first.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin"].map(Into::into);
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).chain(system).collect();
    folders.extend(postgresql());
    folders.into_iter().map(|folder| folder.join(program)).find(|program| program.is_file())
}

fn postgresql() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |folder: &PathBuf| folder.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path()).collect();
    folders.sort_by_key(|folder| std::cmp::Reverse(number(folder)));
    folders.into_iter().map(|folder| folder.join("bin")).collect()
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

/// Asks whoever sits at a terminal; without one, nobody is asked.
fn agree() -> Result {
    if !io::stdin().is_terminal() {
        return Ok(());
    }
    eprint!("install? [Y/n] ");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if answer.trim().to_lowercase().starts_with('n') {
        return Err("not installed, as you wish; nothing was run".into());
    }
    Ok(())
}
