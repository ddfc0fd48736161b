//! `cargo xtask fuzz`: makes up input for everything that reads a stranger's bytes.
//!
//! libFuzzer drives the targets of `tests::hostile_input`. What reaches new code is gathered under
//! the build's own folder; `--keep` puts some of it into `fuzz/corpus`, which the tests
//! replay.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::arguments::Arguments;
use crate::command::{self, Result};
use crate::install::{self, Tool};

/// How the compiler marks what the fuzzer watches (LLVM SanitizerCoverage). Works on any toolchain:
/// no sanitizer is linked, because the project has no unsafe code to watch.
const COVERAGE: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

const TOOLS: [Tool; 1] = [Tool { program: "c++", package: "g++", purpose: "builds libFuzzer" }];

/// How many targets run at a time.
const AT_ONCE: usize = 2;

/// How many inputs one run adds to what is kept of a target, and the longest of them.
const KEPT: usize = 40;
const KEPT_LONGEST: usize = 1_024;

/// Longer input finds nothing that shorter does not.
const LONGEST: usize = 16_384;

pub(crate) fn run(options: &[String]) -> Result {
    let mut arguments = Arguments::new(options);
    let minutes: f64 = arguments.value("--minutes")?.unwrap_or(1.0);
    let only: Option<String> = arguments.value("--target")?;
    let keep = arguments.flag("--keep");
    arguments.end()?;
    install::install(&TOOLS)?;

    let fuzzer = Fuzzer::build()?;
    let targets = targets(only.as_deref())?;
    let rounds = targets.len().div_ceil(AT_ONCE);
    let seconds = (minutes * 60.0 / rounds as f64).ceil().max(1.0) as u64;
    let mut failed = Vec::new();
    for pair in targets.chunks(AT_ONCE) {
        eprintln!("{} for {seconds} s", pair.join(" and "));
        let running: Vec<_> = pair.iter().map(|target| fuzzer.start(target, seconds)).collect::<Result<_>>()?;
        for (target, child) in pair.iter().zip(running) {
            if let Some(reason) = fuzzer.finish(target, child)? {
                failed.push(reason);
            }
        }
    }
    if keep {
        targets.iter().try_for_each(|target| fuzzer.keep(target))?;
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n").into()) }
}

/// The targets, by the folders of what was kept for each.
fn targets(only: Option<&str>) -> Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in fs::read_dir(corpus())? {
        targets.push(entry?.file_name().to_string_lossy().into_owned());
    }
    targets.sort();
    if let Some(only) = only {
        let known = targets.join(", ");
        targets.retain(|target| target == only);
        if targets.is_empty() {
            return Err(format!("no target {only:?}; there are: {known}").into());
        }
    }
    Ok(targets)
}

fn corpus() -> PathBuf {
    command::root().join("fuzz/corpus")
}

/// The built fuzzer, and where it leaves what it finds.
struct Fuzzer {
    program: PathBuf,
    found: PathBuf,
}

impl Fuzzer {
    fn build() -> Result<Self> {
        let target = command::target_directory()?.join("fuzz");
        let host = host()?;
        let mut build = command::cargo();
        // Named, so that build scripts are not marked too: they have no fuzzer to call.
        build.args(["build", "--release", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--target", &host]);
        build.env("CARGO_TARGET_DIR", &target).env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\u{1f}"));
        command::run(&mut build)?;
        Ok(Self { program: target.join(host).join("release/audit-fuzz"), found: target.join("found") })
    }

    fn command(&self, target: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.env("FUZZ_TARGET", target).env("RUST_BACKTRACE", "1").stdin(Stdio::null());
        command
    }

    fn start(&self, target: &str, seconds: u64) -> Result<Child> {
        let found = self.found.join(target);
        fs::create_dir_all(&found)?;
        let log = fs::File::create(self.log(target))?;
        let mut command = self.command(target);
        command
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={LONGEST}"))
            .args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"])
            .arg(format!("-artifact_prefix={}-", found.display()))
            .args([&found, &corpus().join(target)])
            .stdout(Stdio::null())
            .stderr(log);
        command.spawn().map_err(|error| format!("cannot run {}: {error}", self.program.display()).into())
    }

    /// Waits for a run, prints what it did, and says what it broke, if anything.
    fn finish(&self, target: &str, mut child: Child) -> Result<Option<String>> {
        let status = child.wait()?;
        let log = fs::read_to_string(self.log(target)).unwrap_or_default();
        let figure = |name: &str| last_word(&log, name).unwrap_or("?");
        println!(
            "{target:<14} {:>10} inputs, {:>6} a second, {:>6} MiB at most: {}",
            figure("stat::number_of_executed_units:"),
            figure("stat::average_exec_per_sec:"),
            figure("stat::peak_rss_mb:"),
            if status.success() { "holds" } else { "BROKEN" },
        );
        if status.success() {
            return Ok(None);
        }
        let written = last_word(&log, "Test unit written to").unwrap_or("(not written)");
        Ok(Some(format!(
            "{target}: breaks on {written}\n  all of it: {}\n  again: FUZZ_TARGET={target} {} {written}",
            self.log(target).display(),
            self.program.display(),
        )))
    }

    /// Adds to what is kept the shortest of what reaches code that nothing kept does.
    fn keep(&self, target: &str) -> Result {
        let new = self.found.join(format!("{target}-new"));
        let _ = fs::remove_dir_all(&new);
        fs::create_dir_all(&new)?;
        let mut merge = self.command(target);
        // The first folder takes from the others what it does not reach yet.
        let kept = corpus().join(target);
        merge.args(["-merge=1", &format!("-max_len={KEPT_LONGEST}")]).args([&new, &kept, &self.found.join(target)]);
        merge.stdout(Stdio::null()).stderr(Stdio::null());
        command::run(&mut merge)?;
        let mut inputs: Vec<_> = fs::read_dir(&new)?.collect::<std::io::Result<_>>()?;
        inputs.retain(|input| !kept.join(input.file_name()).exists());
        inputs.sort_by_key(|input| input.metadata().map_or(u64::MAX, |metadata| metadata.len()));
        for input in inputs.iter().take(KEPT) {
            fs::copy(input.path(), kept.join(input.file_name()))?;
        }
        println!("{target}: {} of {} new inputs kept", inputs.len().min(KEPT), inputs.len());
        Ok(())
    }

    fn log(&self, target: &str) -> PathBuf {
        self.found.join(Path::new(target).with_extension("log"))
    }
}

/// What stands behind `name` in the last line that has it.
fn last_word<'a>(log: &'a str, name: &str) -> Option<&'a str> {
    log.lines().rev().find_map(|line| Some(line.split_once(name)?.1.trim()))
}

/// The platform that the compiler builds for.
fn host() -> Result<String> {
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let version = command::output(rustc.arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("rustc -vV names no host")?.to_owned())
}
