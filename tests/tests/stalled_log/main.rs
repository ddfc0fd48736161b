//! The three servers on a disk that does not answer: calls are refused when their deadline has passed.
//!
//! Needs the right to trace processes: `cargo xtask test` runs it.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]
#![allow(dead_code, reason = "shares files with the tests of the servers, and needs less of them")]

#[path = "../servers/call.rs"]
mod call;
#[path = "../servers/client.rs"]
mod client;
#[path = "../servers/framework.rs"]
mod framework;
#[path = "../servers/grpc_client.rs"]
mod grpc_client;
#[path = "../servers/http_client.rs"]
mod http_client;
#[path = "../servers/log_on_disk.rs"]
mod log_on_disk;
#[path = "../servers/programs.rs"]
mod programs;
#[path = "../servers/search.rs"]
mod search;
#[path = "../servers/secrets.rs"]
mod secrets;
#[path = "../servers/server.rs"]
mod server;
mod stall;

use std::time::{Duration, Instant};

use call::Call;
use client::Client;
use framework::Framework;
use secrets::Secrets;
use server::Server;
use stall::Stall;

const POLICY: &str = "[[rule]]\nname = \"patient\"\ndeadline = \"300ms\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn axum_refuses_calls_whose_deadline_passes() {
    calls_are_refused_when_their_deadline_passes(Framework::Axum).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actix_refuses_calls_whose_deadline_passes() {
    calls_are_refused_when_their_deadline_passes(Framework::Actix).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tonic_refuses_calls_whose_deadline_passes() {
    calls_are_refused_when_their_deadline_passes(Framework::Tonic).await;
}

async fn calls_are_refused_when_their_deadline_passes(framework: Framework) {
    let server = Server::with_policy(framework, POLICY, &[]);
    let mut client = server.client().await;
    assert_eq!(client.call(Call::Refund(1)).await, client.expected(Call::Refund(1)));
    server.until_outcomes(1).await;

    // Each sync takes far longer than the deadline, and far shorter than the tests' patience.
    let stall = Stall::of_syncs(server.id(), Duration::from_secs(3)).await;
    let unavailable = if framework.is_grpc() { 14 } else { 503 };
    let started = Instant::now();
    assert_eq!(client.call(Call::Refund(2)).await, Some(unavailable));
    let waited = started.elapsed();
    assert!(waited >= Duration::from_millis(300) && waited < Duration::from_secs(3), "{waited:?}");
    assert_eq!(server.handler_runs(), 1, "a handler has run");
    drop(stall);

    let deadline = Instant::now() + server::PATIENCE;
    while client.call(Call::Refund(3)).await != client.expected(Call::Refund(3)) {
        assert!(Instant::now() < deadline, "the log does not go on");
    }
    let stopped = server.stop().await;
    // The intent had been handed to the disk, so it is in the log, and says how it ended.
    let outcomes = stopped.of_kind("outcome");
    let refused = outcomes.iter().filter(|outcome| outcome["result"] == "refused").count() as u64;
    assert!(refused + stopped.lost("intent", false) >= 1, "{:#?}", stopped.records);
}
