//! Under tonic, over real sockets.

#![allow(clippy::unwrap_used)] // a test ends at the first surprise

mod support;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use audit_tower::AuditLayer;
use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use http::{Request, Response};
use support::Recorder;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{NamedService, UnaryService};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic::{Code, Status};
use tower::Service;

/// Messages are bytes as they are.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        Self
    }
    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;
    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;
    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

/// Answers with what it was sent, or with the status that the message names.
#[derive(Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "pay.Refunds";
}

impl UnaryService<Bytes> for Echo {
    type Response = Bytes;
    type Future = std::future::Ready<Result<tonic::Response<Bytes>, Status>>;
    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let message = request.into_inner();
        std::future::ready(match message.as_ref() {
            b"deny" => Err(Status::permission_denied("no")),
            b"break" => Err(Status::internal("broken")),
            _ => Ok(tonic::Response::new(message)),
        })
    }
}

impl Service<Request<Body>> for Echo {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(async { Ok(tonic::server::Grpc::new(Raw).unary(Self, request).await) })
    }
}

async fn serve(layer: AuditLayer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().layer(layer).add_service(Echo);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    address
}

async fn call(address: SocketAddr, message: &'static [u8]) -> Result<Bytes, Status> {
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static("/pay.Refunds/Create");
    let request = tonic::Request::new(Bytes::from_static(message));
    Ok(client.unary(request, path, Raw).await?.into_inner())
}

#[tokio::test]
async fn the_status_of_a_call_is_its_outcome_wherever_it_stands() {
    for (message, code, result) in
        [(b"hello".as_slice(), 0, "success"), (b"deny", 7, "denied"), (b"break", 13, "error")]
    {
        let recorder = Recorder::new();
        let address = serve(AuditLayer::for_grpc(recorder.log.clone())).await;
        let answer = call(address, message).await;
        assert_eq!(answer.map_or_else(|status| status.code(), |_| Code::Ok), Code::from(code));
        recorder.outcomes(1).await;
        let (intent, outcome) = recorder.pair().await;
        assert_eq!(intent["action"], "pay.Refunds/Create");
        assert_eq!(intent["rpc"]["system"], "grpc");
        assert_eq!((&outcome["result"], &outcome["code"]), (&result.into(), &code.into()));
        assert!(outcome.get("status").is_none());
    }
}

#[tokio::test]
async fn an_unknown_method_is_recorded_with_its_code() {
    let recorder = Recorder::new();
    let address = serve(AuditLayer::for_grpc(recorder.log.clone())).await;
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static("/no.Such/Method");
    let refused = client.unary(tonic::Request::new(Bytes::new()), path, Raw).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
    recorder.outcomes(1).await;
    assert_eq!(recorder.outcome().await["code"], 12);
}

#[tokio::test]
async fn a_refused_call_is_unavailable_to_the_client() {
    let recorder = Recorder::refusing().await;
    for layer in [AuditLayer::for_grpc(recorder.log.clone()), AuditLayer::new(recorder.log.clone())] {
        let status = call(serve(layer).await, b"hello").await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
    }
}
