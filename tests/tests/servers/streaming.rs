//! Answers that come in parts.

use crate::{Call, Framework, Server};

crate::on_every_server! {
    the_outcome_of_a_stream_is_written_at_its_end
}

async fn the_outcome_of_a_stream_is_written_at_its_end(framework: Framework) {
    const CHUNKS: u64 = 30;
    let server = Server::start(framework);
    let mut client = server.client().await;
    let call = Call::Stream { chunks: CHUNKS };
    assert_eq!(client.call(call).await, client.expected(call));
    let stopped = server.stop().await;
    let (_, outcome) = stopped.pair();
    assert_eq!(outcome["result"], "success");
    // Each gRPC message has five bytes before it, and its one field two.
    let chunk = if framework.is_grpc() { 6 + 2 + 5 } else { 6 };
    assert_eq!(outcome["response_bytes"], CHUNKS * chunk);
    // One every ten milliseconds.
    assert!(outcome["latency_us"].as_u64() >= Some((CHUNKS - 1) * 10_000));
}
