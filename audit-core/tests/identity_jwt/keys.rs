//! Key sets: what is taken, what is not, and how keys are replaced while tokens come in.

use std::error::Error;
use std::fs;

use audit_core::identity::{JwksError, JwtIssuer, JwtVerifier};
use audit_core::record::ActorType;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::signer::{AUDIENCE, ISSUER, Signer, claims, identified, jwks, refused, verified};

fn set(keys: &Value) -> Result<JwtIssuer, JwksError> {
    JwtIssuer::new(ISSUER).audience(AUDIENCE).jwks(json!({"keys": keys}).to_string())
}

fn verifier_of(keys: &Value) -> JwtVerifier {
    JwtVerifier::builder().issuer(set(keys).unwrap()).build().unwrap()
}

#[test]
fn keys_for_something_else_are_left_out() {
    let signer = Signer::new(Algorithm::ES256);
    let with = |name: &str, value: Value| {
        let mut key = signer.jwk.clone();
        key[name] = value;
        key
    };
    for other in [
        with("use", json!("enc")),
        with("key_ops", json!(["deriveKey"])),
        with("alg", json!("ECDH-ES")),
        with("alg", json!("HS256")),
        with("crv", json!("P-521")),
        with("crv", json!("secp256k1")),
        with("kty", json!("AKP")),
        json!({"kty": "oct", "k": "c2VjcmV0", "kid": "ES256"}),
        json!({"kty": "OKP", "crv": "X25519", "x": "AA"}),
    ] {
        assert!(matches!(set(&json!([other])), Err(JwksError::NoUsableKey)), "{other}");
        let verifier = verifier_of(&json!([other, signer.jwk]));
        verified(&verifier, &signer.sign(&claims()));
    }
    for same in [with("use", json!("sig")), with("key_ops", json!(["verify"])), with("alg", json!("ES256"))] {
        verified(&verifier_of(&json!([same])), &signer.sign(&claims()));
    }
}

#[test]
fn a_key_that_says_its_algorithm_is_for_no_other() {
    let mut signer = Signer::new(Algorithm::RS256);
    signer.jwk["alg"] = json!("PS256");
    assert_eq!(refused(&signer.verifier(), &signer.sign(&claims())), "algorithm does not fit the key");
}

