//! How a server ends, and what it leaves.

use std::time::Duration;

use crate::{Call, Framework, Server};

crate::on_every_server! {
    a_call_in_flight_ends_before_the_log_is_closed
    after_a_kill_the_log_goes_on_and_no_handler_ran_unrecorded
}

async fn a_call_in_flight_ends_before_the_log_is_closed(framework: Framework) {
    let server = Server::start(framework);
    let client = server.client().await;
    let expected = client.expected(Call::Slow { ms: 700 });
    let slow = client.send(Call::Slow { ms: 700 }).await;
    server.until_handled(1).await;
    server.terminate();
    assert_eq!(slow.answered().await, expected);
    let stopped = server.stopped().await;
    assert_eq!(stopped.pair().1["result"], "success");
}

async fn after_a_kill_the_log_goes_on_and_no_handler_ran_unrecorded(framework: Framework) {
    let server = Server::start(framework);
    let mut calling = Vec::new();
    for _ in 0..4 {
        let mut client = server.client().await;
        calling.push(tokio::spawn(async move {
            let mut refunds = 0;
            while client.call(Call::Refund(refunds)).await == client.expected(Call::Refund(refunds)) {
                refunds += 1;
            }
            u64::from(refunds)
        }));
    }
    server.until_handled(50).await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    let killed = server.kill();
    let mut answered = 0;
    for client in calling {
        answered += client.await.unwrap();
    }
    let intents = killed.of_kind("intent").len() as u64;
    assert!(answered <= killed.handler_runs && killed.handler_runs <= intents);

    let server = killed.start(framework);
    let mut client = server.client().await;
    assert_eq!(client.call(Call::Refund(0)).await, client.expected(Call::Refund(0)));
    let stopped = server.stop_after_losses().await;
    assert_eq!(stopped.of_kind("log.recovered").len(), 1);
    assert_eq!(stopped.of_kind("intent").len() as u64, intents + 1);
}
