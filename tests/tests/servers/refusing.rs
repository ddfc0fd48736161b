//! Calls that cannot be recorded: here the file of the log may not grow, as on a full disk.

use std::fs;

use rustix::process::{Resource, Rlimit, prlimit};

use crate::search::files;
use crate::server::PATIENCE;
use crate::{Call, Framework, Server};

crate::on_every_server! {
    a_call_that_cannot_be_recorded_is_refused_and_its_handler_never_runs
    a_call_that_may_be_lost_goes_ahead_and_the_loss_is_recorded
}

/// To this many bytes at most, no file of the server may grow.
fn limit_files(server: &Server, bytes: Option<u64>) {
    let limit = Rlimit { current: bytes, maximum: None };
    prlimit(Some(server.id()), Resource::Fsize, limit).unwrap();
}

/// No file of the server may grow beyond what the largest one is now.
fn forbid_growth(server: &Server) {
    let sizes = files(&server.log()).into_iter().map(|file| fs::metadata(file).unwrap().len());
    limit_files(server, sizes.max());
}

fn allow_growth(server: &Server) {
    limit_files(server, None);
}

/// Calls until a refund is made.
async fn refund_until_it_succeeds(server: &Server) {
    let mut client = server.client().await;
    let expected = client.expected(Call::Refund(2));
    let deadline = std::time::Instant::now() + PATIENCE;
    while client.call(Call::Refund(2)).await != expected {
        assert!(std::time::Instant::now() < deadline, "the log does not go on");
    }
}

async fn a_call_that_cannot_be_recorded_is_refused_and_its_handler_never_runs(framework: Framework) {
    const CALLS: u32 = 5;
    let server = Server::start(framework);
    let mut client = server.client().await;
    for id in 0..20 {
        assert_eq!(client.call(Call::Refund(id)).await, client.expected(Call::Refund(id)));
    }
    server.until_outcomes(20).await;
    let before = server.handler_runs();
    forbid_growth(&server);
    let unavailable = if framework.is_grpc() { 14 } else { 503 };
    for id in 0..CALLS {
        assert_eq!(server.client().await.call(Call::Refund(id)).await, Some(unavailable));
    }
    assert_eq!(server.handler_runs(), before, "a handler has run");
    allow_growth(&server);
    refund_until_it_succeeds(&server).await;
    let stopped = server.stop().await;
    let refused = stopped.lost("intent", false);
    assert!(refused >= u64::from(CALLS), "{refused} refused calls are on record");
    assert_eq!(stopped.lost("intent", true), 0);
}

async fn a_call_that_may_be_lost_goes_ahead_and_the_loss_is_recorded(framework: Framework) {
    const CALLS: u32 = 5;
    const POLICY: &str = "[[rule]]\nname = \"open\"\non_failure = \"allow\"\ndeadline = \"200ms\"\n";
    let server = Server::with_policy(framework, POLICY, &[]);
    let mut client = server.client().await;
    for id in 0..20 {
        assert_eq!(client.call(Call::Refund(id)).await, client.expected(Call::Refund(id)));
    }
    server.until_outcomes(20).await;
    forbid_growth(&server);
    for id in 0..CALLS {
        assert_eq!(client.call(Call::Refund(id)).await, client.expected(Call::Refund(id)));
    }
    assert_eq!(server.handler_runs(), u64::from(20 + CALLS));
    allow_growth(&server);
    refund_until_it_succeeds(&server).await;
    let stopped = server.stop_after_losses().await;
    assert!(stopped.lost("intent", true) >= u64::from(CALLS));
}