#[test]
fn malformed_keys_are_named() {
    let elliptic = Signer::new(Algorithm::ES256).jwk;
    let rsa = Signer::new(Algorithm::RS256).jwk;
    let with = |key: &Value, name: &str, value: Value| {
        let mut key = key.clone();
        key[name] = value;
        key
    };
    for (key, about) in [
        (with(&elliptic, "x", json!("AAAA")), "width"),
        (with(&elliptic, "x", json!("+/")), "width"),
        (with(&elliptic, "y", Value::Null), "width"),
        (with(&elliptic, "d", json!("AA")), "private"),
        (with(&elliptic, "kty", Value::Null), "missing"),
        (with(&elliptic, "kid", json!(5)), "another type"),
        (with(&rsa, "n", json!("AQAB")), "2,048"),
        (with(&rsa, "n", json!("=")), "base64url"),
        (with(&rsa, "e", json!("AQ")), "odd"),
        (with(&rsa, "e", json!("Ag")), "odd"),
        (with(&rsa, "e", json!("")), "odd"),
        (json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"}), "32 bytes"),
        (json!("key"), "another type"),
    ] {
        let error = set(&json!([elliptic, key])).unwrap_err();
        assert!(matches!(error, JwksError::MalformedKey { index: 1, .. }), "{key}: {error:?}");
        assert!(error.to_string().contains(about), "{key}: {error}");
    }
}

#[test]
fn what_is_no_key_set_is_refused() {
    for text in ["", "[]", "{}", r#"{"keys":5}"#, r#"{"keys":[],"keys":[]}"#, "-----BEGIN PUBLIC KEY-----"] {
        let error = JwtIssuer::new(ISSUER).jwks(text).unwrap_err();
        assert!(matches!(error, JwksError::Malformed { .. }), "{text}: {error:?}");
        assert!(error.source().is_some());
    }
    assert!(matches!(set(&json!([])), Err(JwksError::NoUsableKey)));
    let key = Signer::new(Algorithm::ES256).jwk;
    assert!(set(&json!(vec![&key; 100])).is_ok());
    assert!(matches!(set(&json!(vec![&key; 101])), Err(JwksError::TooManyKeys)));
    let long = format!("{}{}", String::from_utf8(Signer::new(Algorithm::ES256).jwks()).unwrap(), " ".repeat(1 << 20));
    assert!(matches!(JwtIssuer::new(ISSUER).jwks(long), Err(JwksError::TooLong)));
}

#[test]
fn a_token_without_key_id_is_tried_with_few_keys() {
    let signers: Vec<_> = (0..5).map(|id| Signer::with_id(Algorithm::ES256, &id.to_string())).collect();
    let header = r#"{"alg":"ES256"}"#;
    let issuer = |signers: &[Signer]| {
        let issuer = JwtIssuer::new(ISSUER).audience(AUDIENCE).jwks(jwks(signers)).unwrap();
        JwtVerifier::builder().issuer(issuer).build().unwrap()
    };
    let four = issuer(&signers[..4]);
    for signer in &signers[..4] {
        verified(&four, &signer.sign_bytes(header, claims().to_string()));
    }
    let five = issuer(&signers);
    let reason = refused(&five, &signers[0].sign_bytes(header, claims().to_string()));
    assert_eq!(reason, "no key id, and too many keys fit");
    verified(&five, &signers[4].sign(&claims()));
}

#[test]
fn a_key_without_id_is_tried_for_ids_that_nobody_has() {
    let [named, mut unnamed] = ["a", "b"].map(|id| Signer::with_id(Algorithm::ES256, id));
    unnamed.jwk.as_object_mut().unwrap().remove("kid");
    let verifier = verifier_of(&json!([named.jwk, unnamed.jwk]));
    let header = |id: &str| json!({"alg": "ES256", "kid": id}).to_string();
    verified(&verifier, &unnamed.sign_bytes(header("b"), claims().to_string()));
    let reason = refused(&verifier, &unnamed.sign_bytes(header("a"), claims().to_string()));
    assert_eq!(reason, "signature does not match");
}

#[test]
fn keys_are_replaced_for_all_handles_and_remembered_tokens_are_forgotten() {
    let [before, after] = [0, 1].map(|_| Signer::new(Algorithm::ES256));
    let verifier = before.verifier();
    let handle = verifier.clone();
    let token = before.sign(&claims());
    verified(&verifier, &token);
    verified(&verifier, &token);
    handle.set_jwks(ISSUER, after.jwks()).unwrap();
    assert_eq!(refused(&verifier, &token), "signature does not match");
    verified(&verifier, &after.sign(&claims()));
}

#[test]
fn a_set_that_is_not_taken_leaves_the_keys_before_in_use() {
    let signer = Signer::new(Algorithm::ES256);
    let verifier = signer.verifier();
    assert!(matches!(verifier.set_jwks(ISSUER, "{}"), Err(JwksError::Malformed { .. })));
    let error = verifier.set_jwks("https://another.example", signer.jwks()).unwrap_err();
    assert!(error.to_string().contains("another.example"), "{error}");
    verified(&verifier, &signer.sign(&claims()));
}

#[test]
fn keys_come_from_a_file_too() {
    let [first, second] = [0, 1].map(|_| Signer::new(Algorithm::EdDSA));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    fs::write(&path, first.jwks()).unwrap();
    let issuer = JwtIssuer::new(ISSUER).audience(AUDIENCE).jwks_file(&path).unwrap();
    let verifier = JwtVerifier::builder().issuer(issuer).build().unwrap();
    verified(&verifier, &first.sign(&claims()));
    fs::write(&path, second.jwks()).unwrap();
    verified(&verifier, &first.sign(&claims()));
    verifier.set_jwks_file(ISSUER, &path).unwrap();
    verified(&verifier, &second.sign(&claims()));
    fs::remove_file(&path).unwrap();
    let error = verifier.set_jwks_file(ISSUER, &path).unwrap_err();
    assert!(matches!(error, JwksError::Unreadable { .. }) && error.source().is_some(), "{error:?}");
    fs::write(&path, vec![b' '; (1 << 20) + 1]).unwrap();
    assert!(matches!(verifier.set_jwks_file(ISSUER, &path), Err(JwksError::TooLong)));
    verified(&verifier, &second.sign(&claims()));
}

#[test]
fn keys_may_be_replaced_while_tokens_are_checked() {
    let [first, second] = [0, 1].map(|_| Signer::new(Algorithm::EdDSA));
    let tokens = [first.sign(&claims()), second.sign(&claims())];
    let sets = [first.jwks(), second.jwks()];
    let verifier = first.verifier();
    std::thread::scope(|threads| {
        for token in &tokens {
            let verifier = verifier.clone();
            threads.spawn(move || {
                for _ in 0..200 {
                    let actor = identified(&verifier, token).unwrap();
                    assert!(actor.verified || actor.kind == ActorType::Unauthenticated);
                }
            });
        }
        for turn in 0..100 {
            verifier.set_jwks(ISSUER, &sets[turn % 2]).unwrap();
        }
    });
    verifier.set_jwks(ISSUER, &sets[0]).unwrap();
    verified(&verifier, &tokens[0]);
    assert_eq!(refused(&verifier, &tokens[1]), "signature does not match");
}
