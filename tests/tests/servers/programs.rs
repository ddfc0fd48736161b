//! The programs under test, built as they are now.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The folder with the example servers and the program `audit`.
///
/// Cargo tells only the tests of their own crates where they are, and builds them only for those.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = std::env::current_exe().unwrap();
    // The test is in `deps` beside them.
    let folder = test.parent().and_then(Path::parent).unwrap().to_owned();
    let Some(cargo) = std::env::var_os("CARGO") else {
        // Not started by cargo: whoever did has built them.
        return folder;
    };
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--package", "examples", "--package", "audit-cli"]);
    build.args(["--bin", "axum", "--bin", "actix", "--bin", "tonic", "--bin", "audit"]);
    if folder.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success(), "the programs do not build");
    folder
});

/// The program of that name.
pub(crate) fn program(name: &str) -> PathBuf {
    FOLDER.join(name)
}
