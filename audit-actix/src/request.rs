use std::borrow::Cow;
use std::cell::Ref;
use std::net::SocketAddr;

use actix_web::HttpMessage;
use actix_web::dev::{Extensions, ServiceRequest};
use actix_web::http::Version;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use audit_core::adapter;
use audit_core::identity::Metadata;
use audit_core::record::Actor;

use crate::settings::Settings;

/// A request as `audit-core` reads it.
pub(crate) struct Request<'a> {
    settings: &'a Settings,
    request: &'a ServiceRequest,
    extensions: Ref<'a, Extensions>,
    peer: Option<SocketAddr>,
}

impl<'a> Request<'a> {
    pub(crate) fn new(settings: &'a Settings, request: &'a ServiceRequest) -> Self {
        Self { settings, request, extensions: request.extensions(), peer: request.peer_addr() }
    }

    fn first(&self, name: &HeaderName) -> Option<&[u8]> {
        self.request.headers().get(name).map(HeaderValue::as_bytes)
    }
}

impl Metadata for Request<'_> {
    fn header(&self, name: &str) -> Option<&[u8]> {
        self.request.headers().get(name).map(HeaderValue::as_bytes)
    }

    fn each_header(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        for value in self.request.headers().get_all(name) {
            visit(value.as_bytes());
        }
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    fn established(&self) -> Option<&Actor> {
        self.extensions.get()
    }

    fn peer_certificate(&self) -> Option<Cow<'_, [u8]>> {
        self.settings.peer_certificate.as_ref()?(self.request)
    }
}

impl adapter::Request for Request<'_> {
    fn method(&self) -> &str {
        self.request.method().as_str()
    }

    fn path(&self) -> &str {
        self.request.uri().path()
    }

    fn query(&self) -> Option<&str> {
        self.request.uri().query()
    }

    fn authority(&self) -> Option<&str> {
        Some(self.request.uri().authority()?.as_str())
    }

    fn version(&self) -> Option<&'static str> {
        match self.request.version() {
            Version::HTTP_09 => Some("0.9"),
            Version::HTTP_10 => Some("1.0"),
            Version::HTTP_11 => Some("1.1"),
            Version::HTTP_2 => Some("2"),
            Version::HTTP_3 => Some("3"),
            _ => None,
        }
    }

    fn route(&self) -> Option<Cow<'_, str>> {
        self.request.match_pattern().map(Cow::Owned)
    }

    fn actor(&self) -> Option<Actor> {
        self.settings.actor_hooks.iter().find_map(|hook| hook(&self.extensions))
    }

    fn host(&self) -> Option<&[u8]> {
        self.first(&header::HOST)
    }

    fn user_agent(&self) -> Option<&[u8]> {
        self.first(&header::USER_AGENT)
    }

    fn content_length(&self) -> Option<&[u8]> {
        self.first(&header::CONTENT_LENGTH)
    }

    fn has_authorization(&self) -> bool {
        self.request.headers().contains_key(&header::AUTHORIZATION)
    }
}
