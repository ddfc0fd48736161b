use crate::record::Actor;

use super::bearer::{Bearer, TOO_LONG, bearer_token, decode};
use super::claims::Claims;
use super::classify::classify;
use super::{Identify, Metadata};

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
        let token = match bearer_token(metadata)? {
            Ok(token) => token,
            Err(actor) => return Some(actor),
        };
        Some(actor_of(token).unwrap_or_else(|reason| Actor::unknown().reason(reason)).auth("jwt"))
    }
}

fn actor_of(token: &[u8]) -> Result<Actor, &'static str> {
    let token = match Bearer::of(token) {
        Bearer::Signed(token) => token,
        Bearer::TooLong => return Err(TOO_LONG),
        Bearer::Encrypted => return Err("encrypted token"),
        Bearer::Opaque => return Err("not a JSON Web Token"),
    };
    let json = decode(token.payload).ok_or("malformed token: payload is not base64url")?;
    let claims = Claims::parse(&json).ok_or("malformed token: claims are not a JSON object")?;
    classify(&claims)
}
