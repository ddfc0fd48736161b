//! What trusted proxies forward of the certificates that they were shown, and what strangers pretend.

#![allow(clippy::unwrap_used, reason = "what is shared between tests may fail them")]

#[path = "identity_support/request.rs"]
mod request;

use audit_core::identity::{ForwardedClientCert, Identify, TrustedProxies};
use audit_core::record::{Actor, ActorType};
use proptest::prelude::*;
use request::Request;

const HASH: &str = "468ed33be74eee6556d90c0149c1309e9ba61d6425303443c0748a02dd8de688";
const ID: &str = "spiffe://prod.example/ns/payments/sa/settler";

fn source() -> ForwardedClientCert {
    ForwardedClientCert::new(TrustedProxies::new(["10.0.0.0/8", "fd00::/8"]).unwrap())
}

fn from_peer(peer: &str, lines: &[&str]) -> Option<Actor> {
    let request = Request { peer: Some(peer.parse().unwrap()), ..Request::default() };
    let request = lines.iter().fold(request, |request, line| request.with("X-Forwarded-Client-Cert", line));
    source().identify(&request)
}

/// Who a trusted proxy says is calling.
fn forwarded(line: &str) -> Actor {
    let actor = from_peer("10.0.0.1:4000", &[line]).unwrap();
    assert_eq!(actor.auth.as_deref(), Some("xfcc"));
    actor
}

fn workload() -> Actor {
    Actor::service_account(ID).issuer("spiffe://prod.example").auth("xfcc").credential(HASH).verified()
}

fn refused(line: &str) -> String {
    let actor = forwarded(line);
    let reason = actor.reason.clone().unwrap_or_else(|| panic!("{line}: {actor:?}"));
    assert_eq!(actor, Actor::unauthenticated().auth("xfcc").reason(&reason));
    reason
}

#[test]
fn the_spiffe_id_that_a_trusted_proxy_forwards_names_the_workload() {
    let upper = HASH.to_ascii_uppercase();
    for line in [
        format!("By=spiffe://prod.example/ns/payments/sa/api;Hash={HASH};Subject=\"\";URI={ID}"),
        format!("Hash={HASH};URI={ID};DNS=settler.example;DNS=b.example"),
        format!("hash={upper};uri=\"{ID}\""),
        format!("By=a;By=b;Hash={HASH};Cert=\"-----BEGIN%20CERTIFICATE\";Chain=\"-----B\";URI={ID};New=x"),
        format!("Hash={HASH};Subject=\"CN=a,O=\\\"b;URI=spiffe://evil/x\\\"\";URI={ID}"),
        format!("  Hash={HASH};URI={ID}  "),
    ] {
        assert_eq!(forwarded(&line), workload(), "{line}");
    }
}

#[test]
fn from_anybody_else_the_header_counts_as_absent() {
    let line = format!("Hash={HASH};URI={ID}");
    for peer in ["203.0.113.9:1", "[2001:db8::1]:1", "11.0.0.1:1"] {
        assert_eq!(from_peer(peer, &[&line]), None);
        assert_eq!(from_peer(peer, &["\"malformed"]), None);
    }
    for peer in ["[fd00::7]:1", "[::ffff:10.0.0.1]:1"] {
        assert_eq!(from_peer(peer, &[&line]), Some(workload()));
    }
    let no_address = Request::default().with("x-forwarded-client-cert", &line);
    assert_eq!(source().identify(&no_address), None);
    assert_eq!(from_peer("10.0.0.1:1", &[]), None);
}

#[test]
fn only_the_last_element_counts() {
    let last = format!("By=x;Hash={HASH};Subject=\"CN=settler, O=Shop\";URI={ID}");
    for before in [
        "Hash=00;URI=spiffe://prod.example/root",
        "URI=spiffe://prod.example/root;Subject=\"CN=a,O=b\"",
        "Subject=\"never closed",
        "Subject=\"never closed\\",
        "Subject=\"",
        "\"\"\"",
        "",
        "no pair at all",
    ] {
        assert_eq!(forwarded(&format!("{before},{last}")), workload(), "{before}");
        let line = format!("{before},By=x;Hash={HASH};URI={ID}");
        assert_eq!(forwarded(&line), workload(), "{before}, without quotes");
        assert_eq!(from_peer("10.0.0.1:1", &[before, &last]), Some(workload()), "{before}, in a line of its own");
    }
}

