//! `cargo xtask smoke`: the example service and the `audit` program, seen from outside.
//!
//! What a person would try by hand after reading the README.

mod evidence;
mod load;
mod program;
mod service;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::arguments::Arguments;
use crate::command::{Result, Scratch};
use crate::install;
use crate::load::WRK;
use crate::server::{self, Profile};
use crate::test::Count;

pub(crate) fn run(options: &[String]) -> Result {
    Arguments::new(options).end()?;
    install::install(&[WRK])?;
    let mut count = Count::default();
    check(&mut count)?;
    println!("\n{count}");
    match count.failed {
        0 => Ok(()),
        failed => Err(format!("{failed} checks failed").into()),
    }
}

/// Runs all checks and adds them to `count`.
pub(crate) fn check(count: &mut Count) -> Result {
    let site = Site::prepare()?;
    service::check(&site, count)?;
    evidence::check(&site, count)?;
    program::check(&site, count)?;
    load::check(&site, count)
}

/// The programs, and a log that they write and read.
#[derive(Debug)]
struct Site {
    service: PathBuf,
    audit: PathBuf,
    scratch: Scratch,
}

impl Site {
    fn prepare() -> Result<Self> {
        Ok(Self {
            service: server::build("examples", &["axum"], Profile::Dev)?.join("axum"),
            audit: server::build("audit-cli", &["audit"], Profile::Dev)?.join("audit"),
            scratch: Scratch::new("smoke")?,
        })
    }

    fn place(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn log(&self) -> PathBuf {
        self.place("log")
    }

    fn key(&self) -> PathBuf {
        self.log().join("log.pub")
    }

    /// The lines of the log, each with its line feed.
    fn lines(&self) -> Result<Vec<String>> {
        let text = fs::read_to_string(only_segment(&self.log())?)?;
        Ok(text.split_inclusive('\n').map(str::to_owned).collect())
    }

    /// A copy of the log whose lines `change` has changed.
    fn copy(&self, name: &str, change: impl FnOnce(&mut Vec<String>)) -> Result<PathBuf> {
        let copy = self.place(name);
        copy_folder(&self.log(), &copy)?;
        let mut lines = self.lines()?;
        let before = lines.clone();
        change(&mut lines);
        if lines == before {
            return Err(format!("{name} changes nothing, so it would show nothing").into());
        }
        fs::write(only_segment(&copy)?, lines.concat())?;
        Ok(copy)
    }

    /// Runs `audit` with `arguments`, in which paths may stand.
    fn audit(&self, arguments: &[&dyn AsRef<std::ffi::OsStr>]) -> Result<Output> {
        let mut audit = Command::new(&self.audit);
        audit.args(arguments);
        Ok(audit.stdin(Stdio::null()).output()?)
    }
}

fn only_segment(log: &Path) -> Result<PathBuf> {
    let mut segments = fs::read_dir(log.join("segments"))?;
    let first = segments.next().ok_or("the log has no segment")??;
    match segments.next() {
        None => Ok(first.path()),
        Some(_) => Err("such a short log has one segment".into()),
    }
}

fn copy_folder(from: &Path, to: &Path) -> Result {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
