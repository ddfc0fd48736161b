//! The `Authorization` header (RFC 9110 §11.6.2): a scheme, and credentials that are never kept.

use crate::record::Actor;

use super::{Identify, Metadata};

/// The longest scheme that is recorded, in bytes.
const SCHEME_LIMIT: usize = 32;

/// What the `Authorization` header lines of a request hold.
pub(super) enum Authorization<'a> {
    Missing,
    /// More than one line: whoever checks it may check another one than whoever reads it.
    Several,
    One(&'a [u8]),
}

impl<'a> Authorization<'a> {
    pub(super) fn of(metadata: &'a dyn Metadata) -> Self {
        let Some(value) = metadata.header("authorization") else {
            return Self::Missing;
        };
        let mut lines = 0_usize;
        metadata.each_header("authorization", &mut |_| lines = lines.saturating_add(1));
        if lines > 1 { Self::Several } else { Self::One(value) }
    }
}

/// Scheme and credentials of a value. The scheme is in the case it was sent in.
pub(super) fn split_scheme(value: &[u8]) -> (&[u8], &[u8]) {
    let value = value.trim_ascii();
    let end = value.iter().position(u8::is_ascii_whitespace);
    let (scheme, credentials) = value.split_at_checked(end.unwrap_or(value.len())).unwrap_or((value, &[]));
    (scheme, credentials.trim_ascii_start())
}

/// Anybody with an `Authorization` header: an unknown actor, known by the name of the scheme.
///
/// The scheme is recorded in lower case, if it is a token of at most 32 bytes (RFC 9110 §11.1);
/// anything else could be a credential without a scheme, and is called `malformed`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuthorizationScheme;

impl Identify for AuthorizationScheme {
    fn identify(&self, metadata: &dyn Metadata) -> Option<Actor> {
        match Authorization::of(metadata) {
            Authorization::Missing => None,
            Authorization::Several => Some(several()),
            Authorization::One(value) => Some(match scheme_name(value) {
                Some(scheme) => Actor::unknown().auth(scheme),
                None => Actor::unknown().reason("malformed Authorization header"),
            }),
        }
    }
}

/// The actor of a request with several `Authorization` lines.
pub(super) fn several() -> Actor {
    Actor::unknown().reason("several Authorization headers")
}

/// The scheme in lower case; `None` when the value has no credentials after a well-formed scheme.
fn scheme_name(value: &[u8]) -> Option<String> {
    let (scheme, credentials) = split_scheme(value);
    let is_scheme = scheme.first()?.is_ascii_alphabetic()
        && scheme.len() <= SCHEME_LIMIT
        && (scheme.iter()).all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte));
    // A lone word may be a key that somebody sent without a scheme.
    if !is_scheme || credentials.is_empty() {
        return None;
    }
    let scheme = str::from_utf8(scheme).ok()?;
    Some(scheme.to_ascii_lowercase())
}
