//! How calls end, and what of that is recorded.

use crate::{Call, Framework, Server};

crate::on_every_server! {
    every_ending_is_recorded_as_the_caller_saw_it
    a_panic_breaks_the_call_and_is_recorded
    a_call_that_is_not_handled_is_recorded
    the_intent_names_the_call_the_caller_and_where_it_came_from
    what_a_handler_says_of_its_activity_lands_in_the_outcome
    probes_are_answered_and_not_recorded
}

async fn every_ending_is_recorded_as_the_caller_saw_it(framework: Framework) {
    let calls = [
        (Call::Refund(42), "success"),
        (Call::Count, "success"),
        (Call::Slow { ms: 5 }, "success"),
        (Call::Stream { chunks: 3 }, "success"),
        (Call::Malformed, "failure"),
        (Call::Fail, "error"),
        (Call::Denied, "denied"),
        (Call::Unauthenticated, "denied"),
    ];
    let server = Server::start(framework);
    let mut client = server.client().await;
    for (call, _) in calls {
        assert_eq!(client.call(call).await, client.expected(call), "{call:?}");
    }
    let stopped = server.stop().await;
    assert_eq!(stopped.handler_runs, calls.len() as u64);
    let number = if framework.is_grpc() { "code" } else { "status" };
    for (call, result) in calls {
        let (intent, outcome) = stopped.pair_of(call.action(framework.is_grpc()), call != Call::Malformed);
        assert!(intent["seq"].as_u64() < outcome["seq"].as_u64());
        assert_eq!(outcome["result"], result, "{call:?}");
        assert_eq!(outcome[number].as_i64(), client.expected(call), "{call:?}");
        assert!(outcome["latency_us"].as_u64().is_some());
    }
}

async fn a_panic_breaks_the_call_and_is_recorded(framework: Framework) {
    let server = Server::start(framework);
    assert_eq!(server.client().await.call(Call::Panic).await, None);
    // The server goes on.
    let mut other = server.client().await;
    assert_eq!(other.call(Call::Count).await, other.expected(Call::Count));
    let stopped = server.stop().await;
    let (_, outcome) = stopped.pair_of(Call::Panic.action(framework.is_grpc()), true);
    assert_eq!(outcome["result"], "panicked");
    assert_eq!(stopped.handler_runs, 2);
    // So the secret in it was really sent, and is really looked for.
    assert!(stopped.said_the_panic_message());
}

async fn a_call_that_is_not_handled_is_recorded(framework: Framework) {
    for call in [Call::Unknown, Call::NotAllowed, Call::TooLarge] {
        assert!(!call.is_handled());
        let server = Server::start(framework);
        let mut client = server.client().await;
        assert_eq!(client.call(call).await, client.expected(call), "{call:?}");
        let stopped = server.stop().await;
        let (intent, outcome) = stopped.pair();
        assert_eq!(intent["action"], call.action(framework.is_grpc()));
        // To gRPC, an unknown method is not the caller's fault alone: the server may be too old.
        let is_error = framework.is_grpc() && call != Call::TooLarge;
        assert_eq!(outcome["result"], if is_error { "error" } else { "failure" }, "{call:?}");
        let number = if framework.is_grpc() { "code" } else { "status" };
        assert_eq!(outcome[number].as_i64(), client.expected(call), "{call:?}");
        assert_eq!(stopped.handler_runs, 0, "{call:?}");
    }
}

async fn the_intent_names_the_call_the_caller_and_where_it_came_from(framework: Framework) {
    let server = Server::start(framework);
    server.client().await.call(Call::Refund(42)).await;
    let stopped = server.stop().await;
    let (intent, _) = stopped.pair();
    assert_eq!(intent["actor"]["type"], "service_account");
    assert_eq!(intent["actor"]["id"], crate::secrets::CALLER);
    assert_eq!(intent["actor"]["credential"], "5f1a");
    // Nobody has checked the signature.
    assert_eq!(intent["actor"]["verified"], false);
    assert_eq!(intent["source"]["ip"], "127.0.0.1");
    let protocol = if framework.is_grpc() { "rpc" } else { "http" };
    assert_eq!(intent[protocol]["user_agent"], crate::secrets::MARKER);
    let resource = if framework.is_grpc() { None } else { Some("/v1/refunds/42") };
    assert_eq!(intent["resource"].as_str(), resource);
}

async fn what_a_handler_says_of_its_activity_lands_in_the_outcome(framework: Framework) {
    let server = Server::start(framework);
    server.client().await.call(Call::Refund(42)).await;
    let stopped = server.stop().await;
    assert_eq!(stopped.pair().1["resource"], "42");
}

async fn probes_are_answered_and_not_recorded(framework: Framework) {
    let server = Server::start(framework);
    let mut client = server.client().await;
    assert_eq!(client.call(Call::Probe).await, client.expected(Call::Probe));
    let stopped = server.stop().await;
    assert!(stopped.of_kind("intent").is_empty());
    assert_eq!(stopped.handler_runs, 0);
}
