//! Many clients at once, some of them leaving: in the end the books are balanced.

use crate::{Call, Framework, Server};

crate::on_every_server! {
    however_calls_end_intents_and_outcomes_are_equal_and_no_handler_ran_unrecorded
}

async fn however_calls_end_intents_and_outcomes_are_equal_and_no_handler_ran_unrecorded(framework: Framework) {
    const CLIENTS: u32 = 12;
    const ROUNDS: u32 = 6;
    let server = Server::start(framework);
    let mut calling = Vec::new();
    for client in 0..CLIENTS {
        let address = server.address();
        calling.push(tokio::spawn(async move {
            for round in 0..ROUNDS {
                let mut caller = crate::Client::connect(framework, address).await;
                match (client + round) % 6 {
                    0 => caller.send(Call::Slow { ms: 600_000 }).await.leave().await,
                    1 => drop(caller.read_first_chunk(Call::Stream { chunks: 1_000_000 }).await),
                    2 => drop(caller.call(Call::Panic).await),
                    3 => drop(caller.call(Call::NotAllowed).await),
                    _ => assert_eq!(caller.call(Call::Refund(round)).await, caller.expected(Call::Refund(round))),
                }
            }
        }));
    }
    for client in calling {
        client.await.unwrap();
    }
    let stopped = server.stop().await;
    // A call whose client left at once may never have arrived.
    let sent = CLIENTS * ROUNDS;
    let arrived = stopped.of_kind("intent").len();
    assert!(arrived <= sent as usize && arrived >= (sent - sent / 6) as usize, "{arrived} of {sent}");
}
