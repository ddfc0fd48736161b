//! What a caller writes into `x-forwarded-client-cert` before a trusted proxy adds its own element.

use std::net::SocketAddr;

use audit_core::identity::{ForwardedClientCert, Identify, TrustedProxies};
use audit_core::{Actor, ActorType};

use super::request::Request;

/// What the proxy adds: the certificate that it saw itself.
const OWN: &[u8] = b"By=spiffe://prod.example/ns/edge/sa/envoy;Hash=00ff;URI=spiffe://prod.example/ns/web/sa/cart";
const CALLER: &str = "spiffe://prod.example/ns/web/sa/cart";

/// Whatever stands in front of it, the caller is who the proxy says, or nobody; and from a peer
/// that is no proxy the header says nothing.
pub(crate) fn check(data: &[u8]) {
    assert_eq!(identify("203.0.113.9:4000", vec![data]), None, "a stranger wrote it");

    let joined = [data, b",", OWN].concat();
    for lines in [vec![&*joined], vec![data, OWN]] {
        let actor = identify("10.0.0.7:4000", lines).expect("a proxy wrote it");
        if actor.kind == ActorType::ServiceAccount {
            assert_eq!(actor.id.as_deref(), Some(CALLER));
            assert_eq!(actor.credential.as_deref(), Some("00ff"));
        } else {
            assert_eq!(actor.kind, ActorType::Unauthenticated, "{actor:?}");
            assert!(actor.reason.is_some() && actor.id.is_none() && !actor.verified);
        }
    }

    // On its own it may name anybody, and it never names somebody without a certificate.
    if let Some(actor) = identify("10.0.0.7:4000", vec![data]) {
        assert_eq!(actor.verified, actor.kind != ActorType::Unauthenticated);
    }
}

fn identify(peer: &str, lines: Vec<&[u8]>) -> Option<Actor> {
    let peer: SocketAddr = peer.parse().expect("an address");
    let proxies = TrustedProxies::new(["10.0.0.0/8"]).expect("a network");
    ForwardedClientCert::new(proxies).identify(&Request { name: "x-forwarded-client-cert", lines, peer: Some(peer) })
}
