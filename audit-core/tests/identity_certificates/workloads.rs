//! X.509-SVIDs, and certificates that only look like them.

use std::sync::OnceLock;

use audit_core::evidence::Hash;
use audit_core::identity::{ClientCertificate, Identify};
use audit_core::record::Actor;
use proptest::prelude::*;
use rcgen::{BasicConstraints, DnType, IsCa, KeyUsagePurpose, SanType};

use super::authority::{Authority, identified, leaf, reason, uri};
use super::request::Request;

const ID: &str = "spiffe://prod.example/ns/payments/sa/settler";

#[test]
fn a_spiffe_id_names_the_workload_and_its_trust_domain_vouches_for_it() {
    let certificate = Authority::new().handshake(&leaf([uri(ID)])).unwrap();
    let expected = Actor::service_account(ID)
        .issuer("spiffe://prod.example")
        .auth("mtls")
        .credential(Hash::digest(&certificate).to_hex())
        .verified();
    assert_eq!(identified(&ClientCertificate::new(), &certificate), expected);
    let mut with_dns = leaf([SanType::DnsName("settler.example".try_into().unwrap()), uri(ID)]);
    with_dns.distinguished_name.push(DnType::CommonName, "somebody else");
    assert_eq!(Authority::new().caller(&with_dns).id.as_deref(), Some(ID));
}

#[test]
fn two_uri_names_are_refused() {
    let authority = Authority::new();
    for second in [ID, "spiffe://prod.example/another", "https://example.com"] {
        for names in [[uri(ID), uri(second)], [uri(second), uri(ID)]] {
            assert_eq!(reason(authority.caller(&leaf(names))), "certificate with several URI names");
        }
    }
}

#[test]
fn the_handshake_is_what_keeps_strangers_out() {
    let [ours, theirs] = [Authority::new(), Authority::new()];
    assert!(ours.handshake(&leaf([uri(ID)])).is_ok());
    assert!(ours.handshake_with(theirs.issue(&leaf([uri(ID)]))).is_err());
    let mut expired = leaf([uri(ID)]);
    expired.not_after = rcgen::date_time_ymd(2020, 1, 1);
    assert!(ours.handshake(&expired).is_err());
}

#[test]
fn what_is_no_leaf_is_refused() {
    let authority = Authority::new();
    let with = |usages: &[KeyUsagePurpose]| {
        let mut params = leaf([uri(ID)]);
        params.key_usages = usages.to_vec();
        params
    };
    use KeyUsagePurpose::{CrlSign, DigitalSignature, KeyAgreement, KeyCertSign};
    for (usages, expected) in [
        (&[DigitalSignature, KeyCertSign][..], "certificate for signing certificates"),
        (&[DigitalSignature, CrlSign], "certificate for signing certificates"),
        (&[KeyAgreement], "certificate not for digital signatures"),
        (&[], "certificate not for digital signatures"),
    ] {
        let (certificate, _) = authority.issue(&with(usages));
        assert_eq!(reason(identified(&ClientCertificate::new(), &certificate)), expected, "{usages:?}");
    }
    let mut ca = leaf([uri(ID)]);
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let (certificate, _) = authority.issue(&ca);
    assert_eq!(reason(identified(&ClientCertificate::new(), &certificate)), "certificate of a CA, not of a workload");
    assert!(authority.caller(&with(&[DigitalSignature, KeyAgreement])).verified);
}

#[test]
fn malformed_spiffe_ids_are_refused() {
    let authority = Authority::new();
    let long_path = format!("spiffe://a/{}", "b".repeat(2_038));
    let long_domain = format!("spiffe://{}/b", "a".repeat(256));
    for id in [
        "spiffe://prod.example",
        "spiffe://prod.example/",
        "spiffe:///path",
        "spiffe://Prod.example/a",
        "SPIFFE://prod.example/a",
        "spiffe:prod.example/a",
        "spiffe://prod.example:443/a",
        "spiffe://user@prod.example/a",
        "spiffe://prod.example/a?b",
        "spiffe://prod.example/a#b",
        "spiffe://prod.example/a//b",
        "spiffe://prod.example/a/",
        "spiffe://prod.example/a/../b",
        "spiffe://prod.example/./b",
        "spiffe://prod.example/%61",
        "spiffe://prod.example/a b",
        "spiffe://prod.example/a*",
        &long_path,
        &long_domain,
    ] {
        let (certificate, _) = authority.issue(&leaf([uri(id)]));
        assert_eq!(reason(identified(&ClientCertificate::new(), &certificate)), "malformed SPIFFE ID", "{id}");
    }
    for id in [long_path[..2_048].to_owned(), format!("spiffe://{}/b", "a".repeat(255)), "spiffe://a_b/C.d-e_F".into()]
    {
        assert_eq!(authority.caller(&leaf([uri(&id)])).id, Some(id));
    }
}

#[test]
fn trust_domains_can_be_named() {
    let certificate = Authority::new().handshake(&leaf([uri(ID)])).unwrap();
    let of = |names: &[&str]| ClientCertificate::new().trust_domains(names.iter().copied()).unwrap();
    assert!(identified(&of(&["test.example", "prod.example"]), &certificate).verified);
    assert_eq!(reason(identified(&of(&["test.example"]), &certificate)), "trust domain not accepted");
    for name in ["", "spiffe://prod.example", "Prod.example", "prod.example/a", "*"] {
        let error = ClientCertificate::new().trust_domains([name]).unwrap_err();
        assert!(error.to_string().contains("prod.example"), "{error}");
    }
}

#[test]
fn no_header_stands_in_for_a_certificate() {
    let request = Request::default().with("x-forwarded-client-cert", format!("URI={ID}"));
    assert_eq!(ClientCertificate::new().identify(&request), None);
}

#[test]
fn what_is_no_certificate_is_refused() {
    let certificate = Authority::new().handshake(&leaf([uri(ID)])).unwrap();
    let source = ClientCertificate::new();
    for bytes in [&b""[..], b"certificate", &certificate[1..], &[certificate.as_slice(), b"x"].concat()] {
        assert_eq!(reason(identified(&source, bytes)), "malformed certificate");
    }
    assert_eq!(reason(identified(&source, &vec![0; 65_537])), "certificate longer than 64 KiB");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        position in any::<prop::sample::Index>(), byte in any::<u8>(), bytes in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        static CERTIFICATE: OnceLock<Vec<u8>> = OnceLock::new();
        let mut altered = CERTIFICATE.get_or_init(|| Authority::new().handshake(&leaf([uri(ID)])).unwrap()).clone();
        let position = position.index(altered.len());
        altered[position] = byte;
        identified(&ClientCertificate::new(), &altered);
        identified(&ClientCertificate::new(), &altered[..position]);
        prop_assert!(!identified(&ClientCertificate::new(), &bytes).verified);
    }
}
