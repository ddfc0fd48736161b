//! What only HTTP/1.1 has.

use crate::{Call, Client, Framework, Server};

crate::on_server!(on_axum Axum head_has_no_body_and_is_recorded a_client_gone_while_it_sends_is_recorded);
crate::on_server!(on_actix Actix head_has_no_body_and_is_recorded a_client_gone_while_it_sends_is_recorded);

async fn head_has_no_body_and_is_recorded(framework: Framework) {
    let server = Server::start(framework);
    let Client::Http(mut client) = server.client().await else { unreachable!() };
    client.send_part("HEAD", "/v1/refunds", 0, "").await;
    assert_eq!(client.answer_to_head().await, Some(200));
    // Nothing of a body is in the way of the next answer.
    assert_eq!(client.call(Call::Count).await, Some(200));
    let stopped = server.stop().await;
    let (_, outcome) = stopped.pair_of("HEAD /v1/refunds", true);
    assert_eq!((&outcome["result"], &outcome["status"]), (&"success".into(), &200.into()));
    assert_eq!(outcome["response_bytes"], 0);
    assert_eq!(stopped.handler_runs, 2);
}

async fn a_client_gone_while_it_sends_is_recorded(framework: Framework) {
    let server = Server::start(framework);
    let Client::Http(mut client) = server.client().await else { unreachable!() };
    client.send_part("POST", "/v1/refunds/1", 1_000, "{\"cents\":").await;
    crate::server::until("the intent is written", || !server.records_of("intent").is_empty()).await;
    drop(client);
    server.until_outcomes(1).await;
    let stopped = server.stop().await;
    let (intent, outcome) = stopped.pair();
    assert_eq!(intent["action"], "POST /v1/refunds/{id}");
    assert_ne!(outcome["result"], "success");
    assert_eq!(outcome["request_bytes"], 1_000);
    // The body never was complete.
    assert_eq!(stopped.handler_runs, 0);
}
