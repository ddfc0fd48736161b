use std::borrow::Cow;
use std::net::SocketAddr;

use crate::record::Actor;

/// What is known about a request before its handler runs. Adapters implement it.
pub trait Metadata {
    /// The value of the first header line called `name`, in any case. Bytes, because a header
    /// value need not be UTF-8 (RFC 9110 §5.5).
    fn header(&self, name: &str) -> Option<&[u8]>;

    /// Calls `visit` with the value of each header line called `name`, in the order received.
    fn each_header(&self, name: &str, visit: &mut dyn FnMut(&[u8]));

    /// The other end of the connection, if it has an address.
    fn peer(&self) -> Option<SocketAddr>;

    /// The actor that the host's own authentication established for this request, if any: never
    /// something that a caller can send.
    fn established(&self) -> Option<&Actor> {
        None
    }

    /// The leaf certificate (DER) that the caller showed in the TLS handshake, if that handshake
    /// checked it: never one that came in a header.
    fn peer_certificate(&self) -> Option<Cow<'_, [u8]>> {
        None
    }
}
