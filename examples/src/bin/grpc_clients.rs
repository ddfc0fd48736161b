//! Clients of the tonic server, for trials under load: `grpc-clients ADDRESS ROUND REFUNDING LEAVING`.
//!
//! So many ask for one refund after the other; so many ask for something and leave before the end.
//! All of them go on until the server is gone. Then one JSON object says which refunds were
//! answered, by the `traceparent` they were sent with, which their intents record.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use examples::Failure;
use examples::grpc::payments::payments_client::PaymentsClient;
use examples::grpc::payments::{RefundRequest, SlowRequest, StreamRequest};
use serde_json::json;
use tokio_stream::StreamExt;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

#[tokio::main]
async fn main() -> ExitCode {
    examples::end(run().await)
}

async fn run() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, round, refunding, leaving] = arguments.as_slice() else {
        return Err("usage: grpc-clients ADDRESS ROUND REFUNDING LEAVING".into());
    };
    let server = Endpoint::from_shared(format!("http://{address}"))?.connect_timeout(Duration::from_secs(20));
    let round: u32 = round.parse()?;
    let start = |server: &Endpoint, client| tokio::spawn(refund(server.clone(), round, client));
    let refunding: Vec<_> = (0..refunding.parse()?).map(|client| start(&server, client)).collect();
    let leaving: Vec<_> = (0..leaving.parse()?).map(|_: u32| tokio::spawn(come_and_go(server.clone()))).collect();

    let (mut answered, mut sent, mut left) = (Vec::new(), 0, 0);
    for client in refunding {
        let (refunds, count) = client.await?;
        answered.extend(refunds);
        sent += count;
    }
    for client in leaving {
        left += client.await?;
    }
    println!("{}", json!({ "answered": answered, "sent": sent, "left": left }));
    Ok(())
}

/// Asks for refunds that nobody else asks for; those that were answered, and how many were not.
async fn refund(server: Endpoint, round: u32, client: u32) -> (Vec<String>, u32) {
    let (mut answered, mut sent) = (Vec::new(), 0);
    let Ok(channel) = server.connect().await else {
        return (answered, sent);
    };
    let mut payments = PaymentsClient::new(channel);
    loop {
        sent += 1;
        let name = format!("00-{:016x}{round:08x}{client:08x}-{sent:016x}-01", u64::MAX);
        let mut request = Request::new(RefundRequest { id: sent.to_string(), details: b"{}".to_vec() });
        if let Ok(value) = AsciiMetadataValue::try_from(&name) {
            request.metadata_mut().insert("traceparent", value);
        }
        match payments.refund(request).await {
            Ok(_) => answered.push(name),
            Err(status) if is_gone(&status) => return (answered, sent),
            Err(_) => {}
        }
    }
}

/// Whether a status was made here, from a connection that broke, and not by the server.
fn is_gone(status: &Status) -> bool {
    status.source().is_some()
}

/// Connects, asks, and leaves; how often.
async fn come_and_go(server: Endpoint) -> u64 {
    let mut left = 0;
    while let Ok(channel) = server.connect().await {
        let call = ask(PaymentsClient::new(channel), left);
        // Some leave at once, some while the handler runs, some in the middle of the answer.
        let _ = tokio::time::timeout(Duration::from_millis(left % 7 * 3), call).await;
        left += 1;
    }
    left
}

async fn ask(mut payments: PaymentsClient<Channel>, turn: u64) -> Result<(), Status> {
    match turn % 3 {
        0 => payments.slow(SlowRequest { ms: 1_000 }).await.map(drop),
        1 => {
            let mut answer = payments.stream(StreamRequest { chunks: 1_000 }).await?.into_inner();
            while answer.message().await?.is_some() {}
            Ok(())
        }
        _ => {
            let refund = RefundRequest { id: "never".to_owned(), details: b"{}".to_vec() };
            let endless = tokio_stream::iter([refund]).chain(tokio_stream::pending());
            payments.refund_all(endless).await.map(drop)
        }
    }
}
