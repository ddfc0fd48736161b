//! Bytes from somebody who wishes us harm.

use std::sync::OnceLock;

use audit_core::identity::{Identify, JwtVerifier};
use audit_core::record::ActorType;
use jsonwebtoken::Algorithm;
use proptest::prelude::*;

use super::request::Request;
use super::signer::{Signer, bearer, claims, identified, verified};

/// A signer, its verifier, and a token that is believed.
fn scene() -> &'static (Signer, JwtVerifier, String) {
    static SCENE: OnceLock<(Signer, JwtVerifier, String)> = OnceLock::new();
    SCENE.get_or_init(|| {
        let signer = Signer::new(Algorithm::ES256);
        let verifier = signer.verifier();
        let token = signer.sign(&claims());
        verified(&verifier, &token);
        (signer, verifier, token)
    })
}

#[test]
fn no_byte_of_a_token_can_be_changed_by_a_bit() {
    let (_, verifier, token) = scene();
    for position in 0..token.len() {
        for bit in 0..8 {
            let mut altered = token.clone().into_bytes();
            altered[position] ^= 1 << bit;
            let request = Request::default().with("authorization", [b"Bearer ".as_slice(), &altered].concat());
            let actor = verifier.identify(&request);
            assert!(actor.is_none_or(|actor| !actor.verified), "byte {position}, bit {bit}");
        }
    }
}

#[test]
fn no_part_of_a_token_can_be_cut_off_or_added() {
    let (_, verifier, token) = scene();
    for length in 0..token.len() {
        assert!(identified(verifier, &token[..length]).is_none_or(|actor| !actor.verified), "{length}");
        assert!(identified(verifier, &token[token.len() - length..]).is_none_or(|actor| !actor.verified), "{length}");
    }
    for more in [".", "A", "=", "AA", ".e30"] {
        for altered in [format!("{token}{more}"), format!("{more}{token}")] {
            assert!(identified(verifier, &altered).is_none_or(|actor| !actor.verified), "{altered}");
        }
    }
}

fn any_claims() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,40}".prop_map(Into::into),
    ];
    let value = leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map("act|sub|[a-z]{1,6}", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    });
    let name = prop::sample::select(vec!["sub", "aud", "exp", "nbf", "act", "jti", "client_id", "email", "idtyp"]);
    prop::collection::btree_map(name, value, 0..6).prop_map(|changes| {
        let mut claims = claims();
        for (name, value) in changes {
            claims[name] = value;
        }
        claims
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_is_signed_is_verified_or_refused_with_a_reason(claims in any_claims()) {
        let (signer, verifier, _) = scene();
        let actor = identified(verifier, &signer.sign(&claims)).unwrap();
        prop_assert!(actor.verified == actor.reason.is_none(), "{:?}", actor);
        prop_assert!(actor.verified || actor.kind == ActorType::Unauthenticated);
        prop_assert!(actor.on_behalf_of.len() <= 8);
    }

    #[test]
    fn what_somebody_else_signs_is_never_verified(claims in any_claims()) {
        static FORGER: OnceLock<Signer> = OnceLock::new();
        let forger = FORGER.get_or_init(|| Signer::new(Algorithm::ES256));
        let actor = identified(&scene().1, &forger.sign(&claims)).unwrap();
        prop_assert_eq!((actor.verified, actor.id), (false, None));
    }

    #[test]
    fn no_bytes_make_it_panic_or_verify(
        token in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "[A-Za-z0-9_.=-]{0,200}".prop_map(String::into_bytes),
        ],
    ) {
        let request = Request::default().with("authorization", [b"bearer ".as_slice(), &token].concat());
        let actor = scene().1.identify(&request);
        prop_assert!(actor.is_none_or(|actor| !actor.verified));
    }

    #[test]
    fn no_header_makes_it_panic_or_verify_without_the_key(header in "\\PC{0,80}") {
        let (_, verifier, _) = scene();
        let forger = Signer::new(Algorithm::EdDSA);
        let actor = identified(verifier, &forger.sign_bytes(header, claims().to_string())).unwrap();
        prop_assert!(!actor.verified);
    }

    #[test]
    fn no_splice_of_two_tokens_is_believed(cut in 0_usize..400, subject in "[a-z]{1,20}") {
        let (signer, verifier, token) = scene();
        let mut other = claims();
        other["sub"] = subject.into();
        let other = signer.sign(&other);
        let cut = cut.min(token.len()).min(other.len());
        let spliced = format!("{}{}", &token[..cut], &other[cut..]);
        prop_assume!(spliced != *token && spliced != other);
        let actor = verifier.identify(&bearer(&spliced));
        prop_assert!(actor.is_none_or(|actor| !actor.verified));
    }
}
