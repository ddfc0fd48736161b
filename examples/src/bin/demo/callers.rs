//! Who calls, and what they ask for.

use std::time::Duration;

use audit_core::evidence::Hash;
use axum::http::{Request, StatusCode, header};
use base64ct::{Base64UrlUnpadded, Encoding};
use bytes::Bytes;
use examples::Failure;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;

use crate::service::Service;

/// Somebody who calls; without a service account, a stranger.
struct Caller<'a> {
    name: &'static str,
    service_account: Option<&'static str>,
    client: Client<HttpConnector, Full<Bytes>>,
    service: &'a Service,
}

/// The calls up to the moment at which a checkpoint is kept elsewhere.
pub(crate) fn morning(service: &Service) -> Result<(), Failure> {
    let settler = Caller::new(service, "settler", Some("payments"));
    let reporter = Caller::new(service, "reporter", Some("analytics"));
    settler.call("POST", "/v1/refunds/1001", StatusCode::CREATED)?;
    settler.call("POST", "/v1/refunds/1002", StatusCode::CREATED)?;
    reporter.call("GET", "/v1/refunds", StatusCode::OK)?;
    reporter.call("GET", "/v1/denied", StatusCode::FORBIDDEN)
}

/// The calls after it.
pub(crate) fn afternoon(service: &Service) -> Result<(), Failure> {
    let settler = Caller::new(service, "settler", Some("payments"));
    let reporter = Caller::new(service, "reporter", Some("analytics"));
    let sweeper = Caller::new(service, "sweeper", Some("operations"));
    let stranger = Caller::new(service, "stranger", None);
    settler.call("POST", "/v1/refunds/1003", StatusCode::CREATED)?;
    reporter.call("GET", "/v1/stream?chunks=3", StatusCode::OK)?;
    reporter.give_up("/v1/slow?ms=30000")?;
    sweeper.call("GET", "/v1/fail", StatusCode::INTERNAL_SERVER_ERROR)?;
    stranger.call("POST", "/v1/refunds/6666", StatusCode::CREATED)?;
    stranger.call("GET", "/etc/passwd", StatusCode::NOT_FOUND)?;
    sweeper.call("GET", "/healthz", StatusCode::OK)
}

impl<'a> Caller<'a> {
    fn new(service: &'a Service, name: &'static str, namespace: Option<&'static str>) -> Self {
        Self { name, service_account: namespace, client: Client::builder(TokioExecutor::new()).build_http(), service }
    }

    /// Calls, and fails unless the answer has the expected status.
    fn call(&self, method: &str, path: &str, expected: StatusCode) -> Result<(), Failure> {
        let request = self.request(method, path)?;
        let status = self.service.block_on(async {
            let response = self.client.request(request).await?;
            let status = response.status();
            response.into_body().collect().await?;
            Ok::<_, Failure>(status)
        })?;
        println!("{:<9} {method:<4} {path:<20} {status}", self.name);
        if status == expected {
            Ok(())
        } else {
            Err(format!("{method} {path} was expected to answer {expected}").into())
        }
    }

    /// Calls, and hangs up before the answer comes.
    fn give_up(&self, path: &str) -> Result<(), Failure> {
        let request = self.request("GET", path)?;
        let call = async {
            // Of its own, so that dropping it closes its connection.
            let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
            tokio::time::timeout(PATIENCE, client.request(request)).await
        };
        if self.service.block_on(call).is_ok() {
            return Err(format!("GET {path} was answered too early").into());
        }
        println!("{:<9} GET  {path:<20} hangs up before the answer", self.name);
        Ok(())
    }

    fn request(&self, method: &str, path: &str) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.service.address()))
            .header(header::USER_AGENT, format!("{}/1.0", self.name));
        if let Some(namespace) = self.service_account {
            let token = token(namespace, self.name);
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match method {
            "POST" => Bytes::from_static(br#"{"cents":1250}"#),
            _ => Bytes::new(),
        };
        Ok(request.body(Full::new(body))?)
    }
}

/// A token of the shape that Kubernetes gives to service accounts. Nobody here checks signatures,
/// so it has none worth the name, and the records say `"verified":false`.
fn token(namespace: &str, name: &str) -> String {
    let header = json!({ "alg": "RS256", "kid": "demo" });
    let claims = json!({
        "aud": ["https://kubernetes.default.svc"],
        "exp": 4_102_444_800_u64,
        "iat": 1_763_900_000_u64,
        "iss": "https://kubernetes.default.svc",
        "jti": Hash::digest(name.as_bytes()).to_hex().get(..8),
        "kubernetes.io": {
            "namespace": namespace,
            "serviceaccount": { "name": name },
        },
        "sub": format!("system:serviceaccount:{namespace}:{name}"),
    });
    let part = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
    let header = part(header.to_string().as_bytes());
    let claims = part(claims.to_string().as_bytes());
    format!("{header}.{claims}.{}", part(&[0; 256]))
}

const PATIENCE: Duration = Duration::from_millis(300);
