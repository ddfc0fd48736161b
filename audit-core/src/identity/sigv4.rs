use crate::record::{Actor, ActorType};

use super::authorization::{Authorization, several, split_scheme};
use super::{Identify, Metadata};

/// The longest access key id, in bytes (AWS IAM, data type `AccessKey`).
const ID_LIMIT: usize = 128;

/// The access key id of a request that is signed as AWS does it: `Authorization:
/// AWS4-HMAC-SHA256 Credential=…` (Signature Version 4), or `AWS4-ECDSA-P256-SHA256` (4A).
///
/// The signature is not checked: that takes the secret key, which only the service has that issued
/// it. So the actor is what the request claims, and `verified` is `false`. `id` and `credential` are
/// the access key id, which is no secret. A long-term key (`AKIA…`) is of type `api_key`; a temporary
/// one (`ASIA…`) can be a role's or a human's, so its type is unknown, as for other issuers' keys.
///
/// Without a well-formed `Credential` the actor is unknown, with a `reason`. Says nothing about
/// requests with other schemes, nor about presigned URLs: query strings are not read.
#[derive(Clone, Copy, Debug, Default)]
pub struct SigV4;

impl Identify for SigV4 {
    fn identify(&self, metadata: &dyn Metadata) -> Option<Actor> {
        let value = match Authorization::of(metadata) {
            Authorization::Missing => return None,
            Authorization::Several => return Some(several()),
            Authorization::One(value) => value,
        };
        let (scheme, parameters) = split_scheme(value);
        let is_signed = [b"AWS4-HMAC-SHA256".as_slice(), b"AWS4-ECDSA-P256-SHA256"].contains(&scheme);
        is_signed.then(|| actor_of(parameters).unwrap_or_else(malformed).auth("sigv4"))
    }
}

fn malformed() -> Actor {
    Actor::unknown().reason("malformed SigV4 Credential")
}

fn actor_of(parameters: &[u8]) -> Option<Actor> {
    let mut credentials =
        parameters.split(|byte| *byte == b',').filter_map(|one| one.trim_ascii().strip_prefix(b"Credential="));
    let credential = str::from_utf8(credentials.next()?).ok()?;
    // With two of them, who checks may read the other one.
    if credentials.next().is_some() {
        return None;
    }
    // The id, a day, a region (not in 4A), a service, and the constant.
    let (id, scope) = credential.split_once('/')?;
    let is_scope = scope.ends_with("/aws4_request") && matches!(scope.split('/').count(), 3 | 4);
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if !is_scope || id.is_empty() || id.len() > ID_LIMIT || !id.bytes().all(is_id) {
        return None;
    }
    let kind = if id.starts_with("AKIA") { ActorType::ApiKey } else { ActorType::Unknown };
    Some(Actor::new(kind).id(id).credential(id))
}
