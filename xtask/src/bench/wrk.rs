//! Driving `wrk`, and what it saw.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::bench::Bench;
use crate::command::{self, Result};
use crate::server::Server;
use crate::token;

/// What to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) connections: u32,
    pub(crate) seconds: u32,
    /// How long each connection waits before each request, in milliseconds.
    pub(crate) pause: u32,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Requests per second.
    pub(crate) rate: f64,
    /// Server CPU time per request, in microseconds.
    pub(crate) cpu: f64,
    /// Milliseconds within which half of the answers came.
    pub(crate) p50: f64,
    /// Milliseconds within which 99 of 100 answers came.
    pub(crate) p99: f64,
}

/// Calls `server` as `load` says. Fails when a single answer is missing or not 200.
pub(crate) fn drive(bench: &Bench, server: &Server, load: Load) -> Result<Seen> {
    let script = script(bench, load.pause)?;
    let mut wrk = Command::new("wrk");
    wrk.args(["--threads", "1", "--timeout", "10s"])
        .arg(format!("--connections={}", load.connections))
        .arg(format!("--duration={}s", load.seconds))
        .arg("--script")
        .arg(script)
        .arg(format!("http://{}/v1/refunds", server.address()));
    let cpu = cpu_microseconds(server.id())?;
    let printed = command::output(&mut wrk)?;
    let cpu = cpu_microseconds(server.id())? - cpu;

    let figures = printed.lines().find_map(|line| line.strip_prefix("figures "));
    let figures: Value = serde_json::from_str(figures.ok_or("wrk printed no figures")?)?;
    let figure = |name: &str| figures[name].as_f64().unwrap_or(f64::NAN);
    if figure("errors") != 0.0 {
        return Err(format!("{} requests failed", figures["errors"]).into());
    }
    Ok(Seen {
        rate: figure("requests") / figure("microseconds") * 1e6,
        cpu: cpu / figure("requests"),
        p50: figure("p50") / 1e3,
        p99: figure("p99") / 1e3,
    })
}

fn script(bench: &Bench, pause: u32) -> Result<PathBuf> {
    let token = token::service_account("payments", "settler");
    let delay = match pause {
        0 => String::new(),
        pause => format!("function delay() return {pause} end\n"),
    };
    let script = format!(
        r#"wrk.headers["authorization"] = "Bearer {token}"
{delay}function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'figures {{"requests":%d,"microseconds":%d,"errors":%d,"p50":%d,"p99":%d}}\n',
    summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"#
    );
    let path = bench.place("wrk.lua");
    fs::write(&path, script)?;
    Ok(path)
}

/// User and system time of a process, from `/proc/<id>/stat` (proc_pid_stat(5), fields 14 and 15).
pub(crate) fn cpu_microseconds(id: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The program's name may hold spaces and brackets; the fields start after the last one.
    let fields = stat.rsplit_once(')').ok_or("no name in /proc/<id>/stat")?.1;
    let ticks: f64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    let per_second = rustix::param::clock_ticks_per_second();
    let per_second = per_second as f64;
    Ok(ticks / per_second * 1e6)
}
