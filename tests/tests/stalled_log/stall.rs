//! A disk that takes its time: `strace` holds each sync of a process back.

use std::fs;
use std::process::{Child, Command};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::server::until;

/// While it lives, syncs of the process are slow.
pub(crate) struct Stall(Child);

impl Stall {
    /// Delays each `fdatasync` that the process makes from now on.
    pub(crate) async fn of_syncs(process: Pid, delay: Duration) -> Self {
        let inject = format!("inject=fdatasync:delay_enter={}", delay.as_micros());
        let strace = Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", &inject])
            .args(["-p", &process.as_raw_pid().to_string()])
            .spawn()
            .unwrap();
        let stall = Self(strace);
        until("strace holds every thread", || threads(process).iter().all(|status| is_traced(status))).await;
        stall
    }
}

impl Drop for Stall {
    fn drop(&mut self) {
        // On SIGINT it lets the process go on.
        let _ = kill_process(Pid::from_child(&self.0), Signal::INT);
        let _ = self.0.wait();
    }
}

/// What the kernel says of each thread (proc_pid_status(5)).
fn threads(process: Pid) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", process.as_raw_pid())).unwrap();
    let status = |task: std::io::Result<fs::DirEntry>| fs::read_to_string(task.ok()?.path().join("status")).ok();
    tasks.filter_map(status).collect()
}

fn is_traced(status: &str) -> bool {
    status.lines().any(|line| line.strip_prefix("TracerPid:").is_some_and(|tracer| tracer.trim() != "0"))
}
