//! Tokens that must not be believed, and the reason that is recorded.

use audit_core::identity::{Identify, JwtAlgorithm, JwtIssuer, JwtVerifier};
use audit_core::record::Actor;
use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use sha2::Sha256;

use super::signer::{AUDIENCE, ISSUER, Signer, bearer, claims, claims_with, in_seconds, refused, verified};

#[test]
fn claims_that_do_not_hold_here_and_now_are_refused() {
    let signer = Signer::new(Algorithm::ES256);
    let verifier = signer.verifier();
    for (changes, reason) in [
        (json!({"exp": in_seconds(-3_600)}), "expired"),
        (json!({"exp": 0}), "expired"),
        (json!({"exp": -1e300}), "expired"),
        (json!({"exp": null}), "no expiry"),
        (json!({"exp": "9999999999"}), "malformed token: claims are not a JSON object"),
        (json!({"nbf": in_seconds(3_600)}), "not yet valid"),
        (json!({"aud": "another"}), "wrong audience"),
        (json!({"aud": ["another", "payments2"]}), "wrong audience"),
        (json!({"aud": "Payments"}), "wrong audience"),
        (json!({"aud": ["payments", 5]}), "malformed token: claims are not a JSON object"),
        (json!({"aud": {"payments": 1}}), "malformed token: claims are not a JSON object"),
        (json!({"aud": []}), "no audience"),
        (json!({"aud": null}), "no audience"),
    ] {
        assert_eq!(refused(&verifier, &signer.sign(&claims_with(&changes))), reason, "{changes}");
    }
    for changes in [
        json!({"exp": in_seconds(-30)}),
        json!({"exp": in_seconds(600) as f64 + 0.5}),
        json!({"exp": 1e300}),
        json!({"nbf": in_seconds(30)}),
        json!({"nbf": 1.5}),
        json!({"aud": ["another", "payments"]}),
    ] {
        verified(&verifier, &signer.sign(&claims_with(&changes)));
    }
}

