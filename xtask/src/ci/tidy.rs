//! Rules of this repository that no other tool knows.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::ci::Verdict;
use crate::command::{self, Result};

pub(crate) fn check() -> Result<Verdict> {
    let mut fuzzer = command::cargo();
    fuzzer.args(["metadata", "--locked", "--format-version", "1", "--manifest-path", "fuzz/Cargo.toml"]);
    command::output(&mut fuzzer).map_err(|error| format!("fuzz/Cargo.lock does not fit any more: {error}"))?;

    let mut list = Command::new("git");
    list.current_dir(command::root());
    list.args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let mut faults = Vec::new();
    let mut lengths = Vec::new();
    for name in command::output(&mut list)?.lines() {
        // A file that is deleted and not yet committed is listed too; bytes that are not text are
        // test data.
        let Ok(text) = fs::read_to_string(command::root().join(name)) else {
            continue;
        };
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(path) = machine_path(line) {
                faults.push(format!("{name}:{number}: {path} is a path of one machine"));
            }
        }
        match Path::new(name).extension().and_then(|extension| extension.to_str()) {
            Some("rs") => lengths.push((text.lines().count(), name.to_owned())),
            Some("toml") => faults.extend(unsorted(name, &text)),
            _ => {}
        }
    }
    lengths.sort();
    for (length, name) in lengths.iter().filter(|(length, _)| *length > LINES_MAX) {
        faults.push(format!("{name}: {length} lines, more than {LINES_MAX}"));
    }
    let median = lengths.get(lengths.len() / 2).map_or(0, |(length, _)| *length);
    println!("{} source files, median {median} lines", lengths.len());
    if median > LINES_MEDIAN_MAX {
        faults.push(format!("the median file has more than {LINES_MEDIAN_MAX} lines"));
    }
    if faults.is_empty() { Ok(Verdict::Held) } else { Err(faults.join("\n").into()) }
}

/// The first path in `line` that exists on somebody's machine only.
fn machine_path(line: &str) -> Option<&str> {
    for folder in ["work", "root", "home", "Users"] {
        for (at, _) in line.match_indices(folder) {
            let path = at.checked_sub(1).and_then(|start| line.get(start..))?;
            let word_before = line[..at.saturating_sub(1)]
                .chars()
                .next_back()
                .is_some_and(|before| before.is_alphanumeric() || "._-}>/".contains(before));
            let after = path.get(folder.len() + 1..).unwrap_or_default();
            if path.starts_with('/') && after.starts_with('/') && !word_before {
                return path.split_whitespace().next();
            }
        }
    }
    None
}

/// The dependencies in the manifest `text` that are not in alphabetical order.
fn unsorted(name: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut last: Option<&str> = None;
    let mut in_dependencies = false;
    for line in text.lines() {
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
            last = None;
        } else if line.is_empty() {
            // A blank line starts a group of its own.
            last = None;
        } else if in_dependencies && line.starts_with(|first: char| first.is_ascii_alphabetic()) {
            let dependency = line.split(['.', ' ', '=']).next().unwrap_or(line);
            if let Some(before) = last.filter(|before| *before > dependency) {
                faults.push(format!("{name}: {dependency} stands after {before}"));
            }
            last = Some(dependency);
        }
    }
    faults
}

const LINES_MAX: usize = 600;
const LINES_MEDIAN_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_found() {
        let path = format!("/{}/ann/src", "home");
        assert_eq!(machine_path(&format!("see {path} there")), Some(path.as_str()));
    }

    #[test]
    fn words_and_addresses_are_no_paths() {
        assert_eq!(machine_path("the work at hand, root or not"), None);
        assert_eq!(machine_path("https://example.com/home/page"), None);
        assert_eq!(machine_path("work/home/root"), None);
    }

    #[test]
    fn dependencies_out_of_order_are_found() {
        let manifest = "[dependencies]\nb = \"1\"\na.workspace = true\n\n[lints]\nz = 1\ny = 1\n";
        assert_eq!(unsorted("Cargo.toml", manifest).len(), 1);
    }
}
