//! From a request to the event that its intent records.

use std::borrow::Cow;
use std::cell::Cell;
use std::net::SocketAddr;

use audit_core::identity::Metadata;
use audit_core::log::Begin;
use audit_core::record::{Actor, Event, Http, Protocol, Rpc};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, Version, header};

use crate::RequestHead;
use crate::dialect::Dialect;
use crate::settings::Settings;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// A buffer that has grown beyond this is given back to the allocator.
const SCRATCH_LIMIT: usize = 4_096;

thread_local! {
    /// Where actions are put together, so that none is allocated.
    static SCRATCH: Cell<String> = const { Cell::new(String::new()) };
}

/// Starts recording the intent of a request.
pub(crate) fn begin<R>(settings: &Settings<R>, head: &RequestHead<'_>) -> Begin {
    let uri = settings.original_uri.and_then(|original| original(head.extensions())).unwrap_or_else(|| head.uri());
    let path = path(uri);
    let metadata = HeadMetadata { head, peer: settings.peer.as_ref().and_then(|peer| peer(head)) };
    let mut scratch = SCRATCH.take();
    let event = match settings.dialect {
        Dialect::Http => {
            let template = settings.route.as_ref().and_then(|route| route(head));
            scratch.clear();
            scratch.push_str(head.method().as_str());
            scratch.push(' ');
            scratch.push_str(template.as_deref().unwrap_or(path));
            Event::action(scratch.as_str()).resource(path).protocol(Protocol::Http(http(settings, &metadata, uri)))
        }
        Dialect::Grpc => {
            Event::action(path.strip_prefix('/').unwrap_or(path)).protocol(Protocol::Rpc(rpc(settings, &metadata)))
        }
    };
    let mut event = event.method(head.method().as_str()).path(path);
    event = match head.extensions().get::<Actor>() {
        Some(established) if established.verified => event.actor_ref(established),
        // The host put it there: that is its word that the caller is who it says.
        Some(established) => event.actor(established.clone().verified()),
        None => event.actor(actor(settings, &metadata)),
    };
    if let Some(source) = settings.trusted_proxies.source(&metadata) {
        event = event.source(source);
    }
    if let Some(trace) = traceparent(head.headers()) {
        event = event.trace(trace);
    }
    let begin = settings.log.begin(&event);
    drop(event);
    if scratch.capacity() <= SCRATCH_LIMIT {
        SCRATCH.set(scratch);
    }
    begin
}

/// The path of a request; of `CONNECT`, which has none, the authority (RFC 9110 §9.3.6).
fn path(uri: &Uri) -> &str {
    match (uri.path(), uri.authority()) {
        ("", Some(authority)) => authority.as_str(),
        (path, _) => path,
    }
}

fn actor<R>(settings: &Settings<R>, metadata: &HeadMetadata<'_>) -> Actor {
    let head = metadata.head;
    settings
        .actor_hooks
        .iter()
        .find_map(|hook| hook(head.extensions()))
        .or_else(|| settings.identify.identify(metadata))
        .unwrap_or_else(|| match head.headers().get(header::AUTHORIZATION) {
            Some(_) => Actor::unknown(),
            None => Actor::unauthenticated(),
        })
}

fn http<'a, R>(settings: &'a Settings<R>, metadata: &HeadMetadata<'a>, uri: &'a Uri) -> Http<'a> {
    let mut http = Http::default();
    http.version = version(metadata.head.version());
    http.host = host(metadata.head);
    http.user_agent = metadata.head.headers().get(header::USER_AGENT).map(text);
    http.headers = settings.allow_list.headers(metadata);
    if let Some(query) = uri.query() {
        http.query = settings.allow_list.query(query);
    }
    http
}

fn rpc<'a, R>(settings: &'a Settings<R>, metadata: &HeadMetadata<'a>) -> Rpc<'a> {
    let mut rpc = Rpc::default();
    rpc.system = "grpc";
    rpc.host = host(metadata.head);
    rpc.user_agent = metadata.head.headers().get(header::USER_AGENT).map(text);
    rpc.metadata = settings.allow_list.headers(metadata);
    rpc
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

fn host<'a>(head: &RequestHead<'a>) -> Option<Cow<'a, str>> {
    match head.uri().authority() {
        Some(authority) => Some(Cow::Borrowed(authority.as_str())),
        None => head.headers().get(header::HOST).map(text),
    }
}

/// The one `traceparent`; several mean none (W3C Trace Context §3.2).
fn traceparent(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(TRACEPARENT).iter();
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
struct HeadMetadata<'a> {
    head: &'a RequestHead<'a>,
    peer: Option<SocketAddr>,
}

impl Metadata for HeadMetadata<'_> {
    fn header(&self, name: &str) -> Option<&[u8]> {
        self.head.headers().get(name).map(HeaderValue::as_bytes)
    }

    fn each_header(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        for value in self.head.headers().get_all(name) {
            visit(value.as_bytes());
        }
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }
}