#[test]
fn without_a_spiffe_id_a_dns_name_or_the_subject_names_the_caller() {
    for (line, kind, id) in [
        ("Subject=\"CN=x\";URI=;DNS=a.example;DNS=b.example", ActorType::ServiceAccount, Some("a.example")),
        ("Subject=\"CN=a\\\"b,O=Shop;x=y\";URI=", ActorType::Unknown, Some("CN=a\\\"b,O=Shop;x=y")),
        ("Subject=\"\";URI=https://b.example", ActorType::Unknown, Some("https://b.example")),
        ("Subject=\"\"", ActorType::Unknown, None),
    ] {
        let actor = forwarded(line);
        assert_eq!((actor.kind, actor.id.as_deref(), actor.verified), (kind, id, true), "{line}");
        assert_eq!(actor.credential, None);
    }
}

#[test]
fn what_breaks_the_grammar_is_refused() {
    for line in [
        "",
        ",",
        "URI=spiffe://a/b,",
        "URI",
        "URI=spiffe://a/b;",
        ";URI=spiffe://a/b",
        "=spiffe://a/b",
        "U RI=spiffe://a/b",
        "Hash=00;URI=spiffe://a/b",
        "Hash=;URI=spiffe://a/b",
        "Subject=\"a\";Subject=\"b\"",
        "Subject=\"a",
        "Subject=a\"",
        "Subject=\"a\"b",
        "Subject=\"a\\\"",
        "Subject=\"",
        "URI=spi\"ffe://a/b",
    ] {
        assert_eq!(refused(line), "malformed x-forwarded-client-cert", "{line}");
    }
    let twice = format!("Hash={HASH};Hash={HASH}");
    assert_eq!(refused(&twice), "malformed x-forwarded-client-cert");
    let not_text = Request { peer: Some("10.0.0.1:1".parse().unwrap()), ..Request::default() };
    let actor = source().identify(&not_text.with("x-forwarded-client-cert", b"URI=\xff")).unwrap();
    assert_eq!(actor.reason.as_deref(), Some("malformed x-forwarded-client-cert"));
}

#[test]
fn names_that_contradict_are_refused() {
    assert_eq!(refused(&format!("URI={ID};URI={ID}")), "certificate with several URI names");
    assert_eq!(refused(&format!("URI=https://a;URI={ID}")), "certificate with several URI names");
    assert_eq!(refused("URI=spiffe://prod.example"), "malformed SPIFFE ID");
    assert_eq!(refused("URI=SPIFFE://prod.example/a"), "malformed SPIFFE ID");
}

#[test]
fn trust_domains_can_be_named_and_other_certificates_kept_out() {
    let request = |line: &str| {
        let request = Request { peer: Some("10.0.0.1:1".parse().unwrap()), ..Request::default() };
        request.with("x-forwarded-client-cert", line)
    };
    let reason = |source: &ForwardedClientCert, line: &str| source.identify(&request(line)).unwrap().reason;
    let strict = source().trust_domains(["prod.example"]).unwrap().spiffe_only();
    assert_eq!(reason(&strict, "URI=spiffe://prod.example/a"), None);
    assert_eq!(reason(&strict, "URI=spiffe://test.example/a").as_deref(), Some("trust domain not accepted"));
    assert_eq!(reason(&strict, "DNS=a.example").as_deref(), Some("certificate without SPIFFE ID"));
    assert!(source().trust_domains(["a/b"]).is_err());
}

#[test]
fn a_line_of_more_than_64_kib_is_refused_unread() {
    let line = |length: usize| {
        let end = format!(";URI={ID}");
        format!("Cert={}{end}", "A".repeat(length - end.len() - 5))
    };
    assert_eq!(forwarded(&line(65_536)).id.as_deref(), Some(ID));
    assert_eq!(refused(&line(65_537)), "x-forwarded-client-cert longer than 64 KiB");
    let in_second_line = from_peer("10.0.0.1:1", &["a", &line(65_537)]).unwrap();
    assert_eq!(in_second_line.reason.as_deref(), Some("x-forwarded-client-cert longer than 64 KiB"));
}

proptest! {
    #[test]
    fn whatever_stands_before_the_last_element_changes_nothing(before in "[ -~]{0,60}") {
        let line = format!("{before},By=x;Hash={HASH};Subject=\"CN=settler, O=Shop\";URI={ID}");
        prop_assert_eq!(forwarded(&line), workload());
    }

    #[test]
    fn whatever_a_subject_holds_it_stays_the_subject(subject in "[ !#-\\[\\]-~]{0,60}") {
        let line = format!("Hash={HASH};Subject=\"{subject}\";URI={ID}");
        prop_assert_eq!(forwarded(&line), workload());
    }

    #[test]
    fn no_line_makes_it_panic(line in prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        "(URI|DNS|Hash|Subject|[\"\\\\;,=a]){0,20}".prop_map(String::into_bytes),
    ]) {
        let request = Request { peer: Some("10.0.0.1:1".parse().unwrap()), ..Request::default() };
        let actor = source().identify(&request.with("x-forwarded-client-cert", line)).unwrap();
        prop_assert_eq!(actor.verified, actor.reason.is_none());
    }
}
