use std::borrow::Cow;
use std::net::SocketAddr;

use audit_core::adapter;
use audit_core::identity::Metadata;
use audit_core::record::Actor;
use http::{HeaderName, HeaderValue, Uri, Version, header};

use crate::RequestHead;
use crate::settings::Settings;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A request as `audit-core` reads it.
pub(crate) struct Request<'a, R> {
    settings: &'a Settings<R>,
    head: &'a RequestHead<'a>,
    uri: &'a Uri,
    peer: Option<SocketAddr>,
}

impl<'a, R> Request<'a, R> {
    pub(crate) fn new(settings: &'a Settings<R>, head: &'a RequestHead<'a>) -> Self {
        let original = settings.original_uri.and_then(|original| original(head.extensions()));
        Self {
            settings,
            head,
            uri: original.unwrap_or_else(|| head.uri()),
            peer: settings.peer.as_ref().and_then(|peer| peer(head)),
        }
    }

    fn first(&self, name: HeaderName) -> Option<&[u8]> {
        self.head.headers().get(name).map(HeaderValue::as_bytes)
    }
}

impl<R> Metadata for Request<'_, R> {
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

    fn established(&self) -> Option<&Actor> {
        self.head.extensions().get()
    }

    fn peer_certificate(&self) -> Option<Cow<'_, [u8]>> {
        self.settings.peer_certificate.as_ref()?(self.head)
    }
}

impl<R> adapter::Request for Request<'_, R> {
    fn method(&self) -> &str {
        self.head.method().as_str()
    }

    fn path(&self) -> &str {
        self.uri.path()
    }

    fn query(&self) -> Option<&str> {
        self.uri.query()
    }

    fn authority(&self) -> Option<&str> {
        Some(self.uri.authority()?.as_str())
    }

    fn version(&self) -> Option<&'static str> {
        match self.head.version() {
            Version::HTTP_09 => Some("0.9"),
            Version::HTTP_10 => Some("1.0"),
            Version::HTTP_11 => Some("1.1"),
            Version::HTTP_2 => Some("2"),
            Version::HTTP_3 => Some("3"),
            _ => None,
        }
    }

    fn route(&self) -> Option<Cow<'_, str>> {
        self.settings.route.as_ref()?(self.head)
    }

    fn actor(&self) -> Option<Actor> {
        self.settings.actor_hooks.iter().find_map(|hook| hook(self.head.extensions()))
    }

    fn host(&self) -> Option<&[u8]> {
        self.first(header::HOST)
    }

    fn user_agent(&self) -> Option<&[u8]> {
        self.first(header::USER_AGENT)
    }

    fn content_length(&self) -> Option<&[u8]> {
        self.first(header::CONTENT_LENGTH)
    }

    fn traceparent(&self) -> Option<&[u8]> {
        let mut values = self.head.headers().get_all(TRACEPARENT).iter();
        let value = values.next()?;
        values.next().is_none().then_some(value.as_bytes())
    }

    fn has_authorization(&self) -> bool {
        self.head.headers().contains_key(header::AUTHORIZATION)
    }
}
