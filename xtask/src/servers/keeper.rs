//! The process that holds the servers, seen from outside.
//!
//! It holds a lock on the file `keeper` for as long as it lives, however it ends, and writes
//! `kept.json` when everything is ready. It ends in order when the file `stop` appears.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::command::{self, Result};

/// A keeper, running or not, by its folder.
#[derive(Debug)]
pub(crate) struct Keeper {
    folder: PathBuf,
}

impl Keeper {
    pub(crate) fn at(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// What a running keeper keeps; `None` when there is none. One that is still starting is waited for.
    pub(crate) fn kept(&self) -> Result<Option<Value>> {
        if self.is_running()? { self.wait_until_ready().map(Some) } else { Ok(None) }
    }

    /// Starts `program`, which outlives us.
    pub(crate) fn start(&self, program: &Path) -> Result {
        let mut keeper = Command::new(program);
        self.launch(keeper.arg(&self.folder).stdin(Stdio::null())).map(drop)
    }

    /// Starts `program` with servers to be measured, which end with us at the latest.
    pub(crate) fn start_measuring(&self, program: &Path) -> Result<Child> {
        let mut keeper = Command::new(program);
        self.launch(keeper.arg(&self.folder).arg("--measuring").stdin(Stdio::piped()))
    }

    fn launch(&self, keeper: &mut Command) -> Result<Child> {
        // A keeper that was killed left what it had written.
        self.clear()?;
        let said = File::create(self.said())?;
        keeper.current_dir(command::root()).stdout(said.try_clone()?).stderr(said);
        let shown = command::show(keeper);
        let mut child = keeper.spawn().map_err(|error| format!("cannot start `{shown}`: {error}"))?;
        // It takes the lock before anything else.
        let until = Instant::now() + PATIENCE;
        while !self.is_running()? {
            if child.try_wait()?.is_some() || Instant::now() >= until {
                return Err(self.failure("did not start"));
            }
            thread::sleep(PAUSE);
        }
        Ok(child)
    }

    /// Waits for what it keeps.
    pub(crate) fn wait_until_ready(&self) -> Result<Value> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Ok(kept) = fs::read(self.folder.join("kept.json")) {
                return Ok(serde_json::from_slice(&kept)?);
            }
            if !self.is_running()? {
                return Err(self.failure("ended"));
            }
            if Instant::now() >= until {
                self.stop()?;
                return Err(self.failure("was not ready in time"));
            }
            thread::sleep(PAUSE);
        }
    }

    /// Ends it, by its process id if it does not end by itself; whether there was one. The servers
    /// end with it in either case.
    pub(crate) fn stop(&self) -> Result<bool> {
        let ran = self.is_running()?;
        if ran {
            File::create(self.folder.join("stop"))?;
            if !self.ends_within(PATIENCE)? {
                self.kill()?;
            }
        }
        self.clear()?;
        Ok(ran)
    }

    /// Removes what is of no use without the servers: configuration and secrets.
    fn clear(&self) -> Result {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if STAYS.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }

    fn kill(&self) -> Result {
        let id = fs::read_to_string(self.folder.join("keeper"))?;
        let id = id.trim().parse().ok().and_then(Pid::from_raw).ok_or("the keeper has no process id")?;
        kill_process(id, Signal::KILL)?;
        if self.ends_within(PATIENCE)? { Ok(()) } else { Err(self.failure("cannot be ended")) }
    }

    fn ends_within(&self, patience: Duration) -> Result<bool> {
        let until = Instant::now() + patience;
        while self.is_running()? {
            if Instant::now() >= until {
                return Ok(false);
            }
            thread::sleep(PAUSE);
        }
        Ok(true)
    }

    fn is_running(&self) -> Result<bool> {
        let Ok(lock) = File::open(self.folder.join("keeper")) else {
            return Ok(false);
        };
        match lock.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    fn failure(&self, what: &str) -> command::Failure {
        let said = fs::read_to_string(self.said()).unwrap_or_default();
        format!("the keeper of the servers {what}:\n{}", said.trim()).into()
    }

    fn said(&self) -> PathBuf {
        self.folder.join("keeper.log")
    }
}

fn remove(file: &Path) -> Result {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// What the folder holds without servers too: the programs of some, and what the last keeper said.
const STAYS: [&str; 2] = ["python", "keeper.log"];

/// How long starting, or ending in order, may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(50);
