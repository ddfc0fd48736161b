//! A request made by hand.

use std::borrow::Cow;
use std::net::SocketAddr;

use audit_core::identity::Metadata;
use audit_core::record::Actor;

/// The metadata of a request that was never sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) established: Option<Actor>,
    pub(crate) peer_certificate: Option<Vec<u8>>,
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

    fn peer_certificate(&self) -> Option<Cow<'_, [u8]>> {
        self.peer_certificate.as_deref().map(Cow::Borrowed)
    }
}
