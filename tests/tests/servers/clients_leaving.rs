//! Clients that go away before they have their answer.

use crate::{Call, Framework, Server};

crate::on_every_server! {
    a_client_gone_before_the_answer_is_cancelled
    a_client_gone_during_the_answer_is_cancelled
    a_call_whose_client_has_gone_leaves_the_others_alone
}

async fn a_client_gone_before_the_answer_is_cancelled(framework: Framework) {
    let server = Server::start(framework);
    let open = server.client().await.send(Call::Slow { ms: 600_000 }).await;
    server.until_handled(1).await;
    open.leave().await;
    // The handler is not waited for: its ten minutes would be far too long.
    server.until_outcomes(1).await;
    let stopped = server.stop().await;
    let (_, outcome) = stopped.pair();
    assert_eq!(outcome["result"], "cancelled");
    assert!(outcome.get("status").is_none());
    assert_eq!(outcome["code"].as_i64(), framework.is_grpc().then_some(1));
}

async fn a_client_gone_during_the_answer_is_cancelled(framework: Framework) {
    let server = Server::start(framework);
    let client = server.client().await.read_first_chunk(Call::Stream { chunks: 1_000_000 }).await;
    drop(client);
    server.until_outcomes(1).await;
    let stopped = server.stop().await;
    let (_, outcome) = stopped.pair();
    assert_eq!(outcome["result"], "cancelled");
    assert!(outcome["response_bytes"].as_u64() >= Some(6));
    if framework.is_grpc() {
        assert_eq!(outcome["code"], 1);
    } else {
        assert_eq!(outcome["status"], 200);
    }
}

async fn a_call_whose_client_has_gone_leaves_the_others_alone(framework: Framework) {
    let server = Server::start(framework);
    let stays = server.client().await.send(Call::Slow { ms: 800 }).await;
    let leaves = server.client().await.send(Call::Slow { ms: 600_000 }).await;
    server.until_handled(2).await;
    leaves.leave().await;
    server.until_outcomes(1).await;
    let mut client = server.client().await;
    let expected = client.expected(Call::Slow { ms: 800 });
    assert_eq!(stays.answered().await, expected);
    assert_eq!(client.call(Call::Refund(1)).await, client.expected(Call::Refund(1)));
    let stopped = server.stop().await;
    let results: Vec<_> = stopped.of_kind("outcome").iter().map(|outcome| outcome["result"].clone()).collect();
    assert_eq!(results, ["cancelled", "success", "success"]);
}
