use base64ct::{Base64UrlUnpadded, Encoding};

use crate::record::Actor;

use super::authorization::{Authorization, several, split_scheme};
use super::claims::Claims;
use super::classify::classify;
use super::{Identify, Metadata};

/// The longest token that is read, in bytes.
const TOKEN_LIMIT: usize = 16 * 1_024;

/// The claims of a bearer token (RFC 6750 §2.1), read without checking its signature.
///
/// The actor is what the token claims to be, and `verified` is `false`: it can be recorded, and
/// never matches a rule's `actors` or `actor_ids`. `auth` is `jwt`, `credential` the token's `jti`;
/// neither the token nor its signature is kept. Kubernetes service-account tokens, bound and
/// legacy, and the access and identity tokens of the usual OpenID Connect issuers are told apart
/// by their claims.
///
/// A token longer than 16 KiB, or one that is not a JSON Web Token, makes an unknown actor whose
/// `reason` says so. Says nothing about requests without a bearer token.
#[derive(Clone, Copy, Debug, Default)]
pub struct JwtClaims;

impl Identify for JwtClaims {
    fn identify(&self, metadata: &dyn Metadata) -> Option<Actor> {
        let value = match Authorization::of(metadata) {
            Authorization::Missing => return None,
            Authorization::Several => return Some(several()),
            Authorization::One(value) => value,
        };
        let (scheme, token) = split_scheme(value);
        if !scheme.eq_ignore_ascii_case(b"bearer") {
            return None;
        }
        Some(actor_of(token).unwrap_or_else(|reason| Actor::unknown().reason(reason)).auth("jwt"))
    }
}

fn actor_of(token: &[u8]) -> Result<Actor, &'static str> {
    if token.len() > TOKEN_LIMIT {
        return Err("token longer than 16 KiB");
    }
    let payload = payload_of(token)?;
    let json = decode(payload).ok_or("malformed token: payload is not base64url")?;
    let claims = Claims::parse(&json).ok_or("malformed token: claims are not a JSON object")?;
    Ok(classify(&claims))
}

/// The middle one of the three parts of a signed token (RFC 7515 §7.1).
fn payload_of(token: &[u8]) -> Result<&[u8], &'static str> {
    let mut parts = token.split(|byte| *byte == b'.');
    match [parts.next(), parts.next(), parts.next(), parts.next(), parts.next()] {
        [Some(_), Some(payload), Some(_), None, None] => Ok(payload),
        [Some(_), Some(_), Some(_), Some(_), Some(_)] if parts.next().is_none() => Err("encrypted token"),
        _ => Err("not a JSON Web Token"),
    }
}

fn decode(payload: &[u8]) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(str::from_utf8(payload).ok()?).ok()
}
