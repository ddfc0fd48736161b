//! Driving `h2load` (nghttp2), which speaks enough HTTP/2 for unary gRPC calls.

use std::fs;
use std::process::Command;

use crate::bench::Bench;
use crate::bench::wrk::{Seen, cpu_microseconds};
use crate::command::{self, Result};
use crate::server::Server;
use crate::token;

/// What is called: it takes an empty message and answers with a number.
const METHOD: &str = "payments.v1.Payments/CountRefunds";

/// Calls `server` for so many seconds over 16 connections of 8 streams each.
pub(crate) fn drive(bench: &Bench, server: &Server, seconds: u32) -> Result<Seen> {
    let cpu = cpu_microseconds(server.id())?;
    let mut load = h2load(bench, server)?;
    let printed = command::output(load.args(["-c16", "-m8", "-t1", &format!("-D{seconds}")]))?;
    let cpu = cpu_microseconds(server.id())? - cpu;

    let wrong = || format!("h2load printed no figures:\n{printed}");
    let line = |start: &str| printed.lines().find_map(|line| line.strip_prefix(start));
    let requests = line("requests: ").ok_or_else(wrong)?;
    let figure = |name: &str| {
        let part = requests.split(", ").find_map(|part| part.strip_suffix(name));
        part.and_then(|count| count.trim().parse::<f64>().ok()).unwrap_or(f64::NAN)
    };
    let succeeded = figure("succeeded");
    if succeeded != figure("done") || figure("failed") != 0.0 {
        return Err(format!("requests failed: {requests}").into());
    }
    let rate = line("finished in ").and_then(|line| line.split(", ").find_map(|part| part.strip_suffix(" req/s")));
    let rate = rate.and_then(|rate| rate.parse().ok()).ok_or_else(wrong)?;
    Ok(Seen { rate, cpu: cpu / succeeded, p50: f64::NAN, p99: f64::NAN })
}

/// Fails unless a call is answered with a message: one that fails has only trailers, which h2load
/// does not show, and every HTTP status is 200 here.
pub(crate) fn check(bench: &Bench, server: &Server) -> Result {
    let printed = command::output(h2load(bench, server)?.args(["-n1", "-c1"]))?;
    let answered = printed.contains("1 succeeded") && !printed.contains(" 0B (0) data");
    if answered { Ok(()) } else { Err(format!("{METHOD} fails:\n{printed}").into()) }
}

fn h2load(bench: &Bench, server: &Server) -> Result<Command> {
    // One message: not compressed, of length 0 (gRPC over HTTP/2, Length-Prefixed-Message).
    let body = bench.place("message");
    fs::write(&body, [0; 5])?;
    let token = token::service_account("payments", "settler");
    let mut load = Command::new("h2load");
    load.arg("-d").arg(body);
    for header in ["content-type: application/grpc", "te: trailers", &format!("authorization: Bearer {token}")] {
        load.args(["-H", header]);
    }
    load.arg(format!("http://{}/{METHOD}", server.address()));
    Ok(load)
}
