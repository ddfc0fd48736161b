//! `cargo package` for everything that is published.

use crate::ci::Verdict;
use crate::command::{self, Result, cargo};

pub(crate) fn check() -> Result<Verdict> {
    let metadata = command::metadata(&["--no-deps"])?;
    let packages = metadata["packages"].as_array().ok_or("no packages")?;
    let mut package = cargo();
    // What is packaged is what is checked, committed or not.
    package.args(["package", "--workspace", "--quiet", "--allow-dirty"]);
    let mut published = Vec::new();
    for found in packages {
        let name = found["name"].as_str().unwrap_or_default();
        // `publish = false` reads as an empty list of registries.
        if found["publish"].as_array().is_some_and(Vec::is_empty) {
            package.args(["--exclude", name]);
        } else {
            published.push(name);
        }
    }
    command::run(&mut package)?;
    for name in published {
        complete(name)?;
    }
    Ok(Verdict::Held)
}

/// Whether the package of `name` holds what its users look for first.
fn complete(name: &str) -> Result {
    let mut list = cargo();
    list.args(["package", "--list", "--allow-dirty", "--package", name]);
    let files = command::output(&mut list)?;
    for wanted in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        if !files.lines().any(|file| file == wanted) {
            return Err(format!("the package of {name} has no {wanted}").into());
        }
    }
    println!("{name}: {} files", files.lines().count());
    Ok(())
}
