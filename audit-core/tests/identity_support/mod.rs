//! A request made by hand, and tokens nobody signed.

use base64ct::{Base64UrlUnpadded, Encoding};

mod request;

pub(crate) use request::Request;

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
