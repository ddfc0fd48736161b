use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::time::SystemTime;

use super::{ActivityId, Actor, Value};

/// Where a call came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source {
    /// The address of the caller, as far as trusted proxies tell.
    pub ip: IpAddr,
    /// The caller's port, where the connection is the caller's own.
    pub port: Option<u16>,
}

impl Source {
    /// A caller known by address only.
    #[must_use]
    pub const fn new(ip: IpAddr) -> Self {
        Self { ip, port: None }
    }
}

impl From<SocketAddr> for Source {
    fn from(address: SocketAddr) -> Self {
        Self { ip: address.ip(), port: Some(address.port()) }
    }
}

/// What is recorded of an HTTP request besides action and resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Http<'a> {
    /// `1.0`, `1.1`, `2` or `3`.
    pub version: Option<&'a str>,
    /// The authority the request was sent to.
    pub host: Option<Cow<'a, str>>,
    /// The `user-agent` header.
    pub user_agent: Option<Cow<'a, str>>,
    /// Headers on the allow-list, names in lower case.
    pub headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Query parameters on the allow-list, undecoded.
    pub query: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// What is recorded of a remote procedure call besides action and resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rpc<'a> {
    /// The protocol: `grpc`, `grpc-web`.
    pub system: &'a str,
    /// The authority the call was sent to.
    pub host: Option<Cow<'a, str>>,
    /// The `user-agent` metadata.
    pub user_agent: Option<Cow<'a, str>>,
    /// Metadata on the allow-list, names in lower case.
    pub metadata: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// What is recorded of an annotated function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Span<'a> {
    /// The name of the span.
    pub name: &'a str,
    /// The module path or other target.
    pub target: &'a str,
    /// The source file.
    pub file: Option<&'a str>,
    /// The line in `file`.
    pub line: Option<u32>,
}

/// By which door a call came in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol<'a> {
    /// None of the others.
    #[default]
    None,
    /// An HTTP request.
    Http(Http<'a>),
    /// A remote procedure call.
    Rpc(Rpc<'a>),
    /// An annotated function.
    Span(Span<'a>),
}

/// Something about to happen, or that happened: what an adapter knows before the handler runs.
///
/// Borrows from the request; it is encoded before the request moves on.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    pub(crate) id: Option<ActivityId>,
    pub(crate) time: Option<SystemTime>,
    pub(crate) parent: Option<ActivityId>,
    pub(crate) actor: Cow<'a, Actor>,
    pub(crate) action: Cow<'a, str>,
    pub(crate) resource: Option<Cow<'a, str>>,
    pub(crate) source: Option<Source>,
    pub(crate) protocol: Protocol<'a>,
    pub(crate) trace: Option<Cow<'a, str>>,
    pub(crate) attributes: Vec<(Cow<'a, str>, Value<'a>)>,
    pub(crate) method: Option<Cow<'a, str>>,
    pub(crate) path: Option<Cow<'a, str>>,
}

impl<'a> Event<'a> {
    /// An event named by what is done, e.g. `ledger.rotate` or `POST /v1/refunds/{id}`.
    ///
    /// The actor is [`Actor::unknown`] until [`actor`](Self::actor) says more.
    #[must_use]
    pub fn action(action: impl Into<Cow<'a, str>>) -> Self {
        Self {
            id: None,
            time: None,
            parent: None,
            actor: Cow::Owned(Actor::unknown()),
            action: action.into(),
            resource: None,
            source: None,
            protocol: Protocol::None,
            trace: None,
            attributes: Vec::new(),
            method: None,
            path: None,
        }
    }

    /// Sets its identifier: for an event that had one before it came to the log, such as a row of an
    /// outbox. Without it, the log makes one. Whoever sets it answers for it being used once.
    #[must_use]
    pub fn id(mut self, id: ActivityId) -> Self {
        self.id = Some(id);
        self
    }

    /// Sets when it happened. Without it, the time at which the log takes the event.
    #[must_use]
    pub fn time(mut self, time: SystemTime) -> Self {
        self.time = Some(time);
        self
    }

    /// Sets the enclosing activity. Without it, the current one of the thread, if any.
    #[must_use]
    pub fn parent(mut self, parent: ActivityId) -> Self {
        self.parent = Some(parent);
        self
    }

    /// Sets who does it.
    #[must_use]
    pub fn actor(mut self, actor: Actor) -> Self {
        self.actor = Cow::Owned(actor);
        self
    }

    /// Sets who does it, without copying.
    #[must_use]
    pub fn actor_ref(mut self, actor: &'a Actor) -> Self {
        self.actor = Cow::Borrowed(actor);
        self
    }

    /// Sets on what it is done.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<Cow<'a, str>>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// Sets where the call came from.
    #[must_use]
    pub fn source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Sets by which door it came in.
    #[must_use]
    pub fn protocol(mut self, protocol: Protocol<'a>) -> Self {
        self.protocol = protocol;
        self
    }

    /// Sets the W3C `traceparent`. Recorded only when it is well-formed (Trace Context §3.2).
    #[must_use]
    pub fn trace(mut self, traceparent: impl Into<Cow<'a, str>>) -> Self {
        self.trace = Some(traceparent.into());
        self
    }

    /// Adds an attribute. A name given twice is recorded once, with the last value.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) -> Self {
        let name = name.into();
        self.attributes.retain(|(known, _)| *known != name);
        self.attributes.push((name, value.into()));
        self
    }

    /// Sets the method that policy rules match. Not recorded by itself.
    #[must_use]
    pub fn method(mut self, method: impl Into<Cow<'a, str>>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Sets the raw, undecoded, original path that policy rules match. Not recorded by itself.
    #[must_use]
    pub fn path(mut self, path: impl Into<Cow<'a, str>>) -> Self {
        self.path = Some(path.into());
        self
    }
}
