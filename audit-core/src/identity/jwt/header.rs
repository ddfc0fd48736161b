use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};

use super::algorithm::JwtAlgorithm;
use super::refusal::Refusal;

/// The header of a signed token (RFC 7515 §4.1), as far as it matters. Members that would fetch or
/// carry a key (`jku`, `jwk`, `x5u`, `x5c`) are never followed.
pub(super) struct Header<'a> {
    pub(super) algorithm: JwtAlgorithm,
    pub(super) key_id: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow, default)]
    kid: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    typ: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

/// True for whatever value there is, `null` too.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl<'a> Header<'a> {
    pub(super) fn parse(json: &'a [u8]) -> Result<Self, Refusal> {
        // A sequence would be taken for the members in the order of their declaration.
        let is_object = json.trim_ascii_start().first() == Some(&b'{');
        let members: Option<Members<'a>> = is_object.then(|| serde_json::from_slice(json).ok()).flatten();
        let members = members.ok_or(Refusal::MalformedHeader)?;
        if members.crit {
            return Err(Refusal::Critical);
        }
        if !members.typ.is_none_or(|kind| is_token_type(&kind)) {
            return Err(Refusal::Type);
        }
        if members.alg.eq_ignore_ascii_case("none") {
            return Err(Refusal::AlgorithmNone);
        }
        let algorithm = JwtAlgorithm::from_name(&members.alg).ok_or(Refusal::Algorithm)?;
        Ok(Self { algorithm, key_id: members.kid })
    }
}

/// The types that say "this is to be shown as a credential" (RFC 7519 §5.1, RFC 9068 §2.1,
/// JWT-SVID §2.3). Others, such as `logout+jwt`, are for something else (RFC 8725 §3.11).
fn is_token_type(kind: &str) -> bool {
    ["JWT", "at+jwt", "application/at+jwt", "JOSE"].iter().any(|known| kind.eq_ignore_ascii_case(known))
}
