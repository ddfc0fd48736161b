//! Bodies, where the policy asks for them: their digest, and of JSON and forms what is no secret.

use prost::Message as _;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{Call, Client, Framework, Secrets, Server};

crate::on_every_server! {
    bodies_are_recorded_without_the_secrets_in_them
    a_policy_that_asks_for_bodies_is_refused_where_none_are_captured
}

const EVERYTHING: &str = "[[rule]]\nname = \"bodies\"\nlevel = \"request_response\"\n";

fn server(framework: Framework) -> Server {
    Server::with_policy(framework, EVERYTHING, &["--capture-bodies"])
}

async fn bodies_are_recorded_without_the_secrets_in_them(framework: Framework) {
    let server = server(framework);
    let mut client = server.client().await;
    let calls = [Call::Refund(42), Call::Malformed, Call::Fail, Call::Stream { chunks: 3 }, Call::Count, Call::Panic];
    for call in calls {
        assert_eq!(client.call(call).await, client.expected(call), "{call:?}");
        if call == Call::Panic {
            client = server.client().await;
        }
    }
    let mut other = server.client().await;
    assert_eq!(other.call(Call::TooLarge).await, other.expected(Call::TooLarge));
    drop(server.client().await.read_first_chunk(Call::Stream { chunks: 1_000_000 }).await);
    // That none of the secrets is in the log is checked of every server that stops.
    let stopped = server.stop().await;
    let (_, refund) = stopped.pair_of(Call::Refund(42).action(framework.is_grpc()), true);
    if framework.is_grpc() {
        let sent = crate::grpc_client::refund(42, Secrets::get().details()).encode_to_vec();
        let message = &refund["request_body"]["messages"][0];
        assert_eq!((&message["bytes"], &message["sha256"]), (&sent.len().into(), &sha256(&sent).into()));
        // Not compressed, then the length in four bytes (gRPC over HTTP/2, "Length-Prefixed-Message").
        let length = u32::try_from(sent.len()).unwrap().to_be_bytes();
        assert_eq!(refund["request_sha256"], sha256(&[&[0], &length[..], &sent].concat()));
        assert!(refund["request_body"].get("text").is_none());
        return;
    }
    let sent = Secrets::get().details();
    assert_eq!(refund["request_sha256"], sha256(sent.as_bytes()));
    assert_eq!(refund["response_sha256"], sha256(b"{}"));
    let kept: Value = serde_json::from_str(refund["request_body"]["text"].as_str().unwrap()).unwrap();
    assert_eq!(kept["cents"], 100);
    assert_eq!(kept["card"]["number"], "[redacted]");
    assert_eq!(kept["Api_Key"], "[redacted]");
}

async fn a_policy_that_asks_for_bodies_is_refused_where_none_are_captured(framework: Framework) {
    let said = Server::refusal(framework, EVERYTHING);
    assert!(said.contains("`bodies`") && said.contains("capture_bodies"), "{said}");
}

crate::on_server!(on_axum_alone Axum fields_of_a_form_are_redacted);
crate::on_server!(on_actix_alone Actix fields_of_a_form_are_redacted);

async fn fields_of_a_form_are_redacted(framework: Framework) {
    let server = server(framework);
    let Client::Http(mut client) = server.client().await else { unreachable!() };
    let mut headers = Secrets::get().headers();
    headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
    let secret: String = Secrets::get().text("body").bytes().map(|byte| format!("%{byte:02x}")).collect();
    let form = format!("cents=100&card[number]={secret}&x-api-key={secret}&note=password%3D{secret}");
    client.send_with("POST", "/v1/refunds/1", &headers, form.len(), &form).await;
    // The handler takes JSON only; the record is made all the same.
    assert_eq!(client.answer().await, Some(400));
    let stopped = server.stop().await;
    let (_, outcome) = stopped.pair();
    assert_eq!(outcome["request_sha256"], sha256(form.as_bytes()));
    let kept = outcome["request_body"]["text"].as_str().unwrap();
    assert!(kept.starts_with("cents=100&") && kept.matches("[redacted]").count() == 3, "{kept}");
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
