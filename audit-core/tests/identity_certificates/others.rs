//! Client certificates without a SPIFFE ID.

use audit_core::identity::ClientCertificate;
use audit_core::record::ActorType;
use rcgen::{CertificateParams, DnType, SanType};

use super::authority::{Authority, identified, leaf, reason, uri};

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

fn email(address: &str) -> SanType {
    SanType::Rfc822Name(address.try_into().unwrap())
}

fn named(names: impl IntoIterator<Item = SanType>) -> CertificateParams {
    let mut params = leaf(names);
    params.distinguished_name.push(DnType::OrganizationName, "Shop");
    params.distinguished_name.push(DnType::CommonName, "ada");
    params
}

#[test]
fn machines_have_dns_names_and_people_have_addresses() {
    use ActorType::{ServiceAccount, Unknown, User};
    let authority = Authority::new();
    for (names, kind, id) in [
        (vec![dns("a.example"), dns("b.example")], ServiceAccount, Some("a.example")),
        (vec![dns("a.example"), uri("https://b.example")], ServiceAccount, Some("a.example")),
        (vec![email("ada@example.com")], User, Some("ada@example.com")),
        (vec![email("ada@example.com"), dns("a.example")], Unknown, Some("CN=ada,O=Shop")),
        (vec![uri("https://b.example")], Unknown, Some("CN=ada,O=Shop")),
        (vec![SanType::IpAddress([192, 0, 2, 1].into())], Unknown, Some("CN=ada,O=Shop")),
        (vec![], Unknown, Some("CN=ada,O=Shop")),
    ] {
        let actor = authority.caller(&named(names.clone()));
        assert_eq!((actor.kind, actor.id.as_deref()), (kind, id), "{names:?}");
        assert_eq!(actor.issuer.as_deref(), Some("CN=Root,O=Example\\, Inc."));
        assert!(actor.verified);
    }
}

#[test]
fn a_certificate_without_any_name_is_a_caller_all_the_same() {
    let authority = Authority::new();
    let actor = authority.caller(&leaf([]));
    assert_eq!((actor.kind, actor.id, actor.verified), (ActorType::Unknown, None, true));
    let only_uri = authority.caller(&leaf([uri("https://b.example")]));
    assert_eq!(only_uri.id.as_deref(), Some("https://b.example"));
}

#[test]
fn no_value_of_a_subject_can_look_like_another_attribute() {
    let authority = Authority::new();
    for (common_name, written) in [
        ("ada,O=Bank", "CN=ada\\,O=Bank"),
        ("a+b", "CN=a\\+b"),
        ("\"a\\b\"", "CN=\\\"a\\\\b\\\""),
        (" a ", "CN=\\ a\\ "),
        (" ", "CN=\\ "),
        ("#a#", "CN=\\#a#"),
        ("<a;b>", "CN=\\<a\\;b\\>"),
        ("Zoë", "CN=Zoë"),
    ] {
        let mut params = leaf([]);
        params.distinguished_name.push(DnType::CommonName, common_name);
        let id = authority.caller(&params).id.unwrap();
        // An equals sign in a value needs no escape (RFC 4514 §2.4).
        assert_eq!(id, written, "{common_name}");
    }
    let mut params = leaf([]);
    params.distinguished_name.push(DnType::CustomDnType(vec![1, 2, 3, 4]), "x");
    assert_eq!(authority.caller(&params).id.as_deref(), Some("1.2.3.4=x"));
}

#[test]
fn certificates_without_spiffe_id_can_be_kept_out() {
    let source = ClientCertificate::new().spiffe_only();
    let certificate = Authority::new().handshake(&named([dns("a.example")])).unwrap();
    assert_eq!(reason(identified(&source, &certificate)), "certificate without SPIFFE ID");
    let certificate = Authority::new().handshake(&leaf([uri("spiffe://a/b")])).unwrap();
    assert!(identified(&source, &certificate).verified);
}
