//! Under tonic, over real sockets.

#![allow(clippy::unwrap_used)] // a test ends at the first surprise

mod support;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use audit_core::Policy;
use audit_core::evidence::Hash;
use audit_tower::AuditLayer;
use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use http::{Request, Response};
use support::Recorder;
use tokio::net::TcpListener;
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;
use tonic::client::Grpc as Client;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::NamedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic::{Code, Status, Streaming};
use tower::{Service, service_fn};

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

/// Answers with what it was sent, or does what a message says.
#[derive(Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "pay.Refunds";
}

type Messages = Pin<Box<dyn Stream<Item = Result<Bytes, Status>> + Send>>;

async fn one(message: Bytes) -> Result<Bytes, Status> {
    match message.as_ref() {
        b"deny" => Err(Status::permission_denied("no")),
        b"break" => Err(Status::internal("broken")),
        b"hang" => std::future::pending().await,
        _ => Ok(message),
    }
}

impl Service<Request<Body>> for Echo {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(async {
            let mut grpc = tonic::server::Grpc::new(Raw);
            Ok(match request.uri().path().rsplit('/').next().unwrap() {
                "Create" => grpc.unary(service_fn(unary), request).await,
                "Watch" => grpc.server_streaming(service_fn(server_streaming), request).await,
                "Upload" => grpc.client_streaming(service_fn(client_streaming), request).await,
                "Talk" => grpc.streaming(service_fn(bidirectional), request).await,
                _ => Status::unimplemented("").into_http(),
            })
        })
    }
}

async fn unary(request: tonic::Request<Bytes>) -> Result<tonic::Response<Bytes>, Status> {
    Ok(tonic::Response::new(one(request.into_inner()).await?))
}

async fn server_streaming(request: tonic::Request<Bytes>) -> Result<tonic::Response<Messages>, Status> {
    let first = tokio_stream::once(Ok(Bytes::from_static(b"first")));
    let then = tokio_stream::once(request.into_inner()).then(one);
    Ok(tonic::Response::new(Box::pin(first.chain(then))))
}

async fn client_streaming(request: tonic::Request<Streaming<Bytes>>) -> Result<tonic::Response<Bytes>, Status> {
    let mut messages = request.into_inner();
    let mut last = Bytes::new();
    while let Some(message) = messages.message().await? {
        last = one(message).await?;
    }
    Ok(tonic::Response::new(last))
}

async fn bidirectional(request: tonic::Request<Streaming<Bytes>>) -> Result<tonic::Response<Messages>, Status> {
    let answers = request.into_inner().then(|message| async { one(message?).await });
    Ok(tonic::Response::new(Box::pin(answers)))
}

async fn serve(layer: AuditLayer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().layer(layer).add_service(Echo);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    address
}

async fn connect(address: SocketAddr) -> Client<Channel> {
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let mut client = Client::new(channel);
    client.ready().await.unwrap();
    client
}

async fn call(address: SocketAddr, message: &'static [u8]) -> Result<Bytes, Status> {
    let path = PathAndQuery::from_static("/pay.Refunds/Create");
    let request = tonic::Request::new(Bytes::from_static(message));
    Ok(connect(address).await.unary(request, path, Raw).await?.into_inner())
}

