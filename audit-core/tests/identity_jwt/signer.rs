//! Somebody who signs tokens.

use std::time::SystemTime;

use audit_core::identity::{Identify, JwtIssuer, JwtVerifier};
use audit_core::record::{Actor, ActorType};
use base64ct::{Base64UrlUnpadded, Encoding};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256};
use serde_json::{Value, json};

use super::request::Request;

/// The issuer and audience of tokens where it does not matter which.
pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const AUDIENCE: &str = "payments";

/// A key with its public half.
pub(crate) struct Signer {
    pub(crate) algorithm: Algorithm,
    pub(crate) jwk: Value,
    key: EncodingKey,
}

impl Signer {
    /// A new key for an algorithm, called by its name.
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        let name = format!("{algorithm:?}");
        Self::with_id(algorithm, &name)
    }

    pub(crate) fn with_id(algorithm: Algorithm, id: &str) -> Self {
        let (key, mut jwk) = match algorithm {
            Algorithm::ES256 => elliptic(&KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(), "P-256"),
            Algorithm::ES384 => elliptic(&KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap(), "P-384"),
            Algorithm::EdDSA => edwards(&KeyPair::generate_for(&PKCS_ED25519).unwrap()),
            _ => rsa(&KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap(), algorithm),
        };
        jwk["kid"] = json!(id);
        Self { algorithm, jwk, key }
    }

    /// A token with this header and this payload, whatever they are.
    pub(crate) fn sign_bytes(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        let part = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
        let message = format!("{}.{}", part(header.as_ref()), part(payload.as_ref()));
        let signature = crypto::sign(message.as_bytes(), &self.key, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }

    pub(crate) fn header(&self) -> Value {
        json!({"alg": format!("{:?}", self.algorithm), "kid": self.jwk["kid"]})
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_bytes(self.header().to_string(), claims.to_string())
    }

    /// The key set of an issuer with this key only.
    pub(crate) fn jwks(&self) -> Vec<u8> {
        jwks([self])
    }

    /// A verifier of this key's tokens.
    pub(crate) fn verifier(&self) -> JwtVerifier {
        let issuer = JwtIssuer::new(ISSUER).audience(AUDIENCE).jwks(self.jwks()).unwrap();
        JwtVerifier::builder().issuer(issuer).build().unwrap()
    }
}

fn elliptic(pair: &KeyPair, curve: &str) -> (EncodingKey, Value) {
    let (x, y) = pair.public_key_raw()[1..].split_at(pair.public_key_raw().len() / 2);
    let part = Base64UrlUnpadded::encode_string;
    let jwk = json!({"kty": "EC", "crv": curve, "x": part(x), "y": part(y)});
    (EncodingKey::from_ec_der(&pair.serialize_der()), jwk)
}

fn edwards(pair: &KeyPair) -> (EncodingKey, Value) {
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": Base64UrlUnpadded::encode_string(pair.public_key_raw())});
    (EncodingKey::from_ed_der(&pair.serialize_der()), jwk)
}

fn rsa(pair: &KeyPair, algorithm: Algorithm) -> (EncodingKey, Value) {
    // The PKCS#1 key lies in the last octet string of the PKCS#8 one.
    let key = EncodingKey::from_rsa_der(&pair.serialize_der()[26..]);
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&key, algorithm).unwrap()).unwrap();
    jwk.as_object_mut().unwrap().remove("alg");
    (key, jwk)
}

pub(crate) fn jwks<'a>(signers: impl IntoIterator<Item = &'a Signer>) -> Vec<u8> {
    let keys: Vec<_> = signers.into_iter().map(|signer| signer.jwk.clone()).collect();
    json!({"keys": keys}).to_string().into_bytes()
}

/// Seconds since 1970, and some.
pub(crate) fn in_seconds(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() + seconds
}

/// Claims that would be believed, of a service account.
pub(crate) fn claims() -> Value {
    json!({"iss": ISSUER, "aud": AUDIENCE, "exp": in_seconds(600), "jti": "5f1a",
           "sub": "system:serviceaccount:payments:settler"})
}

/// Those claims with some changed, or taken out where the value is null.
pub(crate) fn claims_with(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

pub(crate) fn bearer(token: &str) -> Request {
    Request::default().with("authorization", format!("Bearer {token}"))
}

pub(crate) fn identified(verifier: &JwtVerifier, token: &str) -> Option<Actor> {
    verifier.identify(&bearer(token))
}

/// Who holds the token, if it is believed.
pub(crate) fn verified(verifier: &JwtVerifier, token: &str) -> Actor {
    let actor = identified(verifier, token).unwrap();
    assert!(actor.verified, "{actor:?}");
    assert_eq!(actor.auth.as_deref(), Some("jwt"));
    actor
}

/// Why the token is not believed. Nothing that it claims may be in the actor.
pub(crate) fn refused(verifier: &JwtVerifier, token: &str) -> String {
    let actor = identified(verifier, token).unwrap();
    let reason = actor.reason.clone().unwrap_or_else(|| panic!("{actor:?}"));
    assert_eq!(actor, Actor::new(ActorType::Unauthenticated).auth("jwt").reason(&reason));
    reason
}
