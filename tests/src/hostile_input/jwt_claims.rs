//! The claims of a token that a caller presents, with whatever signature.

use audit_core::ActorType;
use audit_core::identity::{DefaultIdentify, Identify};
use audit_core::record::Event;
use base64ct::{Base64UrlUnpadded, Encoding};

use super::recorded::intent_of;
use super::request::Request;

const SIGNATURE: &str = "c2lnbmF0dXJlLXRoYXQtbm9ib2R5LWNoZWNrZWQ";

/// Claims name a caller and never verify one, and no claim reaches another field of the record.
/// The first byte chooses between claims within a token and a whole header.
pub(crate) fn check(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else {
        return;
    };
    let header = match choice % 2 {
        0 => format!("Bearer e30.{}.{SIGNATURE}", Base64UrlUnpadded::encode_string(rest)).into_bytes(),
        _ => rest.to_vec(),
    };
    let actor = DefaultIdentify
        .identify(&Request { name: "authorization", lines: vec![&header], peer: None })
        .expect("nobody goes without a name");
    assert!(!actor.verified, "a claim that nobody checked");
    assert_ne!(actor.kind, ActorType::System);
    assert!(actor.on_behalf_of.len() <= 64);

    let intent = intent_of(&Event::action("GET /v1/refunds").resource("/v1/refunds").actor(actor.clone()));
    assert_eq!(intent["actor"]["type"], actor.kind.as_str());
    assert_eq!(intent["actor"]["verified"], false);
    assert_eq!(intent["action"], "GET /v1/refunds");
    assert_eq!(intent["resource"], "/v1/refunds");
    assert_eq!(intent["policy"], "default");
    if choice % 2 == 0 {
        assert!(!intent.to_string().contains(SIGNATURE), "a signature is a secret");
    }
}