/// Calls one method of each kind with these messages, and reads the answer to its end.
async fn call_kind(address: SocketAddr, method: &str, messages: [&'static [u8]; 2]) -> Result<Vec<Bytes>, Status> {
    let path = PathAndQuery::try_from(format!("/pay.Refunds/{method}")).unwrap();
    let mut client = connect(address).await;
    let [first, last] = messages.map(Bytes::from_static);
    let several = tokio_stream::iter([first, last.clone()]);
    let stream = match method {
        "Create" => return Ok(vec![client.unary(tonic::Request::new(last), path, Raw).await?.into_inner()]),
        "Upload" => {
            let request = tonic::Request::new(several);
            return Ok(vec![client.client_streaming(request, path, Raw).await?.into_inner()]);
        }
        "Watch" => client.server_streaming(tonic::Request::new(last), path, Raw).await?,
        _ => client.streaming(tonic::Request::new(several), path, Raw).await?,
    };
    stream.into_inner().collect().await
}

#[tokio::test]
async fn every_kind_of_call_is_one_activity_with_the_code_of_its_end() {
    for method in ["Create", "Watch", "Upload", "Talk"] {
        for (last, code, result) in [(b"fine".as_slice(), 0, "success"), (b"deny", 7, "denied")] {
            let recorder = Recorder::new();
            let address = serve(AuditLayer::for_grpc(recorder.log.clone())).await;
            let answer = call_kind(address, method, [b"first", last]).await;
            assert_eq!(answer.map_or_else(|status| status.code(), |_| Code::Ok), Code::from(code), "{method}");
            recorder.outcomes(1).await;
            let (intent, outcome) = recorder.pair().await;
            assert_eq!(intent["action"], format!("pay.Refunds/{method}"));
            assert_eq!((&outcome["result"], &outcome["code"]), (&result.into(), &code.into()), "{method}");
        }
    }
}

#[tokio::test]
async fn under_await_outcome_a_call_has_ended_for_its_caller_only_with_the_outcome_stored() {
    const POLICY: &str = "[[rule]]\nname = \"money\"\nawait_outcome = true\ndeadline = \"10s\"\n";
    for method in ["Create", "Watch", "Upload", "Talk"] {
        for (last, code) in [(b"fine".as_slice(), Code::Ok), (b"deny", Code::PermissionDenied)] {
            let recorder = Recorder::with_policy(Policy::from_toml(POLICY).unwrap());
            let address = serve(AuditLayer::for_grpc(recorder.log.clone())).await;
            let answer = call_kind(address, method, [b"first", last]).await;
            assert_eq!(recorder.records().len(), 2, "{method}");
            assert_eq!(answer.map_or_else(|status| status.code(), |_| Code::Ok), code, "{method}");
            assert_eq!(recorder.outcome().await["code"], i32::from(code));
        }
    }
}

#[tokio::test]
async fn a_stream_that_its_caller_cuts_is_cancelled() {
    for method in ["Watch", "Talk"] {
        let recorder = Recorder::new();
        let address = serve(AuditLayer::for_grpc(recorder.log.clone())).await;
        let path = PathAndQuery::try_from(format!("/pay.Refunds/{method}")).unwrap();
        let mut client = connect(address).await;
        let messages = tokio_stream::iter([b"first".as_slice(), b"hang"].map(Bytes::from_static));
        let answer = match method {
            "Watch" => {
                client.server_streaming(tonic::Request::new(Bytes::from_static(b"hang")), path, Raw).await.unwrap()
            }
            _ => client.streaming(tonic::Request::new(messages), path, Raw).await.unwrap(),
        };
        let mut answers = answer.into_inner();
        assert_eq!(answers.message().await.unwrap().unwrap(), "first");
        drop((answers, client));
        recorder.outcomes(1).await;
        let outcome = recorder.outcome().await;
        assert_eq!((&outcome["result"], &outcome["code"]), (&"cancelled".into(), &1.into()), "{method}");
    }
}

#[tokio::test]
async fn a_call_that_outlives_its_timeout_has_exceeded_its_deadline() {
    let recorder = Recorder::new();
    let address = serve(AuditLayer::for_grpc(recorder.log.clone())).await;
    let mut request = tonic::Request::new(Bytes::from_static(b"hang"));
    request.set_timeout(Duration::from_millis(150));
    let path = PathAndQuery::from_static("/pay.Refunds/Create");
    connect(address).await.unary(request, path, Raw).await.unwrap_err();
    recorder.outcomes(1).await;
    let outcome = recorder.outcome().await;
    assert_eq!((&outcome["result"], &outcome["code"]), (&"error".into(), &4.into()));
}

#[tokio::test]
async fn a_call_that_is_given_up_before_its_timeout_is_cancelled() {
    for timeout in ["1H", "soon", "123456789m", "-1S", ""] {
        let recorder = Recorder::new();
        let address = serve(AuditLayer::for_grpc(recorder.log.clone())).await;
        let mut request = tonic::Request::new(Bytes::from_static(b"hang"));
        request.metadata_mut().insert("grpc-timeout", timeout.parse().unwrap());
        let path = PathAndQuery::from_static("/pay.Refunds/Create");
        let mut client = connect(address).await;
        let call = tokio::spawn(async move { client.unary::<Bytes, Bytes, _>(request, path, Raw).await.map(drop) });
        recorder.intents(1).await;
        // The handler has been reached when the intent is answered, or shortly after.
        tokio::time::sleep(Duration::from_millis(50)).await;
        call.abort();
        recorder.outcomes(1).await;
        let outcome = recorder.outcome().await;
        assert_eq!((&outcome["result"], &outcome["code"]), (&"cancelled".into(), &1.into()), "{timeout}");
    }
}

#[tokio::test]
async fn messages_are_captured_by_digest_whatever_the_kind_of_call() {
    const POLICY: &str = "[[rule]]\nname = \"money\"\nlevel = \"request_response\"\n";
    for (method, requests, answers) in [("Create", 1, 1), ("Watch", 1, 2), ("Upload", 2, 1), ("Talk", 2, 2)] {
        let recorder = Recorder::capturing(POLICY);
        let layer = AuditLayer::for_grpc(recorder.log.clone()).capture_bodies();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::builder().layer(layer).add_service(Echo);
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        call_kind(address, method, [b"first", b"fine"]).await.unwrap();
        recorder.outcomes(1).await;
        let outcome = recorder.outcome().await;
        assert_eq!(outcome["code"], 0, "{method}");
        let count = |body: &str| outcome[body]["messages"].as_array().unwrap().len();
        assert_eq!((count("request_body"), count("response_body")), (requests, answers), "{method}: {outcome}");
        let last = &outcome["request_body"]["messages"][requests - 1];
        assert_eq!(last["sha256"], Hash::digest(b"fine").to_string(), "{method}");
        assert!(outcome["request_sha256"].is_string(), "{method} read its request to the end: {outcome}");
        assert!(outcome["response_sha256"].is_string());
        assert!(!outcome.to_string().contains("fine"), "digests only");
    }
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
    let path = PathAndQuery::from_static("/no.Such/Method");
    let refused = connect(address).await.unary(tonic::Request::new(Bytes::new()), path, Raw).await.unwrap_err();
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