#[test]
fn a_claim_that_stands_twice_is_refused() {
    let signer = Signer::new(Algorithm::ES256);
    let verifier = signer.verifier();
    let exp = in_seconds(600);
    for twice in
        [r#""sub":"b""#, r#""exp":1"#, r#""aud":"x""#, r#""iss":"https://issuer.example""#, r#""nbf":1,"nbf":2"#]
    {
        let payload = format!(r#"{{"iss":"{ISSUER}","sub":"a","aud":"{AUDIENCE}","exp":{exp},{twice}}}"#);
        let token = signer.sign_bytes(signer.header().to_string(), payload);
        assert_eq!(refused(&verifier, &token), "malformed token: claims are not a JSON object", "{twice}");
    }
}

/// A token with a header of this text, signed all the same.
fn with_header(signer: &Signer, header: &str) -> String {
    signer.sign_bytes(header, claims().to_string())
}

#[test]
fn headers_that_say_something_strange_are_refused() {
    let signer = Signer::new(Algorithm::ES256);
    let verifier = signer.verifier();
    for (header, reason) in [
        (r#"{"alg":"none","kid":"ES256"}"#, "algorithm none"),
        (r#"{"alg":"NoNe","kid":"ES256"}"#, "algorithm none"),
        (r#"{"alg":"HS256","kid":"ES256"}"#, "unknown or symmetric algorithm"),
        (r#"{"alg":"ES512","kid":"ES256"}"#, "unknown or symmetric algorithm"),
        (r#"{"alg":"es256","kid":"ES256"}"#, "unknown or symmetric algorithm"),
        (r#"{"alg":"","kid":"ES256"}"#, "unknown or symmetric algorithm"),
        (r#"{"alg":"RS256","kid":"ES256"}"#, "algorithm does not fit the key"),
        (r#"{"alg":"ES384","kid":"ES256"}"#, "algorithm does not fit the key"),
        (r#"{"alg":"EdDSA","kid":"ES256"}"#, "algorithm does not fit the key"),
        (r#"{"alg":"ES256","kid":"another"}"#, "unknown key"),
        (r#"{"alg":"ES256","kid":"ES256","crit":["exp"],"exp":1}"#, "critical extension in the header"),
        (r#"{"alg":"ES256","kid":"ES256","crit":null}"#, "critical extension in the header"),
        (r#"{"alg":"ES256","kid":"ES256","b64":false,"crit":["b64"]}"#, "critical extension in the header"),
        (r#"{"alg":"ES256","kid":"ES256","typ":"logout+jwt"}"#, "token of another type"),
        (r#"{"alg":"ES256","kid":"ES256","typ":""}"#, "token of another type"),
        (r#"{"alg":"ES256","alg":"ES256","kid":"ES256"}"#, "malformed token: header"),
        (r#"{"alg":"ES256","kid":"ES256","kid":"ES256"}"#, "malformed token: header"),
        (r#"{"alg":"ES256","kid":5}"#, "malformed token: header"),
        (r#"{"kid":"ES256"}"#, "malformed token: header"),
        (r#"["ES256","ES256"]"#, "malformed token: header"),
        ("", "malformed token: header"),
    ] {
        assert_eq!(refused(&verifier, &with_header(&signer, header)), reason, "{header}");
    }
    for header in [
        r#"{"alg":"ES256","kid":"ES256","typ":"jwt"}"#,
        r#"{"alg":"ES256","kid":"ES256","jku":"https://evil.example","jwk":{},"x5c":[]}"#,
        r#"{"alg":"ES256"}"#,
    ] {
        verified(&verifier, &with_header(&signer, header));
    }
}

#[test]
fn a_key_in_the_header_is_not_used() {
    let [ours, theirs] = [0, 1].map(|_| Signer::new(Algorithm::ES256));
    let header = json!({"alg": "ES256", "kid": "ES256", "jwk": theirs.jwk}).to_string();
    assert_eq!(refused(&ours.verifier(), &with_header(&theirs, &header)), "signature does not match");
}

#[test]
fn a_public_key_is_no_secret_to_sign_with() {
    let signer = Signer::new(Algorithm::RS256);
    let part = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    let modulus = signer.jwk["n"].as_str().unwrap();
    for algorithm in ["HS256", "RS256"] {
        let header = json!({"alg": algorithm, "kid": "RS256"}).to_string();
        let message = format!("{}.{}", part(&header), part(&claims().to_string()));
        for secret in [modulus.as_bytes().to_vec(), Base64UrlUnpadded::decode_vec(modulus).unwrap(), signer.jwks()] {
            let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
            mac.update(message.as_bytes());
            let tag = Base64UrlUnpadded::encode_string(&mac.finalize().into_bytes());
            let reason = refused(&signer.verifier(), &format!("{message}.{tag}"));
            let expected =
                if algorithm == "HS256" { "unknown or symmetric algorithm" } else { "signature does not match" };
            assert_eq!(reason, expected);
        }
    }
}

#[test]
fn signatures_that_are_missing_cut_or_by_another_key_are_refused() {
    let signer = Signer::new(Algorithm::ES256);
    let verifier = signer.verifier();
    let token = signer.sign(&claims());
    let (message, signature) = token.rsplit_once('.').unwrap();
    for signature in ["", &signature[..40], &signature[..4], &format!("{signature}AAAA"), &"A".repeat(86)] {
        let token = format!("{message}.{signature}");
        assert_eq!(refused(&verifier, &token), "signature does not match", "{signature}");
    }
    for signature in ["=", &format!("{signature}=="), &format!("{signature}\n"), "!!!!"] {
        let reason = refused(&verifier, &format!("{message}.{signature}x"));
        assert_eq!(reason, "malformed token: signature is not base64url", "{signature}");
    }
    let another = Signer::new(Algorithm::ES256);
    assert_eq!(refused(&verifier, &another.sign(&claims())), "signature does not match");
}

#[test]
fn a_signature_over_other_claims_is_refused() {
    let signer = Signer::new(Algorithm::EdDSA);
    let ours = signer.sign(&claims());
    let theirs = signer.sign(&claims_with(&json!({"sub": "system:serviceaccount:kube-system:root"})));
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (ours, theirs) = (parts(&ours), parts(&theirs));
    let mixed = format!("{}.{}.{}", ours[0], theirs[1], ours[2]);
    assert_eq!(refused(&signer.verifier(), &mixed), "signature does not match");
}

#[test]
fn only_the_algorithms_that_an_issuer_is_allowed_count() {
    let signer = Signer::new(Algorithm::RS256);
    let issuer = JwtIssuer::new(ISSUER).audience(AUDIENCE).jwks(signer.jwks()).unwrap();
    let strict = issuer.algorithms([JwtAlgorithm::Es256, JwtAlgorithm::Rs512]);
    let verifier = JwtVerifier::builder().issuer(strict).build().unwrap();
    assert_eq!(refused(&verifier, &signer.sign(&claims())), "algorithm not allowed for this issuer");
}

#[test]
fn a_token_longer_than_16_kib_is_refused_unread() {
    let signer = Signer::new(Algorithm::ES256);
    let verifier = signer.verifier();
    let token = |padding: usize| signer.sign(&claims_with(&json!({"padding": "x".repeat(padding)})));
    let padding = (16 * 1_024 - token(0).len()) * 3 / 4;
    let longest = token(padding);
    assert!((16_380..=16_384).contains(&longest.len()), "{}", longest.len());
    verified(&verifier, &longest);
    assert_eq!(refused(&verifier, &token(padding + 3)), "token longer than 16 KiB");
}

#[test]
fn a_payload_that_cannot_be_read_is_refused() {
    let signer = Signer::new(Algorithm::ES256);
    let verifier = signer.verifier();
    let sign = |payload: &str| signer.sign_bytes(signer.header().to_string(), payload);
    for payload in ["", "[]", "5", "{", r#"["a"]"#, "{}{}"] {
        assert_eq!(refused(&verifier, &sign(payload)), "malformed token: claims are not a JSON object", "{payload}");
    }
    assert_eq!(refused(&verifier, "a.=.c"), "malformed token: payload is not base64url");
    // One spelling for each payload: no stray bits, no padding.
    assert_eq!(refused(&verifier, "e30.e31.AA"), "malformed token: payload is not base64url");
}

#[test]
fn more_parties_than_a_record_has_room_for_are_refused() {
    let signer = Signer::new(Algorithm::ES256);
    let chain = |parties: usize| (0..parties).fold(Value::Null, |inner, _| json!({"sub": "a", "act": inner}));
    let token = |parties| signer.sign(&claims_with(&json!({"act": chain(parties)})));
    assert_eq!(verified(&signer.verifier(), &token(8)).on_behalf_of.len(), 8);
    let reason = refused(&signer.verifier(), &token(9));
    assert_eq!(reason, "malformed token: more than 8 parties in act");
}

#[test]
fn with_two_authorization_headers_none_is_believed() {
    let signer = Signer::new(Algorithm::ES256);
    let request = bearer(&signer.sign(&claims())).with("Authorization", "Bearer x");
    let actor = signer.verifier().identify(&request);
    assert_eq!(actor, Some(Actor::unknown().reason("several Authorization headers")));
}
