//! The metadata of a made-up request.

use std::net::SocketAddr;

use audit_core::identity::Metadata;

/// Header lines of one name, from one peer.
pub(crate) struct Request<'a> {
    pub(crate) name: &'static str,
    pub(crate) lines: Vec<&'a [u8]>,
    pub(crate) peer: Option<SocketAddr>,
}

impl Metadata for Request<'_> {
    fn header(&self, name: &str) -> Option<&[u8]> {
        self.lines.first().copied().filter(|_| name.eq_ignore_ascii_case(self.name))
    }

    fn each_header(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        if name.eq_ignore_ascii_case(self.name) {
            self.lines.iter().for_each(|line| visit(line));
        }
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }
}
