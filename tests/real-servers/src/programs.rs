//! Where the programs of the servers are.

use std::path::{Path, PathBuf};

use crate::Failure;

/// Where Debian's packages put programs that are not in everybody's path, latest version last.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/sbin", "/usr/bin", "/usr/local/bin"];

/// The program `name` from `package`, wherever it is installed.
///
/// # Errors
///
/// When it is not installed; says how to have it.
pub fn program(name: &str, package: &str) -> Result<PathBuf, Failure> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(FOLDERS.map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|program| program.is_file()).ok_or_else(|| missing(name, package))
}

/// The program `name` from the Python package `package`, which `cargo xtask test` installs below
/// `target/servers/python`.
///
/// # Errors
///
/// When it is not there.
pub fn python_program(name: &str, package: &str) -> Result<PathBuf, Failure> {
    let program = python_environment().join("bin").join(name);
    if program.is_file() { Ok(program) } else { Err(missing(name, package)) }
}

/// The Python environment with the servers that are Python packages.
#[must_use]
pub fn python_environment() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/servers/python")
}

fn missing(name: &str, package: &str) -> Failure {
    format!("{name} is not installed (package {package}): run `cargo xtask test`, which installs it").into()
}
