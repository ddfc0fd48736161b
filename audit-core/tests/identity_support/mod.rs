//! A request made by hand, and tokens nobody signed.

use std::net::SocketAddr;

use audit_core::identity::Metadata;
use audit_core::record::Actor;
use base64ct::{Base64UrlUnpadded, Encoding};

/// The metadata of a request that was never sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) established: Option<Actor>,
}

impl Request {
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }
}

impl Metadata for Request {
    fn header(&self, name: &str) -> Option<&[u8]> {
        let mut lines = self.headers.iter();
        let line = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
        line.map(|(_, value)| value.as_slice())
    }

    fn each_header(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        for (known, value) in &self.headers {
            if known.eq_ignore_ascii_case(name) {
                visit(value);
            }
        }
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    fn established(&self) -> Option<&Actor> {
        self.established.as_ref()
    }
}

/// The signature of every token made here; it must never be seen again.
pub(crate) const SIGNATURE: &str = "c2lnbmF0dXJlLW5vYm9keS1tYXkta2VlcA";

/// A token with this payload.
pub(crate) fn token(payload: impl AsRef<[u8]>) -> String {
    let header = Base64UrlUnpadded::encode_string(br#"{"alg":"RS256","typ":"JWT"}"#);
    let payload = Base64UrlUnpadded::encode_string(payload.as_ref());
    format!("{header}.{payload}.{SIGNATURE}")
}

/// A request with a bearer token of this payload.
pub(crate) fn bearer(payload: impl AsRef<[u8]>) -> Request {
    Request::default().with("authorization", format!("Bearer {}", token(payload)))
}
