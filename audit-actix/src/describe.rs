//! From a request to the event that its intent records.

use std::borrow::Cow;
use std::net::SocketAddr;

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Uri, Version};
use audit_core::identity::Metadata;
use audit_core::log::Begin;
use audit_core::record::{Actor, Event, Http, Protocol};

use crate::middleware::Settings;

/// Starts recording the intent of a request.
pub(crate) fn begin(settings: &Settings, request: &ServiceRequest) -> Begin {
    let path = path(request.uri());
    let pattern = request.match_pattern();
    let method = request.method().as_str();
    let mut action = String::with_capacity(64);
    action.push_str(method);
    action.push(' ');
    action.push_str(pattern.as_deref().unwrap_or(path));
    let extensions = request.extensions();
    let metadata = RequestMetadata { headers: request.headers(), peer: request.peer_addr() };
    let mut event = Event::action(action)
        .resource(path)
        .protocol(Protocol::Http(http(settings, &metadata, request)))
        .method(method)
        .path(path);
    event = match extensions.get::<Actor>() {
        Some(established) if established.verified => event.actor_ref(established),
        // The host put it there: that is its word that the caller is who it says.
        Some(established) => event.actor(established.clone().verified()),
        None => event.actor(actor(settings, &metadata)),
    };
    if let Some(source) = settings.trusted_proxies.source(&metadata) {
        event = event.source(source);
    }
    if let Some(trace) = traceparent(request.headers()) {
        event = event.trace(trace);
    }
    settings.log.begin(&event)
}

/// The path of a request; of `CONNECT`, which has none, the authority (RFC 9110 §9.3.6).
fn path(uri: &Uri) -> &str {
    match (uri.path(), uri.authority()) {
        ("", Some(authority)) => authority.as_str(),
        (path, _) => path,
    }
}

fn actor(settings: &Settings, metadata: &RequestMetadata<'_>) -> Actor {
    settings.identify.identify(metadata).unwrap_or_else(|| match metadata.headers.get(header::AUTHORIZATION) {
        Some(_) => Actor::unknown(),
        None => Actor::unauthenticated(),
    })
}

fn http<'a>(settings: &'a Settings, metadata: &RequestMetadata<'_>, request: &'a ServiceRequest) -> Http<'a> {
    let mut http = Http::default();
    http.version = version(request.version());
    http.host = match request.uri().authority() {
        Some(authority) => Some(Cow::Borrowed(authority.as_str())),
        None => request.headers().get(header::HOST).map(text),
    };
    http.user_agent = request.headers().get(header::USER_AGENT).map(text);
    http.headers = settings.allow_list.headers(metadata);
    if let Some(query) = request.uri().query() {
        http.query = settings.allow_list.query(query);
    }
    http
}

fn version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_09 => Some("0.9"),
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        Version::HTTP_3 => Some("3"),
        _ => None,
    }
}

/// The one `traceparent`; several mean none (W3C Trace Context §3.2).
fn traceparent(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all("traceparent");
    let value = values.next()?;
    match values.next() {
        None => value.to_str().ok(),
        Some(_) => None,
    }
}

/// A header value as text; what is not UTF-8 becomes U+FFFD.
fn text(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

/// What identity sources may look at.
struct RequestMetadata<'a> {
    headers: &'a HeaderMap,
    peer: Option<SocketAddr>,
}

impl Metadata for RequestMetadata<'_> {
    fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.get(name).map(HeaderValue::as_bytes)
    }

    fn each_header(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        for value in self.headers.get_all(name) {
            visit(value.as_bytes());
        }
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }
}
