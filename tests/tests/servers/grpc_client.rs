//! The generated client, on a connection that keeps no deadlines of its own: those under test are
//! the server's.

use std::net::SocketAddr;
use std::time::Duration;

use examples::grpc::health::HealthCheckRequest;
use examples::grpc::health::health_client::HealthClient;
use examples::grpc::payments::payments_client::PaymentsClient;
use examples::grpc::payments::{
    Chunk, CountRefundsRequest, DeniedRequest, FailRequest, PanicRequest, RefundRequest, SlowRequest, StreamRequest,
    UnauthenticatedRequest,
};
use http::Uri;
use http::uri::PathAndQuery;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tonic::body::Body;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, BinaryMetadataValue};
use tonic::{Code, Request, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::call::TOO_LARGE;
use crate::{Call, Secrets};

type Connection = legacy::Client<HttpConnector, Body>;

/// A client of the payments service.
#[derive(Clone, Debug)]
pub(crate) struct GrpcClient {
    connection: Connection,
    origin: Uri,
    /// An answer of which only the beginning has been read.
    unread: Option<Unread>,
}

/// Dropped with its client.
#[derive(Clone)]
struct Unread(#[expect(dead_code, reason = "held, not looked at")] std::sync::Arc<Streaming<Chunk>>);

impl std::fmt::Debug for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unread")
    }
}

impl GrpcClient {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let connection = legacy::Client::builder(TokioExecutor::new()).http2_only(true).build_http();
        Self { connection, origin: format!("http://{address}").parse().unwrap(), unread: None }
    }

    /// The generated client.
    pub(crate) fn payments(&self) -> PaymentsClient<Connection> {
        PaymentsClient::with_origin(self.connection.clone(), self.origin.clone())
    }

    pub(crate) async fn call(&mut self, call: Call) -> Option<i64> {
        code(self.status(call).await)
    }

    /// Calls with a `grpc-timeout`.
    pub(crate) async fn call_within(&self, call: SlowRequest, timeout: Duration) -> Option<i64> {
        let mut request = with_secrets(call);
        request.set_timeout(timeout);
        code(self.payments().slow(request).await.map(drop))
    }

    async fn status(&self, call: Call) -> Result<(), Status> {
        let secrets = Secrets::get();
        let mut payments = self.payments();
        match call {
            Call::Refund(id) => payments.refund(with_secrets(refund(id, secrets.details()))).await.map(drop),
            Call::Malformed => {
                payments.refund(with_secrets(refund(1, format!("{{{}", secrets.text("body"))))).await.map(drop)
            }
            Call::TooLarge => {
                let details = " ".repeat(TOO_LARGE) + &secrets.details();
                payments.refund(with_secrets(refund(1, details))).await.map(drop)
            }
            Call::Count => payments.count_refunds(with_secrets(CountRefundsRequest {})).await.map(drop),
            Call::Slow { ms } => payments.slow(with_secrets(SlowRequest { ms })).await.map(drop),
            Call::Stream { chunks } => {
                let mut answer = payments.stream(with_secrets(StreamRequest { chunks })).await?.into_inner();
                while answer.message().await?.is_some() {}
                Ok(())
            }
            Call::Fail => {
                let message = secrets.text("failure message");
                payments.fail(with_secrets(FailRequest { message })).await.map(drop)
            }
            Call::Denied => payments.denied(with_secrets(DeniedRequest {})).await.map(drop),
            Call::Unauthenticated => payments.unauthenticated(with_secrets(UnauthenticatedRequest {})).await.map(drop),
            Call::Panic => {
                let message = secrets.text("panic message");
                payments.panic(with_secrets(PanicRequest { message })).await.map(drop)
            }
            Call::Unknown => self.unknown("/payments.v1.Nowhere/Refund").await,
            Call::NotAllowed => self.unknown("/payments.v1.Payments/Nothing").await,
            Call::Probe => {
                let mut health = HealthClient::with_origin(self.connection.clone(), self.origin.clone());
                health.check(HealthCheckRequest::default()).await.map(drop)
            }
        }
    }

    /// Calls what the generated client does not know either.
    async fn unknown(&self, path: &'static str) -> Result<(), Status> {
        let mut client = tonic::client::Grpc::with_origin(self.connection.clone(), self.origin.clone());
        client.ready().await.unwrap();
        let codec = ProstCodec::<CountRefundsRequest, CountRefundsRequest>::default();
        let request = with_secrets(CountRefundsRequest {});
        client.unary(request, PathAndQuery::from_static(path), codec).await.map(drop)
    }

    pub(crate) async fn read_first_chunk(&mut self, call: Call) {
        let Call::Stream { chunks } = call else {
            panic!("{call:?} has no chunks");
        };
        let request = with_secrets(StreamRequest { chunks });
        let mut answer = self.payments().stream(request).await.unwrap().into_inner();
        assert!(answer.message().await.unwrap().is_some());
        self.unread = Some(Unread(std::sync::Arc::new(answer)));
    }
}

/// The message of a refund.
pub(crate) fn refund(id: u32, details: String) -> RefundRequest {
    RefundRequest { id: id.to_string(), details: details.into() }
}

/// A request with all secrets in its metadata.
pub(crate) fn with_secrets<T>(message: T) -> Request<T> {
    let secrets = Secrets::get();
    let mut request = Request::new(message);
    for (name, value) in secrets.headers() {
        let name = AsciiMetadataKey::from_static(name);
        request.metadata_mut().insert(name, AsciiMetadataValue::try_from(value).unwrap());
    }
    let binary = BinaryMetadataValue::from_bytes(secrets.text("binary metadata").as_bytes());
    request.metadata_mut().insert_bin("x-payment-note-bin", binary);
    request
}

/// The code of an answer; none when there was no answer but a broken stream.
pub(crate) fn code(answer: Result<(), Status>) -> Option<i64> {
    match answer {
        Ok(()) => Some(Code::Ok as i64),
        // Made by the client itself, from what broke.
        Err(status) if std::error::Error::source(&status).is_some() => None,
        Err(status) => Some(status.code() as i64),
    }
}
