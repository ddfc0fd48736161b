//! Where identity and source address come from, and in which order.

#![allow(clippy::unwrap_used, reason = "what is shared between tests may fail them")]

mod identity_support;

use audit_core::identity::{
    AuthorizationScheme, DefaultIdentify, Established, FirstOf, Identify, JwtClaims, Metadata, NetworkError, SigV4,
    TrustedProxies,
};
use audit_core::record::{Actor, ActorType};
use identity_support::{Request, bearer};
use proptest::prelude::*;

fn from_peer(peer: &str) -> Request {
    Request { peer: Some(peer.parse().unwrap()), ..Request::default() }
}

fn identified(request: &Request) -> Actor {
    DefaultIdentify.identify(request).unwrap()
}

#[test]
fn nobody_without_a_credential_goes_unnamed() {
    assert_eq!(identified(&Request::default()), Actor::unauthenticated());
}

#[test]
fn what_the_host_established_comes_first_and_is_verified() {
    let mut request = bearer(r#"{"sub":"system:serviceaccount:a:b"}"#);
    request.established = Some(Actor::user("eve"));
    assert_eq!(identified(&request), Actor::user("eve").verified());
}

#[test]
fn what_the_host_does_not_believe_stays_unverified() {
    for actor in [Actor::unauthenticated(), Actor::user("eve").reason("expired")] {
        let request = Request { established: Some(actor.clone()), ..Request::default() };
        assert_eq!(Established.identify(&request), Some(actor));
    }
}

#[test]
fn other_authorization_schemes_are_recorded_by_name_only() {
    for (value, scheme) in [
        ("Basic dXNlcjpwYXNzd29yZA==", "basic"),
        ("AWS4-HMAC-SHA512 Credential=AKIA/x", "aws4-hmac-sha512"),
        ("digest username=\"a\"", "digest"),
        ("ApiKey 0123", "apikey"),
    ] {
        let request = Request::default().with("authorization", value);
        assert_eq!(identified(&request), Actor::unknown().auth(scheme));
    }
}

#[test]
fn what_may_be_a_credential_without_a_scheme_is_not_recorded() {
    let long = format!("{} x", "s".repeat(33));
    for value in ["", "sk_live_0123456789", "s3cr3t! x", "1abc x", &long, "\u{e9} x"] {
        let request = Request::default().with("authorization", value);
        let expected = Actor::unknown().reason("malformed Authorization header");
        assert_eq!(identified(&request), expected, "{value}");
    }
}

#[test]
fn several_authorization_headers_are_not_believed() {
    let request = Request::default().with("authorization", "Basic a").with("Authorization", "Digest b");
    let expected = Actor::unknown().reason("several Authorization headers");
    assert_eq!(identified(&request), expected);
    assert_eq!(AuthorizationScheme.identify(&request), Some(expected));
}

#[test]
fn a_request_signed_for_aws_is_known_by_its_access_key_id() {
    let rest =
        "SignedHeaders=host;x-amz-date, Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024";
    for (credential, kind, id) in [
        ("AKIAIOSFODNN7EXAMPLE/20261124/eu-central-1/s3/aws4_request", ActorType::ApiKey, "AKIAIOSFODNN7EXAMPLE"),
        ("ASIAIOSFODNN7EXAMPLE/20261124/eu-central-1/s3/aws4_request", ActorType::Unknown, "ASIAIOSFODNN7EXAMPLE"),
        ("minio-admin/20261124//s3/aws4_request", ActorType::Unknown, "minio-admin"),
    ] {
        let value = format!("AWS4-HMAC-SHA256 Credential={credential}, {rest}");
        let expected = Actor::new(kind).id(id).credential(id).auth("sigv4");
        assert_eq!(identified(&Request::default().with("authorization", &value)), expected);
        let tight = value.replace(", ", ",");
        assert_eq!(SigV4.identify(&Request::default().with("authorization", tight)), Some(expected));
    }
    let asymmetric = format!("AWS4-ECDSA-P256-SHA256 Credential=AKIA0/20261124/s3/aws4_request, {rest}");
    let actor = identified(&Request::default().with("authorization", asymmetric));
    assert_eq!(actor.id.as_deref(), Some("AKIA0"));
}

#[test]
fn a_credential_for_aws_that_is_none_is_not_recorded() {
    let long = format!("Credential={}/20261124/eu/s3/aws4_request", "A".repeat(129));
    for parameters in [
        "Credential=AKIA/x",
        "Credential=/20261124/eu/s3/aws4_request",
        "Credential=AK IA/20261124/eu/s3/aws4_request",
        "Credential=AKIA/20261124/eu/s3/aws4_request/more",
        "Credential=AKIA/a/b/c/d/aws4_request",
        "credential=AKIA/20261124/eu/s3/aws4_request",
        "Credential=AKIA/20261124/eu/s3/aws4_request, Credential=AKIB/20261124/eu/s3/aws4_request",
        "Signature=0",
        &long,
    ] {
        let request = Request::default().with("authorization", format!("AWS4-HMAC-SHA256 {parameters}"));
        let expected = Actor::unknown().auth("sigv4").reason("malformed SigV4 Credential");
        assert_eq!(SigV4.identify(&request), Some(expected), "{parameters}");
    }
    for other in ["aws4-hmac-sha256 Credential=AKIA/1/e/s3/aws4_request", "Basic Credential=", "Bearer x"] {
        assert_eq!(SigV4.identify(&Request::default().with("authorization", other)), None);
    }
    assert_eq!(SigV4.identify(&Request::default()), None);
    let twice = Request::default().with("authorization", "AWS4-HMAC-SHA256 a").with("authorization", "Basic b");
    assert_eq!(SigV4.identify(&twice), Some(Actor::unknown().reason("several Authorization headers")));
}

#[test]
fn the_holder_of_an_api_key_is_named_as_that_without_the_key() {
    for name in ["X-API-Key", "api-key"] {
        let request = Request::default().with(name, "k-0123");
        let expected = Actor::new(ActorType::ApiKey).auth("api_key");
        assert_eq!(identified(&request), expected);
    }
}

#[test]
fn sources_are_asked_in_order_until_one_answers() {
    let by_header = |metadata: &dyn Metadata| {
        let name = metadata.header("x-tenant-user")?;
        Some(Actor::user(String::from_utf8_lossy(name)))
    };
    let sources = FirstOf::default().or(by_header).or(JwtClaims);
    let token = bearer(r#"{"sub":"system:serviceaccount:a:b"}"#);
    let kind = |request: &Request| sources.identify(request).map(|actor| actor.kind);
    assert_eq!(kind(&token.clone().with("x-tenant-user", "a")), Some(ActorType::User));
    assert_eq!(kind(&token), Some(ActorType::ServiceAccount));
    assert_eq!(kind(&Request::default()), None);
}

fn proxies() -> TrustedProxies {
    TrustedProxies::new(["10.0.0.0/8", "fd00::/8", "192.0.2.7"]).unwrap()
}

fn source(peer: &str, forwarded: &[&str]) -> String {
    let request = forwarded.iter().fold(from_peer(peer), |request, line| request.with("X-Forwarded-For", line));
    let source = proxies().source(&request).unwrap();
    match source.port {
        Some(port) => format!("{} {port}", source.ip),
        None => source.ip.to_string(),
    }
}

#[test]
fn strangers_cannot_say_from_where_they_call() {
    assert_eq!(source("203.0.113.9:4000", &["10.0.0.1"]), "203.0.113.9 4000");
    assert_eq!(source("192.0.2.8:4000", &["198.51.100.1"]), "192.0.2.8 4000");
    let none = TrustedProxies::default();
    let request = from_peer("10.0.0.1:1").with("x-forwarded-for", "198.51.100.1");
    assert_eq!(none.source(&request).unwrap().ip.to_string(), "10.0.0.1");
}

#[test]
fn trusted_proxies_are_followed_from_the_right() {
    for (lines, expected) in [
        (&["198.51.100.1"][..], "198.51.100.1"),
        (&["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        (&["6.6.6.6, 198.51.100.1, 10.0.0.2,10.0.0.3"], "198.51.100.1"),
        (&["6.6.6.6", "198.51.100.1", "10.0.0.2"], "198.51.100.1"),
        (&["10.0.0.4, 10.0.0.5"], "10.0.0.4"),
        (&["2001:db8::1, fd00::2"], "2001:db8::1"),
        (&["198.51.100.1:5000, [fd00::2]:443, [fd00::3]"], "198.51.100.1"),
        (&["::ffff:198.51.100.1, ::ffff:10.0.0.2"], "198.51.100.1"),
    ] {
        assert_eq!(source("10.0.0.1:80", lines), expected, "{lines:?}");
    }
    assert_eq!(source("[::ffff:10.0.0.1]:80", &["198.51.100.1"]), "198.51.100.1");
}

#[test]
fn without_a_list_the_trusted_peer_is_the_source() {
    assert_eq!(source("10.0.0.1:80", &[]), "10.0.0.1 80");
    assert_eq!(source("[::ffff:10.0.0.1]:80", &[]), "10.0.0.1 80");
}

#[test]
fn a_malformed_element_stops_at_the_last_trusted_address() {
    for (lines, expected) in [
        (&["6.6.6.6, unknown, 10.0.0.2, 10.0.0.3"][..], "10.0.0.2"),
        (&["6.6.6.6, 10.0.0.2, _hidden"], "10.0.0.1 80"),
        (&["6.6.6.6,"], "10.0.0.1 80"),
        (&[""], "10.0.0.1 80"),
        (&["6.6.6.6, 1.2.3, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        (&["6.6.6.6, 010.0.0.9"], "10.0.0.1 80"),
    ] {
        assert_eq!(source("10.0.0.1:80", lines), expected, "{lines:?}");
    }
}

#[test]
fn a_connection_without_an_address_has_no_source() {
    let request = Request::default().with("x-forwarded-for", "198.51.100.1");
    assert_eq!(proxies().source(&request), None);
}

#[test]
fn what_is_no_network_is_refused() {
    for text in [
        "",
        "10",
        "10.0.0.0/",
        "10.0.0.0/33",
        "fd00::/129",
        "10.0.0.0/08",
        "10.0.0.0/+8",
        "10.0.0.0/8/8",
        "example.com",
        "*",
        " 10.0.0.0/8",
        "10.0.0.0/-1",
    ] {
        let error = TrustedProxies::new([text]).unwrap_err();
        assert!(matches!(error, NetworkError::Malformed { .. }), "{text}");
    }
    for text in ["0.0.0.0/0", "::/0"] {
        let error = TrustedProxies::new([text]).unwrap_err();
        assert!(matches!(error, NetworkError::Everybody { .. }), "{text}");
    }
    let error = TrustedProxies::new(["10.1.2.3/8"]).unwrap_err();
    assert!(error.to_string().contains("write 10.0.0.0/8"), "{error}");
    let error = TrustedProxies::new(["fd12::1/8"]).unwrap_err();
    assert!(error.to_string().contains("write fd00::/8"), "{error}");
}

proptest! {
    #[test]
    fn a_network_contains_what_shares_its_first_bits(
        network in any::<u32>(), length in 1_u32..=32, other in any::<u32>(),
    ) {
        let mask = u32::MAX << (32 - length);
        let base = std::net::Ipv4Addr::from(network & mask);
        let proxies = TrustedProxies::new([format!("{base}/{length}")]).unwrap();
        for address in [other, (network & mask) | (other & !mask)] {
            let peer = std::net::Ipv4Addr::from(address);
            let request = from_peer(&format!("{peer}:1"))
                .with("x-forwarded-for", "198.51.100.1");
            let believed = proxies.source(&request).unwrap().port.is_none();
            prop_assert_eq!(believed, address & mask == network & mask);
        }
    }

    #[test]
    fn the_source_is_what_reading_from_the_right_gives(
        elements in prop::collection::vec(
            prop_oneof![
                Just("10.0.0.2"), Just("10.0.0.3"), Just("198.51.100.1"), Just("198.51.100.2"),
                Just("x"), Just(""),
            ],
            0..8,
        ),
        cut in 0_usize..8,
    ) {
        let mut expected = "10.0.0.1";
        for element in elements.iter().rev() {
            if element.parse::<std::net::IpAddr>().is_err() {
                break;
            }
            expected = element;
            if !element.starts_with("10.") {
                break;
            }
        }
        let (first, second) = elements.split_at(cut.min(elements.len()));
        let lines: Vec<_> = [first, second]
            .iter()
            .filter(|part| !part.is_empty())
            .map(|part| part.join(" , "))
            .collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let found = source("10.0.0.1:80", &lines);
        prop_assert_eq!(found.trim_end_matches(" 80"), expected);
    }

    #[test]
    fn no_credential_for_aws_makes_reading_it_panic_or_verify(
        parameters in "(Credential=|aws4_request|[A-Za-z0-9/,= ]){0,20}",
    ) {
        let request = Request::default().with("authorization", format!("AWS4-HMAC-SHA256 {parameters}"));
        prop_assert!(!SigV4.identify(&request).unwrap().verified);
    }

    #[test]
    fn no_list_makes_reading_it_panic(line in prop::collection::vec(any::<u8>(), 0..100)) {
        let request = from_peer("10.0.0.1:80").with("x-forwarded-for", &line);
        prop_assert!(proxies().source(&request).is_some());
    }
}
