//! From a request to the event that its intent records.

use std::borrow::Cow;
use std::cell::Cell;

use super::{Dialect, Request, Settings};
use crate::identity::{Established, Identify};
use crate::log::Begin;
use crate::record::{Actor, Event, Http, Protocol, Rpc};

/// A buffer that has grown beyond this is given back to the allocator.
const SCRATCH_LIMIT: usize = 4_096;

thread_local! {
    /// Where actions are put together, so that none is allocated.
    static SCRATCH: Cell<String> = const { Cell::new(String::new()) };
}

/// Starts recording the intent of a request.
pub(super) fn begin<R: Request>(settings: &Settings, request: &R) -> Begin {
    let mut scratch = SCRATCH.take();
    scratch.clear();
    let path = path(request);
    let mut event = match settings.dialect {
        Dialect::Http => {
            let route = request.route();
            scratch.push_str(request.method());
            scratch.push(' ');
            scratch.push_str(route.as_deref().unwrap_or(path));
            Event::action(scratch.as_str()).resource(path).protocol(Protocol::Http(http(settings, request)))
        }
        Dialect::Grpc => {
            let protocol = Protocol::Rpc(rpc(settings, request));
            Event::action(path.strip_prefix('/').unwrap_or(path)).protocol(protocol)
        }
    };
    event = event.method(request.method()).path(path);
    event = match request.established() {
        Some(established) if established.verified => event.actor_ref(established),
        Some(_) => event.actor(Established.identify(request).unwrap_or_else(Actor::unknown)),
        None => event.actor(actor(settings, request)),
    };
    if let Some(source) = settings.trusted_proxies.source(request) {
        event = event.source(source);
    }
    if let Some(trace) = request.traceparent().and_then(|trace| str::from_utf8(trace).ok()) {
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
fn path<R: Request>(request: &R) -> &str {
    match (request.path(), request.authority()) {
        ("", Some(authority)) => without_credentials(authority),
        (path, _) => path,
    }
}

fn actor<R: Request>(settings: &Settings, request: &R) -> Actor {
    (request.actor()).or_else(|| settings.identify.identify(request)).unwrap_or_else(|| {
        match request.has_authorization() {
            true => Actor::unknown(),
            false => Actor::unauthenticated(),
        }
    })
}

fn http<'a, R: Request>(settings: &'a Settings, request: &'a R) -> Http<'a> {
    Http {
        version: request.version(),
        host: host(request),
        user_agent: request.user_agent().map(String::from_utf8_lossy),
        headers: settings.allow_list.headers(request),
        query: request.query().map(|query| settings.allow_list.query(query)).unwrap_or_default(),
    }
}

fn rpc<'a, R: Request>(settings: &'a Settings, request: &'a R) -> Rpc<'a> {
    Rpc {
        system: "grpc",
        host: host(request),
        user_agent: request.user_agent().map(String::from_utf8_lossy),
        metadata: settings.allow_list.headers(request),
    }
}

fn host<R: Request>(request: &R) -> Option<Cow<'_, str>> {
    match request.authority() {
        Some(authority) => Some(Cow::Borrowed(without_credentials(authority))),
        None => request.host().map(|host| {
            let userinfo = host.iter().rposition(|byte| *byte == b'@').map_or(0, |at| at + 1);
            String::from_utf8_lossy(host.get(userinfo..).unwrap_or_default())
        }),
    }
}

/// An authority without user and password, which nobody should send and some do (RFC 9110 §4.2.4).
fn without_credentials(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}
