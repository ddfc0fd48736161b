//! What only gRPC has.

use std::time::Duration;

use examples::grpc::payments::{RefundRequest, SlowRequest};
use tokio_stream::StreamExt;

use crate::grpc_client::{GrpcClient, code, with_secrets};
use crate::{Client, Framework, Secrets, Server};

crate::on_server! { on_tonic Tonic
    a_deadline_that_passes_is_recorded_as_such
    refunds_in_a_stream_are_one_call
    refunds_that_are_answered_one_by_one_are_one_call
    a_client_gone_in_the_middle_of_its_stream_is_cancelled
    a_stream_with_a_bad_message_ends_with_its_code
}

async fn server() -> (Server, Box<GrpcClient>) {
    let server = Server::start(Framework::Tonic);
    let Client::Grpc(client) = server.client().await else { unreachable!() };
    (server, client)
}

fn refund(id: u32) -> RefundRequest {
    crate::grpc_client::refund(id, Secrets::get().details())
}

async fn a_deadline_that_passes_is_recorded_as_such(_: Framework) {
    let (server, client) = server().await;
    let seen = client.call_within(SlowRequest { ms: 600_000 }, Duration::from_millis(200)).await;
    // tonic answers CANCELLED where gRPC has DEADLINE_EXCEEDED.
    assert_eq!(seen, Some(1));
    let stopped = server.stop().await;
    let (_, outcome) = stopped.pair();
    assert_eq!((&outcome["result"], &outcome["code"]), (&"error".into(), &4.into()));
    assert!(outcome["latency_us"].as_u64() >= Some(200_000));
}

async fn refunds_in_a_stream_are_one_call(_: Framework) {
    let (server, client) = server().await;
    let refunds = tokio_stream::iter((0..3).map(refund));
    let counted = client.payments().refund_all(with_secrets(refunds)).await.unwrap();
    assert_eq!(counted.into_inner().refunds, 3);
    let stopped = server.stop().await;
    let (intent, outcome) = stopped.pair();
    assert_eq!(intent["action"], "payments.v1.Payments/RefundAll");
    assert_eq!((&outcome["result"], &outcome["code"]), (&"success".into(), &0.into()));
    assert_eq!(stopped.handler_runs, 1);
}

async fn refunds_that_are_answered_one_by_one_are_one_call(_: Framework) {
    let (server, client) = server().await;
    let refunds = tokio_stream::iter((0..3).map(refund));
    let replies = client.payments().refund_each(with_secrets(refunds)).await.unwrap().into_inner();
    let replies: Vec<_> = replies.map(|reply| reply.unwrap().id).collect().await;
    assert_eq!(replies, ["0", "1", "2"]);
    let stopped = server.stop().await;
    let (intent, outcome) = stopped.pair();
    assert_eq!(intent["action"], "payments.v1.Payments/RefundEach");
    assert_eq!((&outcome["result"], &outcome["code"]), (&"success".into(), &0.into()));
}

async fn a_client_gone_in_the_middle_of_its_stream_is_cancelled(_: Framework) {
    let (server, client) = server().await;
    let refunds = tokio_stream::iter([refund(1)]).chain(tokio_stream::pending());
    let calling = tokio::spawn(async move { client.payments().refund_all(with_secrets(refunds)).await.map(drop) });
    server.until_handled(1).await;
    calling.abort();
    let _ = calling.await;
    server.until_outcomes(1).await;
    let stopped = server.stop().await;
    let (_, outcome) = stopped.pair();
    assert_eq!((&outcome["result"], &outcome["code"]), (&"cancelled".into(), &1.into()));
}

async fn a_stream_with_a_bad_message_ends_with_its_code(_: Framework) {
    let (server, client) = server().await;
    let bad = RefundRequest { id: "1".to_owned(), details: b"{".to_vec() };
    let refunds = tokio_stream::iter([refund(0), bad, refund(2)]);
    let mut replies = client.payments().refund_each(with_secrets(refunds)).await.unwrap().into_inner();
    assert_eq!(replies.message().await.unwrap().unwrap().id, "0");
    assert_eq!(code(replies.message().await.map(drop)), Some(3));
    let stopped = server.stop().await;
    let (_, outcome) = stopped.pair();
    assert_eq!((&outcome["result"], &outcome["code"]), (&"failure".into(), &3.into()));
}
