//! The bearer token of a request (RFC 6750 §2.1), and its parts (RFC 7515 §7.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::record::Actor;

use super::Metadata;
use super::authorization::{Authorization, several, split_scheme};

/// The longest token that is read, in bytes.
const TOKEN_LIMIT: usize = 16 * 1_024;

/// The reason given for a longer one.
pub(super) const TOO_LONG: &str = "token longer than 16 KiB";

/// The bearer token of a request, which may be of any form and length; an actor when several
/// header lines make it unclear which credential counts; `None` without one.
pub(super) fn bearer_token(metadata: &dyn Metadata) -> Option<Result<&[u8], Actor>> {
    let value = match Authorization::of(metadata) {
        Authorization::Missing => return None,
        Authorization::Several => return Some(Err(several())),
        Authorization::One(value) => value,
    };
    let (scheme, token) = split_scheme(value);
    scheme.eq_ignore_ascii_case(b"bearer").then_some(Ok(token))
}

/// What a bearer token looks like from outside.
pub(super) enum Bearer<'a> {
    TooLong,
    /// Five parts (RFC 7516 §7.1).
    Encrypted,
    /// Anything but a JSON Web Token.
    Opaque,
    Signed(SignedToken<'a>),
}

/// The three parts of a signed token, as they were sent.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "jwt"), expect(dead_code, reason = "only who verifies reads all of them"))]
pub(super) struct SignedToken<'a> {
    /// Header and payload with the dot between them: what the signature is over.
    pub(super) signed: &'a [u8],
    pub(super) header: &'a [u8],
    pub(super) payload: &'a [u8],
    pub(super) signature: &'a [u8],
}

impl<'a> Bearer<'a> {
    pub(super) fn of(token: &'a [u8]) -> Self {
        if token.len() > TOKEN_LIMIT {
            return Self::TooLong;
        }
        let mut dots = memchr::memchr_iter(b'.', token);
        match (dots.next(), dots.next(), dots.next(), dots.next(), dots.next()) {
            (Some(first), Some(second), None, ..) => {
                SignedToken::cut(token, first, second).map_or(Self::Opaque, Self::Signed)
            }
            (Some(_), Some(_), Some(_), Some(_), None) => Self::Encrypted,
            _ => Self::Opaque,
        }
    }
}

impl<'a> SignedToken<'a> {
    fn cut(token: &'a [u8], first: usize, second: usize) -> Option<Self> {
        Some(Self {
            signed: token.get(..second)?,
            header: token.get(..first)?,
            payload: token.get(first + 1..second)?,
            signature: token.get(second + 1..)?,
        })
    }
}

/// Strict base64url without padding (RFC 7515 §2): no other character, no stray bits at the end,
/// so that a value has one spelling. Not in constant time: what is decoded is no secret.
pub(super) fn decode(part: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}
